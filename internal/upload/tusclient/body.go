package tusclient

import (
	"errors"
	"io"
	"sync"
	"time"
)

// body is a chunk on its way. net/http may read it for a moment after the request has ended.
type body struct {
	*io.SectionReader
	sent   func(n int64) // told how far it has been read, while the request lasts
	silent *time.Timer   // ends the request

	mu    sync.Mutex
	n     int64
	err   error
	ended bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.SectionReader.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return n, err
	}
	b.n += int64(n)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		b.err = err
	case b.n < b.Size():
		b.silent.Reset(stallTimeout)
	default:
		b.silent.Reset(answerTimeout)
	}
	if n > 0 {
		b.sent(b.n)
	}
	return n, err
}

// Close implements io.Closer: net/http closes bodies.
func (*body) Close() error { return nil }

// end stops telling of progress.
func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.silent.Stop()
}

// failed returns the error of the file.
func (b *body) failed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
