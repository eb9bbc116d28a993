package browse

import (
	"net/http"
	"net/url"
	"strings"

	"itemcast/internal/browse/form"
	"itemcast/internal/browse/spec"
)

// target returns the address of what a successful form created or changed. It returns "" when that page would show less
// than the answer: then the answer itself is shown. (The answer to a new hook has the secret, which no other answer
// has.)
func (h *handler) target(r *http.Request, ex exchange) string {
	status, op := ex.answer.status, ex.sent.Form.Operation
	switch {
	case status < 200 || status >= 300:
	case ex.sent.Method == http.MethodDelete && status == http.StatusNoContent:
		return h.parent(r, op.Resource)
	case status == http.StatusCreated:
		return h.created(ex)
	case op.Updates() && answersLike(op.Resource.Operation(http.MethodGet), op):
		return r.URL.EscapedPath()
	case ex.sent.Method == http.MethodPost && !op.ShowsSecret(form.ParseRecord(ex.answer.body.Bytes()).Has):
		return h.actedOn(r, op)
	}
	return ""
}

// actedOn returns the address of what an action changed: the nearest above that reads the same type; "" for none.
func (h *handler) actedOn(r *http.Request, op *spec.Operation) string {
	path := r.URL.Path
	for len(path) > len(h.document.Base) {
		if get := h.document.Reads(path); get != nil {
			if op.AnswerType() == "" || !answersLike(get, op) {
				return ""
			}
			return (&url.URL{Path: path}).EscapedPath()
		}
		path = path[:strings.LastIndexByte(path, '/')]
	}
	return ""
}

// created returns the address of a new resource; "" when only the answer shows all of it.
func (h *handler) created(ex exchange) string {
	op := ex.sent.Form.Operation
	if op.ShowsSecret(form.ParseRecord(ex.answer.body.Bytes()).Has) {
		return ""
	}
	target := h.links.href(ex.answer.header.Get("Location"))
	address, err := url.Parse(target)
	if err != nil || target == "" || op.AnswerType() == "" {
		return ""
	}
	if !answersLike(h.document.At(address).Operation(http.MethodGet), op) {
		return ""
	}
	return target
}

// answersLike reports whether a GET answers with the same type as another operation.
func answersLike(get, op *spec.Operation) bool {
	return get != nil && get.AnswerType() == op.AnswerType()
}

// parent returns the nearest address above that can be read.
func (p *Pages) parent(r *http.Request, resource *spec.Resource) string {
	path := r.URL.Path
	for {
		at := strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')
		if at < len(p.document.Base) {
			return p.document.Base + "/"
		}
		path = path[:at]
		if above := p.document.Reads(path); above != nil && above.Resource != resource {
			return (&url.URL{Path: path}).EscapedPath()
		}
	}
}
