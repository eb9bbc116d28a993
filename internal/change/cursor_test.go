package change

import (
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"itemcast/internal/problem"
)

func newTestCursors(epoch uuid.UUID) cursors {
	c, err := newCursors(epoch, []byte("sixteen bytes of"))
	if err != nil {
		panic(err)
	}
	return c
}

// Cursors of neighbouring positions have nothing in common but the log: neither a cursor nor two of them tell a count.
func TestCursor_HidesThePosition(t *testing.T) {
	t.Parallel()
	c := newTestCursors(uuid.MustParse("0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1b"))
	seen := map[string]bool{}
	for p := range Position(1000) {
		raw, err := base64.RawURLEncoding.DecodeString(c.encode(p))
		if err != nil || len(raw) != 24 {
			t.Fatalf("%d bytes, %v", len(raw), err)
		}
		for at := 8; at+4 <= len(raw); at++ {
			if part := string(raw[at : at+4]); seen[part] {
				t.Fatalf("the cursor of %d shares %x with another", p, part)
			} else {
				seen[part] = true
			}
		}
	}
	forged := []byte(c.encode(7))
	for n := range forged[11:] {
		other := slices.Clone(forged)
		other[11+n] ^= 1
		if p, err := c.decode(string(other)); err == nil {
			t.Errorf("a changed cursor is taken for the position %d", p)
		}
	}
}

// A client that asks again and again learns nothing from equal checkpoints, or from parts of them.
func TestCursor_CheckpointsOfOnePositionDiffer(t *testing.T) {
	t.Parallel()
	c := newTestCursors(uuid.MustParse("0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1b"))
	seen := map[string]bool{}
	for range 1000 {
		raw, err := base64.RawURLEncoding.DecodeString(c.checkpoint(7))
		if err != nil || len(raw) != 24 {
			t.Fatalf("%d bytes, %v", len(raw), err)
		}
		for at := 8; at+8 <= len(raw); at++ {
			if part := string(raw[at : at+8]); seen[part] {
				t.Fatalf("a checkpoint shares %x with another", part)
			} else {
				seen[part] = true
			}
		}
	}
}

func TestFeed_SealsIDs(t *testing.T) {
	b := setup(t)
	feed := b.idleNode().feed
	for _, id := range []int64{1, 42, math.MaxInt64} {
		sealed := feed.SealID(id)
		if got, ok := feed.OpenID(sealed); !ok || got != id {
			t.Errorf("%d is opened as %d, %v", id, got, ok)
		}
		sealed[3] ^= 1
		if _, ok := feed.OpenID(sealed); ok {
			t.Error("a changed one is opened")
		}
	}
}

func TestCursor_DecodesToThePositionItWasEncodedFrom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		epoch := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "epoch"))
		p := Position(rapid.Int64Min(0).Draw(t, "position"))
		c := newTestCursors(epoch)
		if back, err := c.decode(c.encode(p)); err != nil || back != p {
			t.Fatalf("%d was decoded as %d, %v", p, back, err)
		}
		p >>= 16
		if back, err := c.decode(c.checkpoint(p)); err != nil || back != p {
			t.Fatalf("the checkpoint %d was decoded as %d, %v", p, back, err)
		}
	})
}

func FuzzCursor_InvalidInputIsAnErrorAndNeverAPanic(f *testing.F) {
	epoch := uuid.MustParse("0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1b")
	c := newTestCursors(epoch)
	good := c.encode(42)
	f.Add(c.checkpoint(42))
	for _, seed := range []string{
		"", "x", good, good[:31], good + "A", good[:20] + "!" + good[21:], "é", "\x00", good + "=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		p, err := c.decode(cursor)
		known := problem.Is(err, problem.InvalidCursor) || errors.Is(err, errForeign)
		if err == nil && p < 0 || err != nil && !known {
			t.Fatalf("%q: %d, %v", cursor, p, err)
		}
	})
}

func TestFeed_InvalidAndExpiredCursorsHaveDifferentCodes(t *testing.T) {
	b := setup(t)
	n := b.idleNode()
	b.commit(newItems(3)...)
	n.drain()
	good := n.feed.Cursor(2)
	for name, c := range map[string]struct {
		cursor string
		code   problem.Code
	}{
		"empty":         {"", problem.InvalidCursor},
		"garbage":       {"no cursor at all!", problem.InvalidCursor},
		"truncated":     {good[:len(good)-4], problem.InvalidCursor},
		"too long":      {good + "AAAA", problem.InvalidCursor},
		"padded":        {good + "=", problem.InvalidCursor},
		"standard text": {base64.StdEncoding.EncodeToString(make([]byte, 23)), problem.InvalidCursor},
		"negative":      {n.feed.cursors.encode(-1), problem.InvalidCursor},
		"ahead":         {n.feed.Cursor(4), problem.InvalidCursor},
		"far ahead":     {n.feed.Cursor(math.MaxInt64), problem.InvalidCursor},
		"other epoch":   {newTestCursors(uuid.New()).encode(2), problem.CursorExpired},
	} {
		if p, err := n.feed.ParseCursor(b.ctx, c.cursor); !problem.Is(err, c.code) {
			t.Errorf("%s: want %s, got %d, %v", name, c.code, p, err)
		}
	}
	_, err := n.feed.ParseCursor(b.ctx, newTestCursors(uuid.New()).encode(2))
	checkExpired(t, n, err, 0)
	for p := range Position(4) {
		if got, err := n.feed.ParseCursor(b.ctx, n.feed.Cursor(p)); err != nil || got != p {
			t.Errorf("cursor of %d: %d, %v", p, got, err)
		}
	}
}

func TestFeed_CursorOfANodeThatIsAheadIsValid(t *testing.T) {
	b := setup(t)
	behind, ahead := b.idleNode(), b.idleNode()
	b.commit(newItems(3)...)
	ahead.drain()
	p, err := behind.feed.ParseCursor(b.ctx, ahead.feed.Cursor(3))
	if err != nil || p != 3 {
		t.Fatalf("%d, %v", p, err)
	}
	if changes, err := behind.feed.Read(b.ctx, p, 10); err != nil || len(changes) > 0 {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
}
