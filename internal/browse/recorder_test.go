package browse_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestRecorder_AStreamIsNotOpened(t *testing.T) {
	t.Parallel()
	s := setup(t, func(s *site) {
		s.respond = func(_ http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodHead {
				t.Error("a page opened a stream")
			}
		}
	})
	s.open("/api/t/events").status(http.StatusOK)
}

func TestRecorder_ADownloadWithoutEndIsBrokenOff(t *testing.T) {
	t.Parallel()
	lines := 0
	s := setup(t, func(s *site) {
		s.respond = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-ndjson")
			for lines = 1; ; lines++ {
				if _, err := fmt.Fprintf(w, "{\"line\":%d,\"text\":\"<é>\"}\n", lines); err != nil {
					panic(http.ErrAbortHandler)
				}
			}
		}
	})
	p := s.open("/api/t/things/export").status(http.StatusOK).has(`These are the first 65.5 kB`,
		`href="/api/t/things/export?format=json"`, `{&#34;line&#34;:1,&#34;text&#34;:&#34;&lt;é&gt;&#34;}`)
	if lines > 5000 || len(p.text) > 500_000 {
		t.Errorf("the handler wrote %d lines, and the page has %d bytes", lines, len(p.text))
	}
}

func TestRecorder_OfALargeAnswerThePageShowsTheBeginning(t *testing.T) {
	t.Parallel()
	body := `{"results":["` + strings.Repeat("é", 1_000_000) + `"]}`
	p := setup(t, answering(http.StatusOK, body)).open("/api/t/things").status(http.StatusOK).
		has(`These are the first 1.0 MB of 2.0 MB`)
	if got := p.body(); !strings.HasPrefix(body, got) || len(got) < 1_000_000 {
		t.Errorf("the page shows %d bytes", len(got))
	}
	setup(t, answering(http.StatusOK, "\xff\xfe")).open("/api/t/things").has(`This is not text.`)
}
