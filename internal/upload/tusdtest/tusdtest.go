// Package tusdtest runs tusd's own server in tests of clients. Only tests may import it.
package tusdtest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/exp/slog"

	"github.com/tus/tusd/v2/pkg/filelocker"
	"github.com/tus/tusd/v2/pkg/filestore"
	tusd "github.com/tus/tusd/v2/pkg/handler"

	"itemcast/internal/upload/tusclient"
)

// ItemHeader is set, as Itemcast does, on answers about complete uploads: the upload's id.
const ItemHeader = "Itemcast-Item-Id"

// Server is tusd with a folder of its own.
type Server struct {
	*httptest.Server
	Endpoint string
	Files    http.Handler // what answers after Before

	t      testing.TB
	dir    string
	mu     sync.Mutex
	before func(w http.ResponseWriter, r *http.Request) (answered bool)
	sent   []string // the methods of requests
	posted http.Header
}

// Start starts a server. It ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir()}
	composer := tusd.NewStoreComposer()
	filestore.New(s.dir).UseIn(composer)
	filelocker.New(s.dir).UseIn(composer)
	handler, err := tusd.NewHandler(tusd.Config{BasePath: "/files/", StoreComposer: composer,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		PreFinishResponseCallback: func(e tusd.HookEvent) (tusd.HTTPResponse, error) {
			return tusd.HTTPResponse{Header: tusd.HTTPHeader{ItemHeader: e.Upload.ID}}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	s.Files = http.StripPrefix("/files/", handler)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before := s.note(r); before != nil && before(w, r) {
			return
		}
		if r.Method == http.MethodHead {
			w = &headWriter{w, path.Base(r.URL.Path)}
		}
		s.Files.ServeHTTP(w, r)
	}))
	s.Endpoint = s.URL + "/files/"
	t.Cleanup(s.Close)
	return s
}

// headWriter adds the item to the answer about a complete upload.
type headWriter struct {
	http.ResponseWriter
	id string
}

func (w *headWriter) WriteHeader(status int) {
	if h := w.Header(); h.Get("Upload-Offset") == h.Get("Upload-Length") && h.Get("Upload-Offset") != "" {
		h.Set(ItemHeader, w.id)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (s *Server) note(r *http.Request) func(http.ResponseWriter, *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, r.Method)
	if r.Method == http.MethodPost {
		s.posted = r.Header.Clone()
	}
	return s.before
}

// Before makes f see each request first. It may answer in the server's place, or break the connection.
func (s *Server) Before(f func(w http.ResponseWriter, r *http.Request) (answered bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// Cut ends the connection of every nth PATCH after half of its bytes.
func (s *Server) Cut(every int) {
	n := 0
	s.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch {
			return false
		}
		if n++; n%every != 0 {
			return false
		}
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		panic(http.ErrAbortHandler)
	})
}

// Client returns a client that does not wait between its attempts.
func (s *Server) Client(chunk int64) *tusclient.Client {
	return &tusclient.Client{Endpoint: s.Endpoint, ChunkSize: chunk, HTTP: s.Server.Client(),
		Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

// Content returns the bytes of an upload.
func (s *Server) Content(url string) []byte {
	s.t.Helper()
	content, err := os.ReadFile(filepath.Join(s.dir, path.Base(url)))
	if err != nil {
		s.t.Fatal(err)
	}
	return content
}

// Uploads counts the uploads that the server has, complete or not.
func (s *Server) Uploads() (n int) {
	s.t.Helper()
	files, err := os.ReadDir(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".info") {
			n++
		}
	}
	return n
}

// Count returns how many requests with a method have come.
func (s *Server) Count(method string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.sent {
		if m == method {
			n++
		}
	}
	return n
}

// Metadata returns those of the last upload that was created.
func (s *Server) Metadata() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return tusd.ParseMetadataHeader(s.posted.Get("Upload-Metadata"))
}
