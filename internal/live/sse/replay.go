package sse

import "io"

// replay is a request's body that can be read again from its beginning. Handlers limit how much they read.
type replay struct {
	source io.ReadCloser
	seen   []byte
	at     int // in seen
}

// Read reads what was read before, and then the source.
func (b *replay) Read(p []byte) (int, error) {
	if b.at < len(b.seen) {
		n := copy(p, b.seen[b.at:])
		b.at += n
		return n, nil
	}
	n, err := b.source.Read(p)
	b.seen = append(b.seen, p[:n]...)
	b.at = len(b.seen)
	return n, err
}

// Close does nothing: another attempt may read the body. The server closes the source.
func (b *replay) Close() error { return nil }

func (b *replay) rewind() { b.at = 0 }
