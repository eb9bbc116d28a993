package page_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/page"
	"itemcast/internal/problem"
)

var at = time.Date(2026, 1, 31, 12, 0, 0, 123456000, time.UTC)

func TestToken_ReturnsItsKey(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	for _, text := range []string{"", "a", "ß 😀", strings.Repeat("漢", 500)} {
		var (
			gotID   uuid.UUID
			gotTime time.Time
			gotText string
			gotInt  int64
		)
		token := page.Token("things", id, at, text, int64(1<<62))
		if err := page.Read(token, "things", &gotID, &gotTime, &gotText, &gotInt); err != nil {
			t.Fatal(err)
		}
		if gotID != id || !gotTime.Equal(at) || gotText != text || gotInt != 1<<62 {
			t.Errorf("got %v %v %q %d", gotID, gotTime, gotText, gotInt)
		}
		if len(token) > 4000 {
			t.Errorf("a token has %d characters; the contract allows 4,000", len(token))
		}
	}
}

func TestRead_RefusesTokensThatAreNotOfTheList(t *testing.T) {
	t.Parallel()
	good := page.Token("things", "name", at)
	raw := func(bytes string) string { return base64.RawURLEncoding.EncodeToString([]byte(bytes)) }
	for name, token := range map[string]string{
		"empty": "", "not base64": "!!", "padded": good + "=", "cut": good[:len(good)-4], "longer": good + "AAAA",
		"another case": strings.ToUpper(good), "of another list": page.Token("others", "name", at),
		"of another key":          page.Token("things", at, "name"),
		"a length beyond the end": raw("\x06things\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
		"a length without end":    raw("\x06things\xff\xff\xff"), "U+0000": page.Token("things", "a\x00", at),
		"not UTF-8":      page.Token("things", "\xff", at),
		"the year 0":     page.Token("things", "a", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)),
		"the year 10000": page.Token("things", "a", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)),
	} {
		var text string
		var when time.Time
		if err := page.Read(token, "things", &text, &when); !problem.Is(err, problem.InvalidPageToken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, n := range []int64{0, -1} {
		var got int64
		if err := page.Read(page.Token("things", n), "things", &got); !problem.Is(err, problem.InvalidPageToken) {
			t.Errorf("%d: got %v", n, err)
		}
	}
}

func TestCut_ReturnsOnePage(t *testing.T) {
	t.Parallel()
	token := func(row int) string { return page.Token("things", int64(row)) }
	if rows, next := page.Cut([]int{1, 2, 3}, 2, token); !slices.Equal(rows, []int{1, 2}) || next != token(2) {
		t.Errorf("got %v %q", rows, next)
	}
	if rows, next := page.Cut([]int{1, 2}, 2, token); len(rows) != 2 || next != "" {
		t.Errorf("got %v %q", rows, next)
	}
}
