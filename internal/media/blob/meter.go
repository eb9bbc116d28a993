package blob

import (
	"context"
	"hash"
	"io"
)

// meter counts and hashes what is read through it. It fails when the context ends or the source is longer than the
// limit. A store gives up a write whose source fails, and leaves nothing behind; it would leave parts behind if its own
// context ended.
type meter struct {
	ctx    context.Context
	source io.Reader
	limit  int64
	hash   hash.Hash
	size   int64
	err    error // of the source, or ErrTooLarge
}

func (m *meter) Read(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	if err := m.ctx.Err(); err != nil {
		m.err = &SourceError{err}
		return 0, m.err
	}
	n, err := m.source.Read(p)
	m.size += int64(n)
	m.hash.Write(p[:n])
	switch {
	case m.size > m.limit:
		m.err = ErrTooLarge
		return 0, m.err
	case err != nil && err != io.EOF:
		m.err = &SourceError{err}
		return n, m.err
	}
	return n, err
}
