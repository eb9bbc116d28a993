package change

import (
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"itemcast/internal/problem"
)

func TestCursor_DecodesToThePositionItWasEncodedFrom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		epoch := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "epoch"))
		p := Position(rapid.Int64Min(0).Draw(t, "position"))
		if back, err := decodeCursor(epoch, encodeCursor(epoch, p)); err != nil || back != p {
			t.Fatalf("%d was decoded as %d, %v", p, back, err)
		}
	})
}

func FuzzCursor_InvalidInputIsAnErrorAndNeverAPanic(f *testing.F) {
	epoch := uuid.MustParse("0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1b")
	good := encodeCursor(epoch, 42)
	for _, seed := range []string{
		"", "x", good, good[:31], good + "A", good[:20] + "!" + good[21:], "é", "\x00", good + "=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		p, err := decodeCursor(epoch, cursor)
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
		"negative":      {encodeCursor(n.feed.epoch, -1), problem.InvalidCursor},
		"ahead":         {n.feed.Cursor(4), problem.InvalidCursor},
		"far ahead":     {n.feed.Cursor(math.MaxInt64), problem.InvalidCursor},
		"other epoch":   {encodeCursor(uuid.New(), 2), problem.CursorExpired},
	} {
		if p, err := n.feed.ParseCursor(b.ctx, c.cursor); !problem.Is(err, c.code) {
			t.Errorf("%s: want %s, got %d, %v", name, c.code, p, err)
		}
	}
	_, err := n.feed.ParseCursor(b.ctx, encodeCursor(uuid.New(), 2))
	if oldest := n.feed.Cursor(0); !strings.HasSuffix(err.Error(), oldest) {
		t.Errorf("of another epoch: %v, want the oldest cursor %s", err, oldest)
	}
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
