package item

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/page"
	"itemcast/internal/problem"
)

// longNames are longer than what a page token holds, and share all of that. Lower case is longer than upper case in
// some of them.
func longName(n int) string {
	return strings.Repeat([]string{"漢", "😀", "<Ⱥ"}[n%3], 245) + strconv.Itoa(n)
}

// Between pages, items are renamed, deleted and created at random: above all the one that the page token names. Each
// item that stays as it was comes exactly once, in order.
func TestList_ByLongNamesNeitherRepeatsNorOmits(t *testing.T) {
	b := setup(t)
	random := rand.New(rand.NewPCG(5, 6))
	for round := range 12 {
		names := map[uuid.UUID]string{} // of the items that stay as they were
		for n := range 30 {
			i := b.create(encoded(t, object{"name": longName(n)}))
			names[i.ID] = i.Name
		}
		paging := Paging{Sort: []Sort{ByName, ByNameDesc}[round%2], Limit: 1 + random.IntN(4), Backward: round%4 > 1}
		var seen []uuid.UUID
		for {
			listed, err := b.items.List(b.ctx, Filter{}, paging)
			must(t, err)
			ids := make([]uuid.UUID, len(listed.Items))
			for n, i := range listed.Items {
				ids[n] = i.ID
				if length := len(i.PageToken()); length > page.MaxLength {
					t.Fatalf("a page token has %d characters", length)
				}
			}
			more, last := listed.HasNext, len(ids)-1
			if paging.Backward {
				slices.Reverse(ids)
				more, last = listed.HasPrevious, 0
			}
			seen = append(seen, ids...)
			if !more {
				break
			}
			token := listed.Items[last].PageToken()
			paging.After, paging.Before = token, ""
			if paging.Backward {
				paging.After, paging.Before = "", token
			}
			b.disturb(random, names, listed.Items[last].ID)
		}
		if paging.Backward {
			slices.Reverse(seen)
		}
		b.wantEachOnce(paging.Sort, seen, names)
		b.exec("DELETE FROM item")
	}
}

// disturb renames or deletes the item of a page token, sometimes twice, and any other item, and creates one.
func (b *bundle) disturb(random *rand.Rand, names map[uuid.UUID]string, last uuid.UUID) {
	b.t.Helper()
	ids := []uuid.UUID{last}
	for id := range names {
		ids = append(ids, id)
		break
	}
	for _, id := range ids {
		if _, unchanged := names[id]; !unchanged {
			continue
		}
		switch random.IntN(4) {
		case 0: // it stays
			continue
		case 1:
			must(b.t, b.items.Delete(b.ctx, id, nil))
		case 2:
			b.patch(id, encoded(b.t, object{"name": longName(random.IntN(90)) + "!"}))
			must(b.t, b.items.Delete(b.ctx, id, nil))
		case 3:
			b.patch(id, encoded(b.t, object{"name": longName(random.IntN(90)) + "!"}))
			b.patch(id, `{"name":"short"}`)
		}
		delete(names, id)
	}
	b.create(encoded(b.t, object{"name": longName(random.IntN(90)) + "?"}))
}

func (b *bundle) wantEachOnce(sort Sort, seen []uuid.UUID, names map[uuid.UUID]string) {
	b.t.Helper()
	var got, want []string
	for _, id := range seen {
		if name, ok := names[id]; ok {
			got = append(got, strings.ToLower(name))
		}
	}
	for _, name := range names {
		want = append(want, strings.ToLower(name))
	}
	slices.SortFunc(want, compareNames)
	if sort == ByNameDesc {
		slices.Reverse(want)
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("%s: the pages have %d of %d items, or in another order", sort, len(got), len(want))
	}
}

// Without a trace of the name, any place would be a guess.
func TestList_RefusesAPageTokenWhoseNameTheLogHasDropped(t *testing.T) {
	b := setup(t)
	b.create(encoded(t, object{"name": longName(1)}))
	b.create(encoded(t, object{"name": longName(2)}))
	listed, err := b.items.List(b.ctx, Filter{}, Paging{Sort: ByName, Limit: 1})
	must(t, err)
	b.patch(listed.Items[0].ID, `{"name":"a"}`)
	paging := Paging{Sort: ByName, Limit: 1, After: listed.Items[0].PageToken()}
	if _, err := b.items.List(b.ctx, Filter{}, paging); err != nil {
		t.Errorf("after a change of the name: %v", err)
	}
	b.exec("DELETE FROM item_change")
	if _, err := b.items.List(b.ctx, Filter{}, paging); !problem.Is(err, problem.InvalidPageToken) {
		t.Errorf("after the log has dropped it: got %v", err)
	}
}
