package core

import (
	"net/http"
	"strconv"

	"itemcast/internal/item"
	"itemcast/internal/revision"
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
	h.Set("ETag", revision.ETag(d.Revision))
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
	w.Header().Set("ETag", revision.ETag(int64(n)))
	w.WriteHeader(http.StatusNotModified)
	return nil
}
