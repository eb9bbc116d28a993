// Package tus is the edge of /api/v1/uploads/tus/: uploads that survive a lost connection, a closed laptop and a killed
// server. It speaks tus 1.0 (https://tus.io/protocols/resumable-upload) by tusd as a library.
//
//	POST with a ticket or a sign-in ─▶ created ─▶ PATCH, PATCH … at its URL ─▶ complete ─▶ an item
//	                                               ▲ HEAD says where to resume
//
// What it promises beyond tusd:
//
//   - The answer of tusd rests on the table of package upload, and never on a file's length: what HEAD reports is
//     stored, and the full length is reported only when the item has the file.
//   - Upload-Checksum is verified. Nothing of a request with a wrong one is kept.
//   - The URL of an upload is the key to it: credentials and cookies have no effect there.
//   - A client that should wait gets 423 to HEAD: tus-js-client starts over after any other error. PATCH never gets 408
//     or 429, after which it gives up.
//   - Errors are problems (RFC 9457), as everywhere else.
//
// It must not know what an upload becomes, nor where bytes are: package upload does.
package tus

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tus/tusd/v2/pkg/handler"

	"itemcast/internal/contract"
	"itemcast/internal/problem"
	"itemcast/internal/publicurl"
	"itemcast/internal/rest/incoming"
	"itemcast/internal/upload"
)

// Path is that of the uploads below the public URL. What follows it is the key of an upload.
const Path = "/api/v1/uploads/tus/"

const (
	extensions = "creation,creation-with-upload,checksum,termination,expiration,concatenation"

	lockTimeout   = 5 * time.Second // for the holder of an upload to let go
	idleTimeout   = time.Minute     // without a byte from the client
	answerTimeout = time.Minute     // for the client to receive the answer
)

// Config is what a Handler needs.
type Config struct {
	Uploads  *upload.Service
	Problems *contract.Problems
	// Admit returns a request with its user, who may use the API.
	Admit func(w http.ResponseWriter, r *http.Request) (*http.Request, error)
	// AllowsOrigin reports whether pages of an origin may upload with an access token.
	AllowsOrigin func(origin string) bool
	PublicURL    string
	Draft        bool // also speak the IETF's drafts, as far as tusd does
}

// Handler answers resumable uploads.
type Handler struct {
	Config
	base string // the absolute URL of Path
	path string // its path, with that of the public URL
	tusd http.Handler
}

// New returns a Handler.
func New(c Config) (*Handler, error) {
	h := &Handler{Config: c, base: c.PublicURL + Path, path: publicurl.Path(c.PublicURL) + Path}
	composer := handler.NewStoreComposer()
	composer.UseCore(store{h})
	composer.UseTerminater(store{h})
	composer.UseConcater(store{h})
	composer.UseLocker(store{h})
	speaks, err := handler.NewHandler(handler.Config{StoreComposer: composer, BasePath: h.base, DisableDownload: true,
		EnableExperimentalProtocol: c.Draft, Cors: &handler.CorsConfig{Disable: true}, Logger: silent(),
		AcquireLockTimeout: lockTimeout, NetworkTimeout: idleTimeout})
	if err != nil {
		return nil, err
	}
	h.tusd = http.StripPrefix(h.path, speaks)
	return h, nil
}

// call is what is known of a request.
type call struct {
	create   *upload.NewResumable // of a POST that creates
	checksum *upload.Checksum     // nil: none
	key      string               // of the upload that the request holds
	held     *upload.Held         // nil: none
	body     *body
	err      error // behind the answer of tusd
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Tus-Resumable", "1.0.0")
	w.Header()["Cache-Control"] = []string{"no-store"}
	if r.Method == http.MethodOptions {
		h.describe(w)
		return
	}
	r = overridden(r)
	key := strings.Trim(strings.TrimPrefix(r.URL.Path, h.path), "/")
	c := &call{}
	a := &answer{ResponseWriter: w, h: h, call: c, r: r, controller: http.NewResponseController(w)}
	if err := h.prepare(a, &r, key); err != nil {
		a.r = r
		a.fail(err)
		return
	}
	a.r = r
	c.body = newBody(w, r)
	r.Body = c.body
	stop := context.AfterFunc(r.Context(), c.body.deadline.Stop)
	defer stop()
	h.tusd.ServeHTTP(a, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
	a.end()
}

// prepare checks a request before a byte of its body is read.
func (h *Handler) prepare(a *answer, r **http.Request, key string) (err error) {
	if a.call.checksum, err = checksumOf((*r).Header, (*r).Trailer); err != nil {
		return err
	}
	switch (*r).Method {
	case http.MethodPost:
		if key != "" {
			return errMethod(a, "HEAD, PATCH, DELETE")
		}
		*r, err = h.admit(a, *r)
		return err
	case http.MethodHead, http.MethodPatch, http.MethodDelete:
		if key == "" {
			return errMethod(a, "POST, OPTIONS")
		}
		return nil
	}
	if key == "" {
		return errMethod(a, "POST, OPTIONS")
	}
	return errMethod(a, "HEAD, PATCH, DELETE")
}

func errMethod(a *answer, allow string) error {
	a.Header().Set("Allow", allow)
	return problem.New(problem.MethodNotAllowed, "This address takes %s. It speaks tus 1.0, with which a client such as "+
		"tus-js-client uploads files.", allow)
}

// describe answers OPTIONS that is no preflight.
func (h *Handler) describe(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Tus-Version", "1.0.0")
	header.Set("Tus-Extension", extensions)
	header.Set("Tus-Checksum-Algorithm", algorithmNames)
	header.Set("Tus-Max-Size", itoa(h.Uploads.MaxSize))
	w.WriteHeader(http.StatusNoContent)
}

// overridden gives a request the method that its client cannot send.
func overridden(r *http.Request) *http.Request {
	method := r.Header.Get("X-HTTP-Method-Override")
	if r.Method != http.MethodPost || method == "" {
		return r
	}
	changed := *r
	changed.Method = strings.ToUpper(method)
	changed.Header = r.Header.Clone()
	changed.Header.Del("X-HTTP-Method-Override")
	return &changed
}

var errShuttingDown = problem.New(problem.Unavailable, "The server is shutting down. What came is stored; resume in a "+
	"moment.")

// body is a body that ends with its request.
type body struct {
	io.ReadCloser
	ctx         context.Context
	deadline    *incoming.Deadline
	failed      bool        // it has not been read to its end
	silent      bool        // nothing has come for too long; the client may still be there
	interrupted atomic.Bool // another request waits for the upload
}

func newBody(w http.ResponseWriter, r *http.Request) *body {
	return &body{ReadCloser: r.Body, ctx: r.Context(), deadline: incoming.NewDeadline(w, r)}
}

// interrupt ends the body for another request. tusd has an interruption of its own, which is a data race in v2.9.1: its
// context reads the body's field while the handler writes it.
func (b *body) interrupt() {
	b.interrupted.Store(true)
	b.deadline.Stop()
}

func (b *body) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		b.failed = true
		return 0, context.Cause(b.ctx)
	}
	if b.interrupted.Load() {
		b.failed = true
		return 0, errInterrupted
	}
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.deadline.Finish()
	case err != nil:
		b.failed = true
		b.silent = errors.Is(err, os.ErrDeadlineExceeded) && !b.interrupted.Load() &&
			errors.Is(context.Cause(b.ctx), context.Canceled) // as net/http does then; a shutdown gives another cause
	}
	return n, err
}

// gone reports whether the client of a request has disconnected. A server that shuts down gives another cause. After a
// read deadline net/http cancels the request, too, whose client may wait for an answer.
func (b *body) gone() bool { return errors.Is(context.Cause(b.ctx), context.Canceled) && !b.silent }
