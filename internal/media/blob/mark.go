package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MarkName is the name of the mark in a store, beside the keys. People see it, and copy it with the rest.
const MarkName = "itemcast-storage"

const maxMark = 4 << 10 // bytes

// Mark returns the text that SetMark has stored. ErrNotFound: there is none, as in a folder that is not mounted.
func (b *Bucket) Mark(ctx context.Context) (string, error) {
	r, err := b.bucket.NewRangeReader(ctx, MarkName, 0, maxMark, nil)
	if err != nil {
		return "", explain(err)
	}
	text, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return "", fmt.Errorf("read the mark of the storage: %w", err)
	}
	return string(text), nil
}

// SetMark stores a text that tells this store from others.
func (b *Bucket) SetMark(ctx context.Context, text string) error {
	err := b.write(ctx, b.bucket, MarkName, "text/plain; charset=utf-8", maxMark, strings.NewReader(text))
	if err != nil {
		return fmt.Errorf("mark the storage: %w", err)
	}
	return nil
}

// MayVanish reports whether another, empty store can take the place of this one without an error, as a folder does that
// is no longer mounted.
func (b *Bucket) MayVanish() bool {
	_, ok := b.store.(folder)
	return ok
}
