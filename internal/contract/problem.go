package contract

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"itemcast/internal/bearer"
	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

// statusClientGone is nginx's status of a request whose client has disconnected. Only logs show it.
const statusClientGone = 499

// Problems writes failures as RFC 9457 documents, and logs those of which clients see nothing. It is safe for
// concurrent use.
type Problems struct{ log *slog.Logger }

// NewProblems makes a Problems.
func NewProblems(log *slog.Logger) *Problems { return &Problems{log: log} }

// Write answers with what clients see of an error (problem.From), with the headers that belong to it. A client that has
// disconnected gets an empty body.
func (p *Problems) Write(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && hasDisconnected(r) {
		w.WriteHeader(statusClientGone)
		return
	}
	shown := p.Explain(r, err)
	if _, decided := w.Header()["Www-Authenticate"]; shown.Code == problem.Unauthenticated && !decided {
		w.Header().Set("WWW-Authenticate", bearer.Challenge(r.Header))
	}
	writeDocument(w, shown)
}

// hasDisconnected reports whether a request's client has disconnected. net/http gives no cause then; a server that
// shuts down gives one.
func hasDisconnected(r *http.Request) bool {
	return errors.Is(context.Cause(r.Context()), context.Canceled)
}

// Text returns the document that Write would write, for a stream that has begun.
func (p *Problems) Text(r *http.Request, err error) []byte {
	text, _ := encodeProblem(p.Explain(r, err)) // a document of strings can be encoded
	return text
}

// WriteUndecodable answers with BAD_REQUEST when generated code cannot decode a request that the Guard has accepted. It
// logs an error: the contract and the code disagree.
func (p *Problems) WriteUndecodable(w http.ResponseWriter, r *http.Request, err error) {
	p.log.ErrorContext(r.Context(), "cannot decode a request that fits the contract",
		"method", r.Method, "path", r.URL.Path, "error", err)
	writeDocument(w, problem.New(problem.BadRequest, "The request cannot be decoded."))
}

// Explain returns what clients see of an error, and logs what they do not see.
func (p *Problems) Explain(r *http.Request, err error) *problem.Error {
	shown := problem.From(err)
	switch shown.Code {
	case problem.Internal:
		p.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	case problem.Unavailable: // package media logs what the storage has answered
		p.log.WarnContext(r.Context(), "request cannot be served now",
			"method", r.Method, "path", r.URL.Path, "error", err)
	}
	return shown
}

// document is the form of RFC 9457; core.yaml calls it Problem. The type is always about:blank, because code says more.
type document struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Code   problem.Code   `json:"code"`
	Detail string         `json:"detail,omitempty"`
	Errors problem.Faults `json:"errors,omitempty"`
}

func encodeProblem(shown *problem.Error) ([]byte, error) {
	status := shown.Code.Status()
	return plainjson.Marshal(document{
		Type: "about:blank", Title: titleOf(status), Status: status,
		Code: shown.Code, Detail: shown.Detail, Errors: shown.Faults,
	})
}

func titleOf(status int) string {
	if status == problem.StatusChecksumMismatch { // which net/http does not know
		return "Checksum Mismatch"
	}
	return http.StatusText(status)
}

func writeDocument(w http.ResponseWriter, shown *problem.Error) {
	text, err := encodeProblem(shown)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	header := w.Header()
	// Remove what a handler has set for an answer that it then could not give.
	for _, name := range []string{"Content-Length", "Content-Encoding", "ETag", "Last-Modified", "Link", "Location"} {
		header.Del(name)
	}
	header.Set("Content-Type", problemType)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if shown.Code == problem.RevisionMismatch && shown.Revision > 0 {
		header.Set("ETag", revision.ETag(shown.Revision))
	}
	if shown.Code.IsTemporary() && header.Get("Retry-After") == "" {
		header.Set("Retry-After", shown.RetrySeconds())
	}
	w.WriteHeader(shown.Code.Status())
	_, _ = w.Write(text)
}
