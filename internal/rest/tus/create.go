package tus

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/problem"
	"itemcast/internal/publicurl"
	"itemcast/internal/upload"
	"itemcast/internal/upload/ticket"
)

// HasTicket reports whether a request brings a ticket, in headers or in its metadata.
func HasTicket(header http.Header) bool {
	if header.Get(ticket.InfoName) != "" || header.Get(ticket.SignatureName) != "" {
		return true
	}
	return slices.ContainsFunc(header.Values(metadataHeader), func(text string) bool {
		return strings.Contains(text, ticket.InfoName) || strings.Contains(text, ticket.SignatureName)
	})
}

// admit checks the ticket of a creation, or else its user.
func (h *Handler) admit(a *answer, r *http.Request) (*http.Request, error) {
	metadata, err := readMetadata(r.Header.Values(metadataHeader))
	if err != nil {
		return r, err
	}
	if !h.Draft && r.Header.Get("Tus-Resumable") == "" && r.Header.Get("Upload-Draft-Interop-Version") != "" {
		return r, problem.New(problem.UnsupportedVersion, "This server speaks tus 1.0 only. Its operator can allow the "+
			"drafts of resumable HTTP uploads by ITEMCAST_UPLOAD_DRAFTS.")
	}
	n := &upload.NewResumable{Metadata: metadata}
	a.call.create = n
	if HasTicket(r.Header) {
		err = h.admitTicket(a, r, n)
	} else {
		r, err = h.admitUser(a, r)
	}
	if err != nil {
		return r, err
	}
	return h.withParts(r), nil
}

// admitTicket checks a ticket, and that its profile lists the origin of the page that sends it.
func (h *Handler) admitTicket(a *answer, r *http.Request, n *upload.NewResumable) error {
	infos, signatures := r.Header.Values(ticket.InfoName), r.Header.Values(ticket.SignatureName)
	if len(infos) == 0 && len(signatures) == 0 {
		infos, signatures = values(n.Metadata, ticket.InfoName), values(n.Metadata, ticket.SignatureName)
	}
	delete(n.Metadata, ticket.InfoName)
	delete(n.Metadata, ticket.SignatureName)
	t, terms, err := h.Uploads.Admit(r.Context(), infos, signatures)
	if origin := h.foreignOrigin(r); origin != "" {
		a.decide(origin, terms.AllowsOrigin(origin))
		if err == nil && !terms.AllowsOrigin(origin) {
			err = problem.New(problem.OriginNotAllowed, "The workflow profile of the ticket does not list the origin %q. "+
				"Ask its owner to add it to uploads.origins.", origin)
		}
	}
	if err == nil {
		n.Ticket, n.Info = &t, infos[0]
	}
	return err
}

// values returns the value of a key, as the values of a header.
func values(metadata map[string]string, key string) []string {
	if value, ok := metadata[key]; ok {
		return []string{value}
	}
	return nil
}

// admitUser signs the user in. Pages of other origins need an access token that names them; Admit checks that.
func (h *Handler) admitUser(a *answer, r *http.Request) (*http.Request, error) {
	if origin := h.foreignOrigin(r); origin != "" {
		a.decide(origin, h.AllowsOrigin(origin))
	}
	cacheControl := a.Header()["Cache-Control"]
	r, err := h.Admit(a, r)
	a.Header()["Cache-Control"] = cacheControl
	if problem.Is(err, problem.Unauthenticated) && r.Header["Authorization"] == nil {
		err = problem.New(problem.Unauthenticated, "The upload has neither a ticket nor a sign-in. Send a ticket in the "+
			"headers %s and %s, or sign in.", ticket.InfoName, ticket.SignatureName)
	}
	return r, err
}

// decide says whether the page of an origin may read the answer.
func (a *answer) decide(origin string, allowed bool) {
	a.allowed = true
	a.Header().Add("Vary", "Origin")
	if allowed {
		allow(a.Header(), origin)
	}
}

// foreignOrigin returns the origin of the page that sends a request; "" for a page of this server, and for no page.
func (h *Handler) foreignOrigin(r *http.Request) string {
	origin := r.Header.Get("Origin")
	if origin == publicurl.Origin(h.PublicURL) || r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		return ""
	}
	return origin
}

// allows reports whether pages of an origin may read what is answered about an upload of a profile; nil: of a user.
func (h *Handler) allows(ctx context.Context, profile *uuid.UUID, origin string) bool {
	if profile == nil {
		return h.AllowsOrigin(origin)
	}
	terms, err := h.Uploads.Terms(ctx, *profile)
	return err != nil || terms.AllowsOrigin(origin)
}

// withParts makes the URLs of the parts of a concatenation absolute: tusd knows no others.
func (h *Handler) withParts(r *http.Request) *http.Request {
	list, found := strings.CutPrefix(r.Header.Get(concatHeader), "final;")
	if !found {
		return r
	}
	parts := strings.Fields(list)
	for i, part := range parts {
		if _, key, found := strings.Cut(part, h.path); found {
			parts[i] = h.base + key
		}
	}
	changed := *r
	changed.Header = r.Header.Clone()
	changed.Header.Set(concatHeader, "final;"+strings.Join(parts, " "))
	return &changed
}

const (
	metadataHeader = "Upload-Metadata"
	concatHeader   = "Upload-Concat"
)
