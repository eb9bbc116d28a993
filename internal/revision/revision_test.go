package revision_test

import (
	"strings"
	"testing"

	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

func TestIfMatch_HoldsForTheNamedRevisionsOnly(t *testing.T) {
	t.Parallel()
	for header, holds := range map[string]bool{
		`"2"`: true, `*`: true, ` "1" , "2"`: true, `"1", W/"1", "2"`: true,
		`"1"`: false, `W/"2"`: false, `"x"`: false, `""`: false, `"2x"`: false, `"2.3"`: true, `"1.2"`: false, `"2.x"`: false, `"99999999999999999999999"`: false,
	} {
		c, err := revision.IfMatch(&header)
		if err != nil {
			t.Errorf("%s: %v", header, err)
			continue
		}
		err = c.Check(2)
		if holds && err != nil || !holds && !problem.Is(err, problem.RevisionMismatch) {
			t.Errorf("%s: got %v", header, err)
		}
		if !holds && problem.Of(err).Revision != 2 {
			t.Errorf("%s: the error has revision %d, want the current one", header, problem.Of(err).Revision)
		}
	}
	if c, err := revision.IfMatch(nil); err != nil || c.Check(7) != nil {
		t.Error("a request without If-Match has a condition")
	}
}

func TestIfMatch_RefusesMalformedETags(t *testing.T) {
	t.Parallel()
	for _, header := range []string{`1`, `"2`, `,`, `W/2`, `"2",`, `'2'`} {
		if _, err := revision.IfMatch(&header); !problem.Is(err, problem.InvalidInput) {
			t.Errorf("%s: got %v", header, err)
		}
	}
}

func TestCheck_ExplainsAWeakETag(t *testing.T) {
	t.Parallel()
	for header, strong := range map[string]bool{`W/"2"`: true, `"1", W/"2"`: true, `W/"1"`: false, `"1"`: false} {
		c, err := revision.IfMatch(&header)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(2); strings.Contains(err.Error(), "strong ETag") != strong {
			t.Errorf("%s: got %v", header, err)
		}
	}
}

func TestIfNoneMatch_ComparesWeakly(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		`"4"`: true, `W/"4"`: true, `*`: true, `"1", "4"`: true, `"3"`: false, `4`: false,
	} {
		if got := revision.IfNoneMatch(&header, `"4"`); got != want {
			t.Errorf("%s: got %v", header, got)
		}
	}
	if revision.IfNoneMatch(nil, `"4"`) {
		t.Error("a request without If-None-Match matches")
	}
}
