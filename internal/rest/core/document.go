package core

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// document answers with an item's bytes as they are.
type document struct {
	item.Document
	status   int
	location string
}

func (d document) write(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("ETag", etag(d.Revision))
	h.Set("Content-Length", strconv.Itoa(len(d.Bytes)))
	if d.location != "" {
		h.Set("Location", d.location)
	}
	w.WriteHeader(d.status)
	_, err := w.Write(d.Bytes)
	return err
}

func (d document) VisitGetItemResponse(w http.ResponseWriter) error     { return d.write(w) }
func (d document) VisitCreateItemResponse(w http.ResponseWriter) error  { return d.write(w) }
func (d document) VisitReplaceItemResponse(w http.ResponseWriter) error { return d.write(w) }
func (d document) VisitPatchItemResponse(w http.ResponseWriter) error   { return d.write(w) }

// notModified answers that the client has the revision that there is.
type notModified int64

func (n notModified) VisitGetItemResponse(w http.ResponseWriter) error {
	w.Header().Set("ETag", etag(int64(n)))
	w.WriteHeader(http.StatusNotModified)
	return nil
}

func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// ifMatch reads If-Match (RFC 9110 §13.1.1): the revisions that will do; * is any. Weak tags never match strongly.
func ifMatch(header *string) (item.IfRevision, error) {
	if header == nil || strings.TrimSpace(*header) == "*" {
		return nil, nil
	}
	revisions := item.IfRevision{}
	for tag := range strings.SplitSeq(*header, ",") {
		tag = strings.TrimSpace(tag)
		weak := strings.HasPrefix(tag, "W/")
		text, quoted := unquote(strings.TrimPrefix(tag, "W/"))
		if !quoted {
			return nil, problem.Invalid(problem.InvalidInput, problem.Fault{Parameter: "If-Match", Detail: `must be an ETag as it was received, such as "3", or *`})
		}
		if revision, err := strconv.ParseInt(text, 10, 64); err == nil && !weak {
			revisions = append(revisions, revision)
		}
	}
	return revisions, nil
}

// explainWeak says of a mismatch that only the weakness of the ETag is to blame: proxies that compress make weak ones of ours.
func explainWeak(header *string, err error) error {
	if e := problem.Of(err); e != nil && e.Code == problem.RevisionMismatch && header != nil && strings.Contains(*header, "W/"+etag(e.Revision)) {
		return &problem.Error{Code: e.Code, Revision: e.Revision,
			Detail: fmt.Sprintf("If-Match needs the strong ETag that GET returns: %[1]s. W/%[1]s is a weak one, such as a proxy makes of it.", etag(e.Revision))}
	}
	return err
}

// ifNoneMatch reports whether If-None-Match (RFC 9110 §13.1.2) names the revision; the comparison is the weak one.
func ifNoneMatch(header *string, revision int64) bool {
	if header == nil {
		return false
	}
	for tag := range strings.SplitSeq(*header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag(revision) {
			return true
		}
	}
	return false
}

func unquote(tag string) (text string, ok bool) {
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return "", false
	}
	return tag[1 : len(tag)-1], true
}
