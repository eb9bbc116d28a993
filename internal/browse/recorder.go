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
	maxShownOther = 64 << 10 // bytes of any other answer; it may be a download without end
)

// errBrokenOff ends an answer once the page has as much of it as it shows.
var errBrokenOff = errors.New("the page shows no more of this answer")

// recorder is the ResponseWriter that a page's request is answered to. It begins with the headers that outer layers set
// for every answer.
type recorder struct {
	outer  http.ResponseWriter
	began  time.Time
	header http.Header
	status int
	body   bytes.Buffer // the first bytes, up to limit
	limit  int
	size   int  // of the whole answer, or of the part before it was broken off
	broken bool // off: there is more of the answer
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

// Write accepts JSON to its end, so that its handler ends well, and breaks any other answer off.
func (rec *recorder) Write(p []byte) (int, error) {
	rec.WriteHeader(http.StatusOK)
	if rec.broken {
		return 0, errBrokenOff
	}
	rec.body.Write(p[:min(len(p), rec.limit-rec.body.Len())])
	rec.size += len(p)
	if rec.size > rec.limit && !rec.isJSON {
		rec.broken = true
		return 0, errBrokenOff
	}
	return len(p), nil
}

// Flush does nothing: the page waits for the whole answer.
func (rec *recorder) Flush() {}

// SetReadDeadline is for http.ResponseController: the page has the connection of the answer.
func (rec *recorder) SetReadDeadline(at time.Time) error {
	return http.NewResponseController(rec.outer).SetReadDeadline(at)
}

// SetWriteDeadline is for http.ResponseController.
func (rec *recorder) SetWriteDeadline(at time.Time) error {
	return http.NewResponseController(rec.outer).SetWriteDeadline(at)
}

// serve has a handler answer. A handler may panic with http.ErrAbortHandler once its answer has been broken off; what
// it wrote until then counts.
func (rec *recorder) serve(handler http.Handler, r *http.Request) {
	defer func() {
		if !rec.broken {
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
	cut = rec.broken || rec.size > len(text)
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
