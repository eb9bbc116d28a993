package core

import (
	"net/http"
	"strconv"

	"itemcast/internal/item"
	"itemcast/internal/revision"
)

// documentResponse is a response with an item's document.
type documentResponse struct {
	item.Document
	status   int
	location string
}

func (d documentResponse) write(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("ETag", revision.RenderingETag(d.Revision, d.Rendering))
	h.Set("Content-Length", strconv.Itoa(len(d.Bytes)))
	if d.location != "" {
		h.Set("Location", d.location)
	}
	w.WriteHeader(d.status)
	_, err := w.Write(d.Bytes)
	return err
}

func (d documentResponse) VisitGetItemResponse(w http.ResponseWriter) error     { return d.write(w) }
func (d documentResponse) VisitCreateItemResponse(w http.ResponseWriter) error  { return d.write(w) }
func (d documentResponse) VisitReplaceItemResponse(w http.ResponseWriter) error { return d.write(w) }
func (d documentResponse) VisitPatchItemResponse(w http.ResponseWriter) error   { return d.write(w) }

// notModified is the response to a client that has the current rendering. It holds that rendering's ETag.
type notModified string

func (n notModified) VisitGetItemResponse(w http.ResponseWriter) error { return n.write(w) }

func (n notModified) VisitGetAccountResponse(w http.ResponseWriter) error { return n.write(w) }

func (n notModified) write(w http.ResponseWriter) error {
	w.Header().Set("ETag", string(n))
	w.WriteHeader(http.StatusNotModified)
	return nil
}
