package browse

import (
	"bytes"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"itemcast/internal/browse/spec"
)

const (
	maxShownJSON  = 1 << 20  // bytes of a JSON answer that a page shows
	maxShownOther = 64 << 10 // bytes of any other answer, which may be an endless download
)

// errCutOff ends an answer when the page has the part that it shows.
var errCutOff = errors.New("the page shows only the beginning of this answer")

// recorder is the ResponseWriter for the API's answer to a page's request. It begins with the headers that outer layers
// set for every answer.
type recorder struct {
	outer  http.ResponseWriter
	began  time.Time
	header http.Header
	status int
	body   bytes.Buffer // the first bytes, up to limit
	limit  int
	size   int  // of the whole answer, or of the part before it was cut off
	cutOff bool // the answer is longer than size
	isJSON bool
	took   time.Duration
}

func newRecorder(outer http.ResponseWriter) *recorder {
	return &recorder{outer: outer, began: time.Now(), header: outer.Header().Clone()}
}

func (rec *recorder) Header() http.Header { return rec.header }

func (rec *recorder) WriteHeader(status int) {
	if rec.status != 0 || status < 200 {
		return
	}
	rec.status = status
	rec.isJSON = spec.IsJSON(rec.header.Get("Content-Type"))
	rec.limit = maxShownOther
	if rec.isJSON {
		rec.limit = maxShownJSON
	}
}

// Write accepts the whole of a JSON answer, so that its handler completes, and cuts off any other answer.
func (rec *recorder) Write(p []byte) (int, error) {
	rec.WriteHeader(http.StatusOK)
	if rec.cutOff {
		return 0, errCutOff
	}
	rec.body.Write(p[:min(len(p), rec.limit-rec.body.Len())])
	rec.size += len(p)
	if rec.size > rec.limit && !rec.isJSON {
		rec.cutOff = true
		return 0, errCutOff
	}
	return len(p), nil
}

// Flush does nothing: the page waits for the whole answer.
func (rec *recorder) Flush() {}

// SetReadDeadline is for http.ResponseController: the answer uses the connection of the page.
func (rec *recorder) SetReadDeadline(at time.Time) error {
	return http.NewResponseController(rec.outer).SetReadDeadline(at)
}

// SetWriteDeadline is for http.ResponseController.
func (rec *recorder) SetWriteDeadline(at time.Time) error {
	return http.NewResponseController(rec.outer).SetWriteDeadline(at)
}

// serve calls a handler. After the answer was cut off, the handler may panic with http.ErrAbortHandler; the page shows
// what it wrote before.
func (rec *recorder) serve(handler http.Handler, r *http.Request) {
	defer func() {
		if !rec.cutOff {
			return
		}
		if reason := recover(); reason != nil {
			if err, ok := reason.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(reason)
			}
		}
	}()
	handler.ServeHTTP(rec, r)
}

// finish ends the answer.
func (rec *recorder) finish() {
	rec.took = time.Since(rec.began)
	rec.WriteHeader(http.StatusOK)
}

// isWhole reports whether the recorder has the whole body.
func (rec *recorder) isWhole() bool { return rec.size <= rec.limit }

// text returns the part of the body that the page shows, cut between characters, and whether there is more. It is nil
// for a body that is not text.
func (rec *recorder) text() (text []byte, cut bool) {
	text = rec.body.Bytes()
	cut = rec.cutOff || rec.size > len(text)
	if cut {
		for range utf8.UTFMax {
			if r, size := utf8.DecodeLastRune(text); r != utf8.RuneError || size != 1 {
				break
			}
			text = text[:len(text)-1]
		}
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, cut
	}
	return text, cut
}

// json returns the body of a JSON answer; nil for any other.
func (rec *recorder) json() []byte {
	if !rec.isJSON {
		return nil
	}
	return rec.body.Bytes()
}
