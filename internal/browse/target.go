package browse

import (
	"net/http"
	"net/url"
	"strings"

	"itemcast/internal/browse/form"
	"itemcast/internal/browse/spec"
)

// target returns the address to which a successful form leads: to what it created or changed, if the page there shows
// as much as the answer. (The answer to a new hook has a secret that no other has, so it is shown.) It returns ""
// when the answer itself is to be shown.
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
	}
	return ""
}

// created returns the address of what was created; "" when only the answer shows all of it.
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
