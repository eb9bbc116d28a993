package page_test

import (
	"encoding/base64"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"itemcast/internal/page"
	"itemcast/internal/problem"
	"itemcast/openapi"
)

var at = time.Date(2026, 1, 31, 12, 0, 0, 123456000, time.UTC)

func TestToken_ReturnsItsKey(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	for _, text := range []string{
		"", "a", "ß 😀", strings.Repeat("漢", 213), strings.Repeat("<", 640), strings.Repeat("<", 641),
		strings.Repeat("漢", 500), strings.Repeat("😀", 500), strings.Repeat("a", 1<<20),
	} {
		var (
			gotID   uuid.UUID
			gotTime time.Time
			gotText page.Text
			gotInt  int64
		)
		token := page.Token("things", id, at, text, int64(1<<62))
		if err := page.Read(token, "things", &gotID, &gotTime, &gotText, &gotInt); err != nil {
			t.Fatal(err)
		}
		if gotID != id || !gotTime.Equal(at) || !gotText.Is(text) || gotInt != 1<<62 {
			t.Errorf("%.20s: got %v %v %+v %d", text, gotID, gotTime, gotText, gotInt)
		}
		if gotText.IsLong() != (len(text) > 640) || !gotText.IsLong() && gotText.Whole != text {
			t.Errorf("%.20s: got %+v", text, gotText)
		}
		if gotText.Is(text+"x") || gotText.Is("x"+text) {
			t.Errorf("%.20s: another text is taken for it", text)
		}
		if len(token) > page.MaxLength {
			t.Errorf("%.20s: a token has %d characters", text, len(token))
		}
	}
}

// FuzzToken: any text makes a token that the contract takes, and that names its text and no other.
func FuzzToken(f *testing.F) {
	f.Add("items -name", "Metropolis", int64(7))
	f.Add("items name", strings.Repeat("<", 2000), int64(1))
	f.Fuzz(func(t *testing.T, list, text string, n int64) {
		if len(list) > 60 || n <= 0 || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			t.Skip()
		}
		token := page.Token(list, text, uuid.Max, at, n)
		if len(token) > page.MaxLength {
			t.Fatalf("%d characters", len(token))
		}
		var got page.Text
		var id uuid.UUID
		var when time.Time
		var number int64
		if err := page.Read(token, list, &got, &id, &when, &number); err != nil || !got.Is(text) || number != n {
			t.Errorf("got %+v, %d, %v", got, number, err)
		}
	})
}

func TestMaxLength_IsThatOfTheContract(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(must(fs.ReadFile(openapi.Files, "core.json")))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"After", "Before"} {
		limit := document.Components.Parameters[name].Value.Schema.Value.MaxLength
		if limit == nil || *limit != page.MaxLength {
			t.Errorf("%s takes %v characters, want %d", name, limit, page.MaxLength)
		}
	}
}

func must(raw []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return raw
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
		"a text that is too long": raw("\x06things\x82\x05" + strings.Repeat("a", 642) + "\x00\x00\x00\x00\x00\x00\x00\x01"),
		"a digest cut off":        raw("\x06things\x81\x05aaaa"),
		"a length without end":    raw("\x06things\xff\xff\xff"), "U+0000": page.Token("things", "a\x00", at),
		"not UTF-8":      page.Token("things", "\xff", at),
		"the year 0":     page.Token("things", "a", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)),
		"the year 10000": page.Token("things", "a", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)),
	} {
		var text page.Text
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
