package item

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"itemcast/internal/db"
	"itemcast/internal/problem"
)

var sorts = []Sort{ByCreated, ByCreatedDesc, ByUpdated, ByUpdatedDesc, ByName, ByNameDesc}

// alike fills the account with items, many of which have equal sort keys.
func (b *bundle) alike(n int) []*Item {
	b.t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	for range n {
		i := b.create(encoded(b.t, object{"name": []string{"a", "A", "b", "ß", "Ü", "ü", "z 😀", "_"}[random.IntN(8)]}))
		b.exec("UPDATE item SET created_at = $2, updated_at = $3, document_version = 0 WHERE id = $1", i.ID,
			epoch.Add(time.Duration(random.IntN(4))*time.Microsecond), epoch.Add(time.Duration(random.IntN(4))*time.Second))
	}
	return b.listed(Filter{}, ByCreated, 200)
}

// compareNames compares as ICU's root collation does, and texts that are equal there by their bytes.
func compareNames(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return cmp.Or(collate.New(language.Und).CompareString(a, b), strings.Compare(a, b))
}

func sorted(items []*Item, sort Sort) []uuid.UUID {
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b *Item) int {
		var order int
		switch sort.key() {
		case ByCreated:
			order = a.CreatedAt.Compare(b.CreatedAt)
		case ByUpdated:
			order = a.UpdatedAt.Compare(b.UpdatedAt)
		case ByName:
			order = compareNames(a.Name, b.Name)
		}
		order = cmp.Or(order, bytes.Compare(a.ID[:], b.ID[:]))
		if strings.HasPrefix(string(sort), "-") {
			return -order
		}
		return order
	})
	out := make([]uuid.UUID, len(items))
	for n, i := range items {
		out[n] = i.ID
	}
	return out
}

func TestList_PagesInBothDirectionsMakeTheWholeSortedList(t *testing.T) {
	b := setup(t)
	all := b.alike(37)
	for _, sort := range sorts {
		want := sorted(all, sort)
		for _, limit := range []int{1, 2, 5, 36, 37, 38} {
			if got := b.walk(Paging{Sort: sort, Limit: limit}); !slices.Equal(got, want) {
				t.Errorf("%s by %d forwards: got %d of %d, or in another order", sort, limit, len(got), len(want))
			}
			if got := b.walk(Paging{Sort: sort, Limit: limit, Backward: true}); !slices.Equal(got, want) {
				t.Errorf("%s by %d backwards: got %d of %d, or in another order", sort, limit, len(got), len(want))
			}
		}
	}
}

// walk reads all pages in one direction, checks HasNext and HasPrevious, and returns the ids in the list's order.
func (b *bundle) walk(paging Paging) (all []uuid.UUID) {
	b.t.Helper()
	for first := true; ; first = false {
		page, err := b.items.List(b.ctx, Filter{}, paging)
		if err != nil {
			b.t.Fatal(err)
		}
		var ids []uuid.UUID
		for _, i := range page.Items {
			ids = append(ids, i.ID)
		}
		more, behind := page.HasNext, page.HasPrevious
		if paging.Backward {
			more, behind = behind, more
			all = append(ids, all...)
			paging.Before = page.Items[0].PageToken()
		} else {
			all = append(all, ids...)
			paging.After = page.Items[len(ids)-1].PageToken()
		}
		if behind == first {
			b.t.Errorf("%+v: the page is wrong about the page before it", paging)
		}
		if !more {
			return all
		}
	}
}

func TestList_SkipsNothingWhenItemsAreDeletedBetweenPages(t *testing.T) {
	b := setup(t)
	all := sorted(b.alike(10), ByName)
	page, err := b.items.List(b.ctx, Filter{}, Paging{Sort: ByName, Limit: 5})
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []uuid.UUID{all[4], all[0]} { // including the item of the page token
		if err := b.items.Delete(b.ctx, gone, nil); err != nil {
			t.Fatal(err)
		}
	}
	rest, err := b.items.List(b.ctx, Filter{}, Paging{Sort: ByName, Limit: 5, After: page.Items[4].PageToken()})
	if err != nil {
		t.Fatal(err)
	}
	if len(rest.Items) != 5 || rest.Items[0].ID != all[5] || rest.HasNext {
		t.Errorf("the second page has %d items, and next is %v", len(rest.Items), rest.HasNext)
	}
}

func TestList_RefusesPageTokensOfOtherLists(t *testing.T) {
	b := setup(t)
	b.alike(2)
	for _, sort := range sorts {
		page, err := b.items.List(b.ctx, Filter{}, Paging{Sort: sort, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range sorts {
			_, err := b.items.List(b.ctx, Filter{}, Paging{Sort: other, Limit: 1, After: page.Items[0].PageToken()})
			if refused := problem.Is(err, problem.InvalidPageToken); refused != (other != sort) {
				t.Errorf("a page token of %s with %s: %v", sort, other, err)
			}
		}
	}
	for _, cursor := range []string{"x", "!", "e30", "eyJzIjoiLWNyZWF0ZWRfYXQifQ", strings.Repeat("A", 5000)} {
		for _, paging := range []Paging{{Limit: 1, After: cursor}, {Limit: 1, Before: cursor}} {
			if _, err := b.items.List(b.ctx, Filter{}, paging); !problem.Is(err, problem.InvalidPageToken) {
				t.Errorf("%q: got %v", cursor, err)
			}
		}
	}
}

// A page has the end of the log in its own snapshot. The feed does not run in this test, so it cannot be the source.
func TestList_HasTheEndOfTheLogInItsSnapshot(t *testing.T) {
	b := setup(t)
	sequenced := func() int {
		t.Helper()
		must(t, b.sequencer.Drain(b.ctx))
		return b.changes()
	}
	expect := func(what string, want int) {
		t.Helper()
		for _, sort := range []Sort{"", ByCreated, ByUpdated, ByNameDesc} {
			for _, paging := range []Paging{{Sort: sort, Limit: 2}, {Sort: sort, Limit: 2, Backward: true}} {
				for _, filter := range []Filter{{}, {Tags: []string{"red"}}, {Tags: []string{"no item's"}}} {
					page, err := b.items.List(b.ctx, filter, paging)
					must(t, err)
					got, err := b.feed.ParseCursor(b.ctx, page.ChangeCursor)
					must(t, err)
					if int(got) != want {
						t.Errorf("%s, %+v, %+v: the cursor is at %d, want %d", what, filter, paging, got, want)
					}
				}
			}
		}
	}
	expect("no items, no changes", 0)
	b.create(`{"name":"a","tags":["red"]}`)
	expect("a change that has no position yet", 0)
	expect("one that has", sequenced())
	for range 3 {
		b.create(`{"name":"b","tags":["red"]}`)
	}
	expect("more items than a page", sequenced())
	ctx, open, err := db.Begin(b.ctx, b.pool, 0)
	must(t, err)
	defer open.Rollback()
	_, err = b.items.Create(ctx, []byte(`{"name":"c"}`))
	must(t, err)
	b.create(`{"name":"d"}`)
	expect("a transaction left open, and a change after it", sequenced())
}

// The statements read one row more than the largest page. A larger request gets the largest page, and HasNext.
func TestList_LimitsThePageAndReportsTheNext(t *testing.T) {
	b := setup(t)
	b.exec(`INSERT INTO item (id, account_id, name, description, type, privacy, tags, metadata, client_data, created_at, updated_at, revision, document, document_version)
		SELECT gen_random_uuid(), $1, 'item', '', 'video', 'private', '{}', '{}', '{}', now(), now(), 1, '{}', $2 FROM generate_series(1, $3::int)`,
		b.account, b.items.version, maxLimit+2)
	for _, sort := range []Sort{ByCreated, ByCreatedDesc, ByName} {
		page, err := b.items.List(b.ctx, Filter{}, Paging{Sort: sort, Limit: 2 * maxLimit})
		must(t, err)
		if len(page.Items) != maxLimit || !page.HasNext {
			t.Fatalf("%s: %d items, more: %v", sort, len(page.Items), page.HasNext)
		}
		page, err = b.items.List(b.ctx, Filter{}, Paging{Sort: sort, Limit: 2 * maxLimit, After: page.Items[maxLimit-1].PageToken()})
		must(t, err)
		if len(page.Items) != 2 || page.HasNext {
			t.Errorf("%s: then %d items, more: %v", sort, len(page.Items), page.HasNext)
		}
	}
}
