package browse

import (
	"bytes"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"
)

const (
	mostJSON  = 1 << 20  // bytes of a JSON answer that a page shows
	mostOther = 64 << 10 // of any other answer; it may be a download without end
)

// errEnough ends an answer that a page shows only the beginning of.
var errEnough = errors.New("the page shows no more than this")

// record keeps an answer for a page to show. It is given what the outer layers have set for every answer.
type record struct {
	outer  http.ResponseWriter
	header http.Header
	status int
	body   bytes.Buffer
	size   int  // of the whole answer; of what came before it was broken off
	broken bool // it was: there is more of it
	limit  int
	isJSON bool
	took   time.Duration
}

func newRecord(outer http.ResponseWriter) *record {
	return &record{outer: outer, header: outer.Header().Clone()}
}

func (rec *record) Header() http.Header { return rec.header }

func (rec *record) WriteHeader(status int) {
	if rec.status != 0 || status < 200 {
		return
	}
	rec.status = status
	rec.isJSON = isJSON(rec.header.Get("Content-Type"))
	rec.limit = mostOther
	if rec.isJSON {
		rec.limit = mostJSON
	}
}

// Write takes JSON to its end, for its handler to end well, and breaks any other answer off.
func (rec *record) Write(p []byte) (int, error) {
	rec.WriteHeader(http.StatusOK)
	if rec.broken {
		return 0, errEnough
	}
	rec.body.Write(p[:min(len(p), rec.limit-rec.body.Len())])
	rec.size += len(p)
	if rec.size > rec.limit && !rec.isJSON {
		rec.broken = true
		return 0, errEnough
	}
	return len(p), nil
}

// Flush does nothing: the page comes when the answer is complete.
func (rec *record) Flush() {}

// SetReadDeadline is for http.ResponseController: the page's connection is the answer's.
func (rec *record) SetReadDeadline(at time.Time) error {
	return http.NewResponseController(rec.outer).SetReadDeadline(at)
}

// SetWriteDeadline is for http.ResponseController.
func (rec *record) SetWriteDeadline(at time.Time) error {
	return http.NewResponseController(rec.outer).SetWriteDeadline(at)
}

// of records what handler answers. A handler that is cut off, as one is that must not go on, has answered so far.
func (rec *record) of(handler http.Handler, r *http.Request) {
	began := time.Now()
	defer func() {
		rec.took = time.Since(began)
		rec.WriteHeader(http.StatusOK)
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

// shown is the part of the body that the page shows, whole characters of it; nil when it is not text.
func (rec *record) shown() (text []byte, cut bool) {
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
