package browse

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"itemcast/internal/browse/form"
	"itemcast/internal/browse/jsontree"
	"itemcast/internal/browse/spec"
)

// read shows the answer to a GET.
func (h *handler) read(w http.ResponseWriter, r *http.Request) {
	resource := h.document.At(r.URL)
	op := resource.Operation(http.MethodGet)
	if op != nil && strings.Contains(r.URL.RawQuery, form.FilterName+"=") {
		query := h.static[op].form.CleanQuery(r.URL.Query())
		redirect(w, (&url.URL{Path: r.URL.Path, RawQuery: query}).String())
		return
	}
	request := withoutConditions(r)
	request.Method = http.MethodGet // net/http drops the body of a HEAD's page
	if op != nil && op.OnlyStreams() {
		request.Method = http.MethodHead // the page shows the headers only: a stream has no end
	}
	isIndex := resource != nil && resource == h.document.Index
	var find search
	if isIndex && r.URL.RawQuery != "" {
		request.URL.RawQuery, find = cutSearch(r.URL.Query())
	}
	ex := h.call(w, request)
	if ex.answer.status == http.StatusUnauthorized && h.sendsToSignIn(r) {
		redirect(w, h.signInAddress(r))
		return
	}
	page := h.page(w, r, resource, op, ex)
	page.Filter = h.static[op].form.Filter(r.URL.RawQuery, page.Problem)
	var answer any
	if resource.DependsOnAnswer() {
		answer = contents(ex.answer)
	}
	page.Forms = h.forms(r, resource, ex, answer)
	page.Related = related(r, resource, ex, answer)
	page.Steps = h.steps(op, ex, answer)
	failed := ex.answer.status >= http.StatusBadRequest
	switch {
	case isIndex && !failed:
		h.index(page, find)
	case op == nil && ex.answer.status == http.StatusMethodNotAllowed && len(page.Forms) > 0:
		page.offersOnly(h.static[page.Forms[0].Operation])
	case failed:
		page.FormsFirst = len(page.Forms) > 0
	}
	h.write(w, r, page, ex.answer)
}

// contents returns a successful answer's JSON; nil for another answer, and for one that is not whole.
func contents(answer *recorder) any {
	if answer.status != http.StatusOK || !answer.isWhole() {
		return nil
	}
	tree, err := jsontree.Parse(answer.json())
	if err != nil {
		return nil
	}
	return tree
}

// forms returns a form for each method of an address that its user may call, and that is of use after the answer.
func (h *handler) forms(r *http.Request, resource *spec.Resource, ex exchange, answer any) []form.Draft {
	if resource == nil || !ex.user.known {
		return nil
	}
	filling := form.Filling{Permissions: ex.user.Permissions}
	if ex.answer.status == http.StatusOK && ex.answer.isJSON {
		filling.ETag = ex.answer.header.Get("ETag")
		if ex.answer.isWhole() && slices.ContainsFunc(resource.Operations, (*spec.Operation).Updates) {
			filling.Record = form.ParseRecord(ex.answer.body.Bytes())
		}
	}
	var forms []form.Draft
	for _, op := range resource.Operations {
		if op.Method == http.MethodGet || op.NeedsFile() || !ex.user.may(op) || !op.Fits(answer) {
			continue
		}
		if ex.answer.status == http.StatusNotFound && !op.Creates() {
			continue
		}
		draft := h.static[op].form.Offer(r.URL.EscapedPath(), filling)
		draft.Open = resource.Operation(http.MethodGet) == nil
		forms = append(forms, draft)
	}
	return forms
}

// steps returns links to what the answer leads to, as the document says: operations that take values of the answer.
func (h *handler) steps(op *spec.Operation, ex exchange, answer any) []relatedLink {
	if op == nil || answer == nil {
		return nil
	}
	var links []relatedLink
	for i := range op.Follows {
		follow := &op.Follows[i]
		if follow.Target.Method == http.MethodGet || !ex.user.may(follow.Target) {
			continue // an answer's own values link to what can be read
		}
		for _, path := range follow.Addresses(answer) {
			links = append(links, relatedLink{follow.Target, h.document.Base + path})
		}
	}
	return links
}

// relatedLink leads to an operation at another address.
type relatedLink struct {
	*spec.Operation
	Href string
}

// related returns links to what is below an address. Where nothing was found, they lead only to what can be read, such
// as the history of a deleted item.
func related(r *http.Request, resource *spec.Resource, ex exchange, answer any) []relatedLink {
	if resource == nil || !ex.user.known {
		return nil
	}
	var links []relatedLink
	for _, child := range resource.Children {
		steps := append([]string{strings.TrimSuffix(r.URL.EscapedPath(), "/")}, child.Steps[len(resource.Steps):]...)
		href := strings.Join(steps, "/")
		for _, op := range child.Operations {
			isUseless := op.NeedsFile() || !op.Fits(answer) ||
				ex.answer.status == http.StatusNotFound && op.Method != http.MethodGet
			if !isUseless && ex.user.may(op) {
				links = append(links, relatedLink{op, href})
			}
		}
	}
	return links
}
