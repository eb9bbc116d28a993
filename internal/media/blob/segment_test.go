package blob_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"itemcast/internal/media/blob"
)

func TestExtend_KeepsWhatCountsAndReplacesTheRest(t *testing.T) {
	inEveryStore(t, func(t *testing.T, b opened) {
		all := random(large)
		first := all[:min(int64(len(all)), b.MaxSegment())]
		var hash bytes.Buffer
		if n, err := b.Extend(t.Context(), key, 0, iotest.HalfReader(bytes.NewReader(first)), &hash); err != nil || n != int64(len(first)) {
			t.Fatalf("stored %d bytes of %d: %v", n, len(first), err)
		}
		if !bytes.Equal(hash.Bytes(), first) {
			t.Errorf("the hash got %d bytes of %d, or others", hash.Len(), len(first))
		}
		expectSegment(t, b, first)
		if !b.SegmentsGrow() {
			if _, err := b.Extend(t.Context(), "01"+key[2:], 0, bytes.NewReader(all), io.Discard); !errors.Is(err, blob.ErrTooLarge) {
				t.Errorf("more than one request can carry: %v", err)
			}
			return
		}
		counted := first[:len(first)/2]
		broken := errors.New("the client is gone")
		failing := io.MultiReader(bytes.NewReader(all[:100_000]), iotest.ErrReader(broken))
		if _, err := b.Extend(t.Context(), key, int64(len(counted)), failing, io.Discard); !errors.Is(err, broken) {
			t.Errorf("a source that fails: %v", err)
		}
		expectSegment(t, b, counted)
		more := []byte("what comes instead")
		var hashed bytes.Buffer
		if n, err := b.Extend(t.Context(), key, int64(len(counted)), bytes.NewReader(more), &hashed); err != nil || n != int64(len(more)) {
			t.Fatalf("stored %d bytes of %d: %v", n, len(more), err)
		}
		if !bytes.Equal(hashed.Bytes(), more) {
			t.Errorf("the hash got %q", hashed.Bytes())
		}
		expectSegment(t, b, append(counted[:len(counted):len(counted)], more...))
	})
}

func expectSegment(t *testing.T, b opened, want []byte) {
	t.Helper()
	content, err := b.OpenSegment(t.Context(), key, int64(len(want)))
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if got, err := io.ReadAll(content); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the segment has %d bytes, of which the wanted %d differ: %v", len(got), len(want), err)
	}
}
