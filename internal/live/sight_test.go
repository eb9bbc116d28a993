package live

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item"
)

// token returns a context with an access token that shows the items that match a filter.
func (b *bundle) token(filter item.Filter) context.Context {
	b.t.Helper()
	raw, err := json.Marshal(filter)
	if err != nil {
		b.t.Fatal(err)
	}
	actor := b.actor()
	actor.Token = &account.Token{ID: uuid.New(), Name: "test", Filter: string(raw)}
	return account.WithActor(b.t.Context(), actor)
}

func (b *bundle) subscribeAs(ctx context.Context, after string, filter *item.Filter) *Subscription {
	b.t.Helper()
	s, err := b.hub.Subscribe(ctx, after, filter, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bundle) get(id uuid.UUID) []byte {
	b.t.Helper()
	document, err := b.items.Get(b.ctx, id)
	if err != nil {
		b.t.Fatal(err)
	}
	return document.Bytes
}

var rare = item.Filter{Tags: []string{"rare"}}

func TestSubscription_OfATokenShowsItsItemsOnly(t *testing.T) {
	b := setup(t)
	s := b.subscribeAs(b.token(rare), "", nil)
	b.create(`{"name":"hidden"}`)
	id := b.create(`{"name":"secret","tags":["other"]}`)    // 1
	b.patch(id, `{"tags":["rare"],"name":"shown"}`)         // 2
	b.patch(id, `{"name":"shown again"}`)                   // 3
	last := b.get(id)                                       //
	b.patch(id, `{"tags":["other"],"name":"secret again"}`) // 4
	b.patch(id, `{"name":"still secret"}`)                  // 5
	b.patch(id, `{"tags":["rare"]}`)                        // 6
	if err := b.items.Delete(b.ctx, id, nil); err != nil {  // 7
		t.Fatal(err)
	}
	gone := b.create(`{"name":"n","tags":["rare"]}`)         // 1
	b.patch(gone, `{"tags":[]}`)                             // 2
	if err := b.items.Delete(b.ctx, gone, nil); err != nil { // 3: out of sight
		t.Fatal(err)
	}
	b.create(`{"name":"end","tags":["rare"]}`)
	if entered := b.expect(s, Entered, 2); len(entered.ChangedFields) > 0 {
		t.Errorf("ENTERED has the fields %v", entered.ChangedFields)
	}
	b.expect(s, "UPDATED", 3)
	if left := b.expect(s, Left, 4); !bytes.Equal(left.Document, last) {
		t.Errorf("LEFT has %s, want the last document that matched, %s", left.Document, last)
	}
	b.expect(s, Entered, 6)
	b.expect(s, "DELETED", 7)
	b.expect(s, "CREATED", 1)
	b.expect(s, Left, 2)
	b.expect(s, "CREATED", 1)
}

func TestSubscription_OfATokenAppliesAFilterToWhatTheTokenShows(t *testing.T) {
	b := setup(t)
	s := b.subscribeAs(b.token(rare), "", &item.Filter{Types: []item.ItemType{"audio"}})
	id := b.create(`{"name":"n","type":"audio"}`)      // 1
	b.patch(id, `{"tags":["rare"]}`)                   // 2: enters
	b.patch(id, `{"type":"video"}`)                    // 3: leaves the filter
	b.patch(id, `{"tags":[]}`)                         // 4
	b.patch(id, `{"type":"audio"}`)                    // 5
	b.patch(id, `{"tags":["rare"],"type":"video"}`)    // 6
	b.patch(id, `{"type":"audio"}`)                    // 7: enters the filter
	b.patch(id, `{"type":"video","tags":["nothing"]}`) // 8: leaves both
	b.expect(s, Entered, 2)
	if left := b.expect(s, Left, 3); !bytes.Contains(left.Document, []byte(`"revision":3}`)) {
		t.Errorf("LEFT of the filter has %s", left.Document)
	}
	b.expect(s, Entered, 7)
	if left := b.expect(s, Left, 8); !bytes.Contains(left.Document, []byte(`"revision":7}`)) {
		t.Errorf("LEFT out of sight has %s", left.Document)
	}
}

// Ids, changed fields and cursors that a client knows from elsewhere show it no more.
func TestSubscription_OfATokenByIDsAndCursorsOfOthers(t *testing.T) {
	b := setup(t)
	wide := b.subscribe("", nil)
	id := b.create(`{"name":"hidden"}`)
	b.patch(id, `{"name":"still hidden"}`)
	cursor := b.expect(wide, "CREATED", 1).Cursor
	s := b.subscribeAs(b.token(rare), cursor, nil)
	s.Only([]uuid.UUID{id}, []string{"name", "tags"})
	b.patch(id, `{"tags":["rare"]}`)
	b.expect(s, Entered, 3)
}

func TestSubscription_RenewAppliesATokensNewFilter(t *testing.T) {
	b := setup(t)
	s := b.subscribeAs(b.token(rare), "", nil)
	one := b.create(`{"name":"one","tags":["rare"]}`)
	b.expect(s, "CREATED", 1)
	b.create(`{"name":"two","tags":["rare"]}`)
	if err := s.Renew(b.token(item.Filter{Tags: []string{"other"}})); err != nil {
		t.Fatal(err)
	}
	b.patch(one, `{"name":"still rare"}`)
	b.create(`{"name":"three","tags":["other"]}`)
	if event := b.expect(s, "CREATED", 1); !bytes.Contains(event.Document, []byte(`"three"`)) {
		t.Errorf("got %s", event.Document)
	}
}

// An import may raise an item's revision by more than one. LEFT still has the document as GET returned it.
func TestSubscription_LeftHasTheDocumentThatGETReturned(t *testing.T) {
	b := setup(t)
	s := b.subscribeAs(b.token(rare), "", nil)
	id := b.create(`{"name":"n","tags":["rare"]}`)
	last := b.get(id)
	line := fmt.Sprintf(`{"id":%q,"name":"n","tags":["other"],"revision":7}`, id)
	if _, err := b.items.Import(b.ctx, bytes.NewBufferString(line), item.ImportOptions{KeepTimes: true}); err != nil {
		t.Fatal(err)
	}
	b.expect(s, "CREATED", 1)
	if left := b.expect(s, Left, 8); !bytes.Equal(left.Document, last) {
		t.Errorf("LEFT has %s, want %s", left.Document, last)
	}
}

// Tokens with equal rights share a stream; others do not.
func TestStream_IsSharedByTokensWithEqualFilters(t *testing.T) {
	b := setup(t)
	source := b.source("one", nil)
	var all []*Follower
	for _, filter := range []item.Filter{rare, rare, {Tags: []string{"other"}}, {}} {
		f, err := b.hub.Follow(b.token(filter), source.Source, "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.Close)
		all = append(all, f)
	}
	if _, streams, _ := b.hub.count(); streams != 3 || source.opened.Load() != 3 {
		t.Errorf("%d streams, opened %d times", streams, source.opened.Load())
	}
	b.create(`{"name":"hidden","tags":["other"]}`)
	b.create(`{"name":"n","tags":["rare"]}`)
	for _, f := range all[:3] {
		if got := bodies(b.take(f, 1)); got != "CREATED 1" {
			t.Errorf("got %s", got)
		}
	}
}

// For random writes, any token's filter and any filter: an event comes for exactly those changes of which the matchers
// say so, and the client's copy of the matching items is right after each.
func TestSubscription_OfATokenAgreesWithItsModel(t *testing.T) {
	b := setup(t)
	random := rand.New(rand.NewPCG(11, 12))
	filters := []item.Filter{rare, {Types: []item.ItemType{"audio"}}, {Search: "metropolis"}, {Tags: []string{"rare", "x"}, Search: "metropolis"}, {}}
	patches := []string{`{"tags":["rare"]}`, `{"tags":[]}`, `{"tags":["x"]}`, `{"type":"audio"}`, `{"type":"video"}`, `{"name":"metropolis"}`, `{"name":"n"}`,
		`{"tags":["rare"],"name":"metropolis","type":"audio"}`, `{"producer":"p"}`, `{"producer":null}`}
	start := b.hub.Present()
	var ids []uuid.UUID
	for range 6 {
		ids = append(ids, b.create(`{"name":"n"}`))
	}
	for range 150 {
		n := random.IntN(len(ids))
		b.patch(ids[n], patches[random.IntN(len(patches))])
		if random.IntN(20) == 0 {
			if err := b.items.Delete(b.ctx, ids[n], nil); err != nil {
				t.Fatal(err)
			}
			ids[n] = b.create(`{"name":"n","tags":["rare"]}`)
		}
	}
	final := b.create(`{"name":"metropolis","type":"audio","tags":["rare"]}`)
	for _, narrow := range filters {
		for _, filter := range filters {
			matches := func(document []byte) bool {
				i, err := item.Decode(document)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range []item.Filter{narrow, filter} {
					m, err := item.NewMatcher(b.ctx, b.pool, b.account, f)
					if err != nil {
						t.Fatal(err)
					}
					if !m.Match(i) {
						return false
					}
				}
				return true
			}
			s, whole := b.subscribeAs(b.token(narrow), start, &filter), b.subscribe(start, nil)
			current, copies := map[uuid.UUID][]byte{}, map[uuid.UUID][]byte{}
			event, err := next(b.ctx, s)
			for ended := false; !ended && err == nil; {
				c, wholeErr := next(b.ctx, whole)
				if wholeErr != nil {
					t.Fatal(wholeErr)
				}
				i, _ := item.Decode(c.Document)
				ended = i.ID == final
				before := current[i.ID]
				current[i.ID] = c.Document
				if c.Kind == "DELETED" {
					delete(current, i.ID)
				}
				was, is := before != nil && matches(before), matches(c.Document)
				if !was && !is {
					continue
				}
				if event.Cursor != c.Cursor {
					t.Fatalf("%+v %+v: no event for %s of revision %d: %s", narrow, filter, c.Kind, c.Revision, c.Document)
				}
				seen, _ := item.Decode(event.Document)
				switch event.Kind {
				case Left, "DELETED":
					delete(copies, seen.ID)
				default:
					copies[seen.ID] = event.Document
				}
				for id, document := range current {
					if got := copies[id]; matches(document) && !bytes.Equal(got, document) || !matches(document) && got != nil {
						t.Fatalf("%+v %+v: after %s of revision %d the client has %s of %s", narrow, filter, event.Kind, event.Revision, got, document)
					}
				}
				if !ended {
					event, err = next(b.ctx, s)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
