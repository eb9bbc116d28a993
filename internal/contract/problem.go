package contract

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

// statusClientGone is nginx's, for its log: nobody is there to read the answer.
const statusClientGone = 499

// document is the form of RFC 9457; core.yaml calls it Problem. Its type is always about:blank, as the code tells what it is.
type document struct {
	Type   string          `json:"type"`
	Title  string          `json:"title"`
	Status int             `json:"status"`
	Code   problem.Code    `json:"code"`
	Detail string          `json:"detail,omitempty"`
	Errors []problem.Fault `json:"errors,omitempty"`
}

// WriteProblem answers with what err is to the user (problem.From), and the headers that go with it. What the user must not see is
// logged. A client that has gone gets nothing.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && hasGone(r) {
		w.WriteHeader(statusClientGone)
		return
	}
	writeDocument(w, shownOf(r, err))
}

// hasGone reports whether a request's client has gone away: net/http gives no cause then, and a server that shuts down does.
func hasGone(r *http.Request) bool { return errors.Is(context.Cause(r.Context()), context.Canceled) }

// ProblemText is what WriteProblem would answer with, for a stream that has begun and tells of its failure in its own way.
func ProblemText(r *http.Request, err error) []byte {
	text, _ := encodeProblem(shownOf(r, err))
	return text
}

func shownOf(r *http.Request, err error) *problem.Error {
	shown := problem.From(err)
	switch shown.Code {
	case problem.Internal:
		slog.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	case problem.Unavailable:
		slog.WarnContext(r.Context(), "request cannot be served now", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	return shown
}

func encodeProblem(shown *problem.Error) ([]byte, error) {
	status := shown.Code.Status()
	return json.Marshal(document{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Code: shown.Code, Detail: shown.Detail, Errors: shown.Faults,
	})
}

// WriteUndecodable answers for generated code that cannot read what the Guard has let through. The two are meant to agree, so it is
// logged; but to the client it is a bad request.
func WriteUndecodable(w http.ResponseWriter, r *http.Request, err error) {
	slog.ErrorContext(r.Context(), "request passed the contract and cannot be decoded", "method", r.Method, "path", r.URL.Path, "error", err)
	writeDocument(w, problem.New(problem.BadRequest, "The request cannot be understood."))
}

func writeDocument(w http.ResponseWriter, shown *problem.Error) {
	text, err := encodeProblem(shown)
	if err != nil { // there is nothing in it that could fail
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	header := w.Header()
	// What a handler has set for the answer that it did not get to give.
	for _, name := range []string{"Content-Length", "Content-Encoding", "ETag", "Last-Modified", "Link", "Location"} {
		header.Del(name)
	}
	header.Set("Content-Type", problemType)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	switch shown.Code {
	case problem.Unauthenticated:
		if _, decided := header["Www-Authenticate"]; !decided {
			header.Set("WWW-Authenticate", `Basic realm="Itemcast", charset="UTF-8"`)
		}
	case problem.RevisionMismatch:
		if shown.Revision > 0 {
			header.Set("ETag", revision.ETag(shown.Revision))
		}
	case problem.Unavailable, problem.TooManyRequests:
		if header.Get("Retry-After") == "" {
			header.Set("Retry-After", shown.RetrySeconds())
		}
	}
	w.WriteHeader(shown.Code.Status())
	_, _ = w.Write(text)
}
