package item

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"itemcast/internal/search"
)

// Until an item of an earlier version has been rendered again, it is found by the words that Postgres made.
func TestSearch_FindsItemsOfAnEarlierVersionMeanwhile(t *testing.T) {
	b := setup(t)
	b.create(`{"name":"Löwenthal at www.example.com"}`)
	b.create(`{"name":"Berlin, a city"}`)
	b.exec("UPDATE item SET document_version = 0, search = to_tsvector('simple', name)")
	want := func(found map[string]int64) {
		t.Helper()
		for search, n := range found {
			if got, err := b.items.Count(b.ctx, Filter{Search: search}); err != nil || got != n {
				t.Errorf("%s: found %d, %v, want %d", search, got, err, n)
			}
		}
	}
	want(map[string]int64{"löwenthal": 1, "www.example.com": 1, "berlin -city": 0, "berlin -town": 1, "lowenthal": 0})
	for _, sort := range []Sort{ByCreated, ByName, ByRelevance} {
		page, err := b.items.List(b.ctx, Filter{Search: "berlin or löwenthal"}, Paging{Sort: sort, Limit: 5})
		if err != nil || len(page.Items) != 2 {
			t.Errorf("by %s: %d items, %v", sort, len(page.Items), err)
		}
		b.exec("UPDATE item SET document_version = 0, search = to_tsvector('simple', name)")
	}
	for range 2 { // the second time there are none
		_, err := b.items.renewAll(b.ctx)
		must(t, err)
	}
	want(map[string]int64{"lowenthal": 1, "example": 1, "löwenthal": 1, "berl": 1, "www.exam": 1, "berlin -city": 0})
}

// After a change of the public URL all items are of another version, but have the current words.
func TestSearch_FindsBeginningsInItemsOfAnotherVersionMeanwhile(t *testing.T) {
	b := setup(t)
	b.create(`{"name":"Löwenthal in Berlin"}`)
	b.exec("UPDATE item SET document_version = 0")
	for search, n := range map[string]int64{"berl": 1, "lowen": 1, "löwenthal": 1, "in -rome": 1, "berlin -in": 0, "rome": 0} {
		if got, err := b.items.Count(b.ctx, Filter{Search: search}); err != nil || got != n {
			t.Errorf("%s: found %d, %v, want %d", search, got, err, n)
		}
	}
}

// Postgres and the matcher agree about every text and every search, at their limits too.
func TestSearch_PostgresAndTheMatcherAgree(t *testing.T) {
	b := setup(t)
	part := rapid.SampledFrom([]string{"a", "b", "ab", "A", "ä", "東", "京", "ー", "2", ".", "-", " ", "  ", `"`, " or ", "'", "\\", ":",
		"<", "&", "!", "\u0301", "ก"})
	text := rapid.Custom(func(t *rapid.T) (text string) {
		for _, p := range rapid.SliceOfN(part, 0, 12).Draw(t, "parts") {
			text += p
		}
		return text
	})
	rapid.Check(t, func(t *rapid.T) {
		var x search.Index
		x.Add(search.Name, text.Draw(t, "name"))
		x.Add(search.Tag, text.Draw(t, "tag"))
		x.Add(search.Other, text.Draw(t, "description"))
		query := search.Parse(text.Draw(t, "search"))
		var found bool
		must(t, b.pool.QueryRow(b.ctx, "SELECT $1::text::tsvector @@ $2::text::tsquery", x.String(), query.String()).Scan(&found))
		if got := query.Match(&x); got != found {
			t.Fatalf("the matcher says %v, Postgres %v: %s in %s", got, found, query.String(), x.String())
		}
	})
}

// told receives each line of a log.
type told chan struct{}

func (t told) Write(line []byte) (int, error) {
	select {
	case t <- struct{}{}:
	default:
	}
	return len(line), nil
}

// A busy machine can let a batch time out. Searches find less until the rest is rendered.
func TestRenewal_ResumesSoonAfterAnError(t *testing.T) {
	b := setup(t)
	b.create(`{"name":"a"}`)
	b.exec("UPDATE item SET document_version = 0")
	b.exec("ALTER TABLE asset RENAME TO gone")
	warned := make(told, 1)
	b.items.log = slog.New(slog.NewTextHandler(warned, nil))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.items.RunRenewal(ctx) }()
	await := func() {
		t.Helper()
		select {
		case <-warned:
		case <-time.After(time.Minute):
			t.Fatal("the renewal tells nothing")
		}
	}
	await() // of the error
	b.exec("ALTER TABLE gone RENAME TO asset")
	for value[int](b, "SELECT count(*) FROM item WHERE document_version = 0") > 0 {
		await() // of another error, or of success
	}
	cancel()
	must(t, <-done)
}
