package file

import (
	"errors"
	"io"
	"math"
	"net/http"
	"time"

	"itemcast/internal/media/blob"
)

const (
	// A client must take a step of bytes within stepTimeout, or the connection ends: 4 KiB/s.
	step        = 256 << 10
	stepTimeout = time.Minute
)

// pacedWriter sends a file for as long as its client takes bytes, and holds the status back until the storage has the
// first byte. It sends nothing of an answer that is an error: the caller has better words for it.
type pacedWriter struct {
	http.ResponseWriter
	controller *http.ResponseController
	status     int   // held back; 0: none
	refused    int   // a status that is an error, which has no answer yet; 0: none
	failure    error // of the storage, before the answer has begun
}

func newPacedWriter(w http.ResponseWriter) *pacedWriter {
	return &pacedWriter{ResponseWriter: w, controller: http.NewResponseController(w)}
}

func (w *pacedWriter) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		w.refused = status
		return
	}
	w.status = status
}

// begin sends the status.
func (w *pacedWriter) begin() {
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(w.status)
		w.status = 0
	}
}

func (w *pacedWriter) Write(p []byte) (int, error) {
	if w.refused != 0 {
		return len(p), nil
	}
	w.begin()
	w.extend()
	return w.ResponseWriter.Write(p)
}

// ReadFrom sends the bytes of a file, step by step. net/http sends a step of an *os.File by sendfile.
func (w *pacedWriter) ReadFrom(from io.Reader) (sent int64, err error) {
	limited, ok := from.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: from, N: math.MaxInt64}
	}
	if remote, ok := limited.R.(blob.Preparer); ok {
		if err := remote.Prepare(limited.N); err != nil && w.status != 0 {
			w.failure = err
			return 0, err
		}
	}
	w.begin()
	for limited.N > 0 {
		w.extend()
		n, err := io.CopyN(w.ResponseWriter, limited.R, min(limited.N, step))
		sent += n
		limited.N -= n
		if errors.Is(err, io.EOF) {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// extend gives the client the time for another step.
func (w *pacedWriter) extend() {
	_ = w.controller.SetWriteDeadline(time.Now().Add(stepTimeout)) // fails only where there is no connection, as in a test
}

// Unwrap is for http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
