package bench

import (
	"encoding/json"
	"testing"
	"time"
)

func TestEditDocument_ChangesNameRevisionAndTimeOnly(t *testing.T) {
	t.Parallel()
	const document = `{"id":"0198","url":"http://x/0198","name":"Keynote","description":"\"name\"","tags":["revision"],` +
		`"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","published_at":null,"revision":9}`
	at := time.Date(2026, 2, 3, 4, 5, 6, 789_000, time.UTC)
	edited, err := editDocument([]byte(document), "Change 1", 10, at)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"0198","url":"http://x/0198","name":"Change 1","description":"\"name\"","tags":["revision"],` +
		`"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-02-03T04:05:06.000789Z","published_at":null,"revision":10}`
	if string(edited) != want || !json.Valid(edited) {
		t.Errorf("the document is\n%s\ninstead of\n%s", edited, want)
	}
}

func TestEditDocument_FailsOnAnotherFormat(t *testing.T) {
	t.Parallel()
	if edited, err := editDocument([]byte(`{"title":"Keynote"}`), "Change 1", 2, time.Now()); err == nil {
		t.Errorf("the document is %s", edited)
	}
}
