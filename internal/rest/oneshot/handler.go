// Package oneshot is the edge of POST /api/v1/uploads: one request of multipart/form-data (RFC 7578) makes an item of
// each of its files. It comes from a script, or from a plain form on a page of another origin.
//
//	ticket in headers ─┐
//	                   ├─▶ admitted ─▶ begun ─▶ file, file … ─▶ finished ─▶ 201, or 303 to the ticket's redirect
//	first fields ──────┘
//
// A ticket in headers is checked before a byte of the body is read; one in fields, before a byte of a file is. The body
// is read part by part, and no file is held in memory. A client that sends slowly is waited for, and one that sends
// nothing for a minute is not.
//
// The package must not know what an upload does: package upload does it. It reads no cookie and no other credentials.
package oneshot

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"itemcast/internal/accept"
	"itemcast/internal/contract"
	"itemcast/internal/problem"
	"itemcast/internal/publicurl"
	"itemcast/internal/upload"
	"itemcast/internal/upload/ticket"
)

// Handler answers uploads by a form. The contract's Guard has checked the request's headers.
type Handler struct {
	Uploads   *upload.Service
	Problems  *contract.Problems
	PublicURL string
}

// ServeHTTP receives an upload.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["Cache-Control"] = []string{"no-store"}
	body := newBody(w, r)
	made, t, err := h.receive(w, r, body)
	body.Answer()
	switch {
	case err != nil:
		h.refuse(w, r, err)
	case t.Redirect != "":
		w.Header().Set("Location", t.RedirectTo(ids(made)...))
		w.WriteHeader(http.StatusSeeOther)
	default:
		writeItems(w, made)
	}
}

func (h *Handler) receive(
	w http.ResponseWriter, r *http.Request, body *body,
) (made []upload.Made, t ticket.Ticket, err error) {
	form, err := newForm(r, body)
	if err != nil {
		return nil, t, err
	}
	infos, signatures := r.Header.Values(ticket.InfoName), r.Header.Values(ticket.SignatureName)
	if len(infos) == 0 && len(signatures) == 0 {
		if infos, signatures, err = form.ticket(); err != nil {
			return nil, t, body.explain(err)
		}
	}
	t, terms, err := h.Uploads.Admit(r.Context(), infos, signatures)
	foreign := h.foreignOrigin(r)
	if terms.AllowsOrigin(foreign) {
		allowOrigin(w.Header(), foreign)
	} else if err == nil && foreign != "" && !navigates(r) {
		err = problem.New(problem.OriginNotAllowed, "The workflow profile of the ticket does not list the origin %q. Ask "+
			"its owner to add it to uploads.origins.", foreign)
	}
	if err != nil {
		return nil, t, err
	}
	made, err = h.store(r, body, form, t)
	return made, t, err
}

// store receives the files of an admitted request.
func (h *Handler) store(r *http.Request, body *body, form *uploadForm, t ticket.Ticket) ([]upload.Made, error) {
	u, err := h.Uploads.Begin(r.Context(), t, r.ContentLength)
	if err != nil {
		return nil, err
	}
	defer u.End()
	defer body.EndWith(u.Context())()
	body.admit(u.Limit())
	for {
		file, err := form.nextFile()
		if err == nil && file == nil {
			break
		}
		if err == nil {
			err = u.Add(file.FileName, file)
		}
		if err != nil {
			return nil, cause(u.Context(), body.explain(err))
		}
	}
	return u.Finish()
}

// cause returns why an upload was ended from outside, or else the error that its end has led to.
func cause(ctx context.Context, err error) error {
	if reason := context.Cause(ctx); reason != nil && !errors.Is(reason, context.Canceled) {
		return reason
	}
	return err
}

// refuse answers with an error, a form with a page. The header of a 401 names what is missing (RFC 9110 §15.5.2), and
// nothing for which a browser would ask its user.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if problem.From(err).Code.Status() == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Itemcast-Upload-Ticket")
	}
	if accept.PrefersHTML(r.Header) && navigates(r) {
		writePage(w, r, h.Problems.Explain(r, err))
		return
	}
	h.Problems.Write(w, r, err)
}

// foreignOrigin returns the origin of the page that sends a request; "" for a page of this server, and for no page.
func (h *Handler) foreignOrigin(r *http.Request) string {
	origin := r.Header.Get("Origin")
	if origin == publicurl.Origin(h.PublicURL) || r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		return ""
	}
	return origin
}

// navigates reports whether a browser sends a form, and then leaves its page. No script sees the answer, so no origin
// needs to be allowed.
func navigates(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return accept.PrefersHTML(r.Header)
}

// allowOrigin lets the page that has sent a request read the answer (WHATWG Fetch, "HTTP-CORS protocol"), without
// cookies.
func allowOrigin(header http.Header, origin string) {
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", "Retry-After")
	if !slices.Contains(header["Vary"], "Origin") {
		header.Add("Vary", "Origin")
	}
}

func writeItems(w http.ResponseWriter, made []upload.Made) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	out := []byte(`{"results":[`)
	for i, one := range made {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, one.Document...)
	}
	_, _ = w.Write(append(out, `]}`...)) // fails when the client is gone
}

func ids(made []upload.Made) []uuid.UUID {
	all := make([]uuid.UUID, len(made))
	for i, one := range made {
		all[i] = one.ID
	}
	return all
}
