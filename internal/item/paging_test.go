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

	"itemcast/internal/problem"
)

var sorts = []Sort{ByCreated, ByCreatedDesc, ByUpdated, ByUpdatedDesc, ByName, ByNameDesc}

// alike fills the account with items of which many have equal sort keys.
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
			order = strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
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

func TestList_PagesForwardsAndBackwardsAreTheSortedWhole(t *testing.T) {
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

// walk reads all pages in a direction, checks what they say of their neighbours, and returns the ids in the list's order.
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
			paging.Before = page.Items[0].Cursor()
		} else {
			all = append(all, ids...)
			paging.After = page.Items[len(ids)-1].Cursor()
		}
		if behind == first {
			b.t.Errorf("%+v: what lies behind the page is told wrong", paging)
		}
		if !more {
			return all
		}
	}
}

func TestList_PassesOverNothingWhenItemsGoBetweenPages(t *testing.T) {
	b := setup(t)
	all := sorted(b.alike(10), ByName)
	page, err := b.items.List(b.ctx, Filter{}, Paging{Sort: ByName, Limit: 5})
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []uuid.UUID{all[4], all[0]} { // the cursor's own item too
		if err := b.items.Delete(b.ctx, gone, nil); err != nil {
			t.Fatal(err)
		}
	}
	rest, err := b.items.List(b.ctx, Filter{}, Paging{Sort: ByName, Limit: 5, After: page.Items[4].Cursor()})
	if err != nil {
		t.Fatal(err)
	}
	if len(rest.Items) != 5 || rest.Items[0].ID != all[5] || rest.HasNext {
		t.Errorf("the second page has %d items, and next is %v", len(rest.Items), rest.HasNext)
	}
}

func TestList_RefusesCursorsThatAreNotItsOwn(t *testing.T) {
	b := setup(t)
	b.alike(2)
	for _, sort := range sorts {
		page, err := b.items.List(b.ctx, Filter{}, Paging{Sort: sort, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range sorts {
			_, err := b.items.List(b.ctx, Filter{}, Paging{Sort: other, Limit: 1, After: page.Items[0].Cursor()})
			if refused := problem.Is(err, problem.InvalidCursor); refused != (other != sort) {
				t.Errorf("a cursor of %s with %s: %v", sort, other, err)
			}
		}
	}
	for _, cursor := range []string{"x", "!", "e30", "eyJzIjoiLWNyZWF0ZWRfYXQifQ", strings.Repeat("A", 5000)} {
		for _, paging := range []Paging{{Limit: 1, After: cursor}, {Limit: 1, Before: cursor}} {
			if _, err := b.items.List(b.ctx, Filter{}, paging); !problem.Is(err, problem.InvalidCursor) {
				t.Errorf("%q: got %v", cursor, err)
			}
		}
	}
}
