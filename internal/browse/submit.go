package browse

import (
	"net/http"

	"itemcast/internal/account"
	"itemcast/internal/browse/form"
	"itemcast/internal/browse/spec"
	"itemcast/internal/problem"
)

// submit sends the request that a form stands for. It then redirects to the result, or shows the answer.
func (h *handler) submit(w http.ResponseWriter, r *http.Request) {
	resource := h.document.At(r.URL)
	ex := h.send(w, r, resource)
	switch {
	case ex.sent == nil && ex.answer.status == http.StatusUnauthorized && h.options.LoginURL != "":
		h.submitSignedOut(w, r, resource, ex)
		return
	case ex.sent == nil || ex.sent.Form == nil:
		h.showAnswer(w, r, resource, ex)
		return
	}
	if target := h.target(r, ex); target != "" {
		h.leaveNotice(w, ex)
		redirect(w, target)
		return
	}
	op := ex.sent.Form.Operation
	page := h.page(w, r, resource, op, ex)
	if ex.answer.status < http.StatusMultipleChoices {
		page.Means = op.Means(ex.answer.status)
	}
	switch {
	case ex.answer.status == http.StatusPreconditionFailed:
		h.resolve(w, r, page, ex)
	case ex.answer.status >= http.StatusBadRequest:
		page.Forms = []form.Draft{ex.sent.Again(page.Path, page.Problem, ex.user.Permissions)}
	}
	page.Back = page.Path
	if resource.Operation(http.MethodGet) == nil {
		page.Back = h.parent(r, resource)
	}
	h.write(w, r, page, ex.answer)
}

// send signs in, reads the form, and sends its request to the API. Without a sign-in it does not read the form.
func (h *handler) send(w http.ResponseWriter, r *http.Request, resource *spec.Resource) exchange {
	rec := newRecorder(w)
	defer rec.finish()
	r = withoutConditions(r)
	r.URL.RawQuery = ""
	r, err := h.signIn(rec, r)
	ex := exchange{request: r, user: userOf(r), answer: rec}
	if err != nil {
		h.options.Problems.Write(rec, r, err)
		return ex
	}
	ex.sent, err = form.Read(rec, r, form.MaxSize, h.formsOf(resource))
	if err != nil {
		h.options.Problems.Write(rec, r, err)
		return ex
	}
	ex.request = ex.sent.Request(r)
	if len(ex.sent.Faults) > 0 {
		h.options.Problems.Write(rec, r, problem.Invalid(problem.InvalidInput, ex.sent.Faults...))
		return ex
	}
	rec.serve(h.operations, ex.request)
	return ex
}

// formsOf returns the form of each method of a resource.
func (h *handler) formsOf(resource *spec.Resource) func(method string) *form.Form {
	return func(method string) *form.Form { return h.static[resource.Operation(method)].form }
}

// submitSignedOut shows a form again whose session has ended, so that the user can sign in and send it again. A form
// that is too large, or that belongs to no operation, is lost.
func (h *handler) submitSignedOut(w http.ResponseWriter, r *http.Request, resource *spec.Resource, ex exchange) {
	sent, err := form.Read(w, r, form.MaxSignedOutSize, h.formsOf(resource))
	if err != nil || sent.Form == nil {
		h.showAnswer(w, r, resource, ex)
		return
	}
	ex.sent, ex.request = sent, sent.Request(withoutConditions(r))
	page := h.page(w, r, resource, sent.Form.Operation, ex)
	page.Forms = []form.Draft{sent.Again(page.Path, nil, account.All())} // its user is unknown
	page.Back, page.SessionEnded = page.Path, true
	h.write(w, r, page, ex.answer)
}

// showAnswer shows the answer without the form: the form could not be read, or the address does not take its method.
func (h *handler) showAnswer(w http.ResponseWriter, r *http.Request, resource *spec.Resource, ex exchange) {
	page := h.page(w, r, resource, nil, ex)
	page.Back = page.Path
	if ex.sent != nil {
		page.Title = ex.sent.Method + " " + r.URL.Path
	}
	h.write(w, r, page, ex.answer)
}

// resolve shows what others changed since the form was filled in, with a form that applies the user's changes to the
// current representation.
func (h *handler) resolve(w http.ResponseWriter, r *http.Request, page *view, ex exchange) {
	if ex.sent.Form.Operation.Resource.Operation(http.MethodGet) == nil {
		page.Forms = []form.Draft{ex.sent.Again(page.Path, page.Problem, ex.user.Permissions)}
		return
	}
	now := h.call(w, getOf(r)).answer
	record := form.ParseRecord(now.body.Bytes())
	if now.status != http.StatusOK || !now.isJSON || record == nil {
		return
	}
	draft, changes := ex.sent.Rebase(page.Path, form.Filling{
		Record: record, ETag: now.header.Get("ETag"), Permissions: ex.user.Permissions,
	})
	page.Forms, page.Changes = []form.Draft{draft}, changes
}
