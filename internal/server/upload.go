package server

import (
	"net/http"
	"strings"

	"github.com/rs/cors"

	"itemcast/internal/contract"
	"itemcast/internal/rest/tus"
	"itemcast/internal/upload/ticket"
)

// uploads serves POST /api/v1/uploads. Its own access class: a ticket, and no user. The request is checked against the
// contract first. Its handler sets the deadlines of the body, once it has admitted the ticket.
func uploads(h Handlers) http.Handler {
	mux := http.NewServeMux()
	guard := h.Contract.Guard(mux, contract.Options{Problems: h.Problems})
	guard.HandleFunc("POST "+h.Contract.Base()+uploadsPath, h.Uploads.ServeHTTP)
	return mux
}

const uploadsPath = "/uploads"

// isUpload returns a function that reports whether a request, or the one that a preflight asks for, is an upload with a
// ticket, or continues a resumable one.
func isUpload(root string) func(r *http.Request) bool {
	path := root + "/api/v1" + uploadsPath
	return func(r *http.Request) bool {
		if key, resumable := strings.CutPrefix(r.URL.Path, root+tus.Path); resumable {
			return key != "" || tus.HasTicket(r.Header)
		}
		return r.URL.Path == path && (r.Method == http.MethodPost ||
			r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") == http.MethodPost)
	}
}

// withoutCredentials removes from an upload what identifies a user: whoever is signed in on this server may be on the
// page of somebody else's form.
func withoutCredentials(isUpload func(*http.Request) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isUpload(r) && (r.Header["Cookie"] != nil || r.Header["Authorization"] != nil) {
			clean := *r
			clean.Header = r.Header.Clone()
			clean.Header.Del("Cookie")
			clean.Header.Del("Authorization")
			r = &clean
		}
		next.ServeHTTP(w, r)
	})
}

// uploadPreflights answers the preflights of uploads. A preflight has no ticket, so any page may ask; the upload itself
// is answered to the origins of its ticket's profile. No answer allows credentials.
func uploadPreflights(isUpload func(*http.Request) bool, uploads, others http.Handler) http.Handler {
	preflights := cors.New(cors.Options{
		AllowedOrigins: []string{"*"},
		AllowedMethods: []string{http.MethodPost},
		AllowedHeaders: []string{"Accept", "Accept-Language", "Content-Type", ticket.InfoName, ticket.SignatureName,
			"Traceparent", "Tracestate", "X-Requested-With"},
		MaxAge: preflightMaxAge,
	}).Handler(uploads)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !isUpload(r):
			others.ServeHTTP(w, r)
		case r.Method == http.MethodOptions && !strings.HasSuffix(r.URL.Path, uploadsPath):
			others.ServeHTTP(w, r)
		case r.Method == http.MethodOptions:
			preflights.ServeHTTP(w, r)
		default:
			uploads.ServeHTTP(w, r)
		}
	})
}

// resumableOrigins answers the preflights of resumable uploads. They name no ticket, token or upload, so any page may
// ask. Package tus decides which pages may read its answers. No answer allows credentials.
func resumableOrigins(root string, resumable, others http.Handler) http.Handler {
	preflights := cors.New(cors.Options{
		AllowedOrigins: []string{"*"},
		AllowedMethods: []string{http.MethodPost, http.MethodHead, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: []string{"Accept", "Accept-Language", "Authorization", "Content-Disposition", "Content-Type",
			ticket.InfoName, ticket.SignatureName, "Traceparent", "Tracestate", "Tus-Resumable", "Upload-Checksum",
			"Upload-Complete", "Upload-Concat", "Upload-Defer-Length", "Upload-Draft-Interop-Version", "Upload-Incomplete",
			"Upload-Length", "Upload-Metadata", "Upload-Offset", "X-HTTP-Method-Override", "X-Request-ID",
			"X-Requested-With"},
		MaxAge: preflightMaxAge,
	}).Handler(resumable)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasPrefix(r.URL.Path, root+tus.Path):
			others.ServeHTTP(w, r)
		case r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "":
			preflights.ServeHTTP(w, r)
		default:
			resumable.ServeHTTP(w, r)
		}
	})
}
