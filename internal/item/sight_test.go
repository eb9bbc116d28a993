package item

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/page"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

// token returns a context with a user's access token that has every permission, and shows the items that match a filter.
func (b *bundle) token(filter Filter) context.Context {
	b.t.Helper()
	return b.tokenOf(uuid.New(), filter)
}

func (b *bundle) tokenOf(user uuid.UUID, filter Filter) context.Context {
	b.t.Helper()
	return account.WithActor(b.t.Context(), account.Actor{AccountID: b.account, UserID: user, Permissions: account.All(),
		Token: &account.Token{ID: uuid.New(), Name: "test", Filter: encoded(b.t, filter)}})
}

// sequenced gives positions to all changes that were committed.
func (b *bundle) sequenced() {
	b.t.Helper()
	must(b.t, b.sequencer.Drain(b.t.Context()))
}

func TestSight_ItemsOutOfSightDoNotExist(t *testing.T) {
	b := setup(t)
	ctx := b.token(Filter{Tags: []string{"rare"}})
	shown := b.create(`{"name":"shown","tags":["rare","both"]}`)
	hidden := b.create(`{"name":"hidden","tags":["other","both"]}`)
	absent := uuid.New()
	for name, call := range map[string]func(id uuid.UUID) error{
		"get": func(id uuid.UUID) error { _, err := b.items.Get(ctx, id); return err },
		"replace": func(id uuid.UUID) error {
			_, err := b.items.Replace(ctx, id, []byte(`{"name":"n","tags":["rare"]}`), nil)
			return err
		},
		"patch": func(id uuid.UUID) error {
			_, err := b.items.Patch(ctx, id, []byte(`{"tags":["rare"]}`), nil)
			return err
		},
		"patch of another revision": func(id uuid.UUID) error {
			_, err := b.items.Patch(ctx, id, []byte(`{"name":"n"}`), revision.Is(7))
			return err
		},
		"invalid patch": func(id uuid.UUID) error {
			_, err := b.items.Patch(ctx, id, []byte(`{"name":7}`), nil)
			return err
		},
		"invalid replacement": func(id uuid.UUID) error {
			_, err := b.items.Replace(ctx, id, []byte(`{"name":7}`), nil)
			return err
		},
		"delete":                     func(id uuid.UUID) error { return b.items.Delete(ctx, id, nil) },
		"delete of another revision": func(id uuid.UUID) error { return b.items.Delete(ctx, id, revision.Is(7)) },
		"trigger": func(id uuid.UUID) error {
			return b.items.Hold(ctx, id, func(context.Context, pgx.Tx, Held) error { return nil })
		},
		"history": func(id uuid.UUID) error { _, _, err := b.items.History(ctx, id, 10, ""); return err },
		"history after a page token": func(id uuid.UUID) error {
			_, _, err := b.items.History(ctx, id, 10, b.items.HistoryToken(&change.Change{ID: 1 << 40}))
			return err
		},
	} {
		b.sequenced()
		got, want := call(hidden.ID), call(absent)
		if !problem.Is(got, problem.NotFound) || got.Error() != want.Error() {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got := b.patch(hidden.ID, `{}`); got.Revision != 1 {
		t.Errorf("the hidden item has revision %d", got.Revision)
	}
	documents, err := b.items.GetMany(ctx, []uuid.UUID{shown.ID, hidden.ID, absent})
	if err != nil || len(documents) != 1 || documents[shown.ID] == nil {
		t.Errorf("by ids: %d documents, %v", len(documents), err)
	}
	for _, f := range []Filter{{}, {Tags: []string{"both"}}, {Tags: []string{"both", "rare"}}, {Search: "both"}, {Search: "hidden or shown"}} {
		if got := b.listedBy(ctx, f, ByName, 1); len(got) != 1 || got[0].ID != shown.ID {
			t.Errorf("%+v lists %v", f, names(got))
		}
		if n, err := b.items.Count(ctx, f); err != nil || n != 1 {
			t.Errorf("%+v counts %d, %v", f, n, err)
		}
	}
	for _, f := range []Filter{{Search: "hidden"}, {Tags: []string{"other"}}, {Tags: []string{"rare"}, Search: "hidden"}} {
		if got := b.listedBy(ctx, f, ByRelevance, 1); len(got) != 0 {
			t.Errorf("%+v lists %v", f, names(got))
		}
		if n, err := b.items.Count(ctx, f); err != nil || n != 0 {
			t.Errorf("%+v counts %d, %v", f, n, err)
		}
	}
	tags, err := b.items.Tags(ctx)
	if err != nil || fmt.Sprint(tags) != "[{both 1} {rare 1}]" {
		t.Errorf("tags: %v, %v", tags, err)
	}
	var exported bytes.Buffer
	if err := b.items.Export(ctx, &exported, Filter{}, nil); err != nil || strings.Count(exported.String(), "\n") != 1 {
		t.Errorf("exported %s, %v", exported.String(), err)
	}
}

func TestSight_AWriteMayNotMoveAnItemOut(t *testing.T) {
	b := setup(t)
	b.field("year", "number")
	ctx := b.token(Filter{Tags: []string{"rare"}, Privacies: []Privacy{"private"}, Metadata: map[string]string{"year": "1927"}})
	in := `{"name":"n","tags":["rare"],"metadata":{"year":1927}}`
	made, err := b.items.Create(ctx, []byte(in))
	must(t, err)
	i, before := b.decode(made.Bytes), b.changes()
	for name, write := range map[string]func() error{
		"create": func() error { _, err := b.items.Create(ctx, []byte(`{"name":"n"}`)); return err },
		"tags":   func() error { _, err := b.items.Patch(ctx, i.ID, []byte(`{"tags":["other"]}`), nil); return err },
		"no tags": func() error {
			_, err := b.items.Replace(ctx, i.ID, []byte(`{"name":"n","metadata":{"year":1927}}`), nil)
			return err
		},
		"privacy": func() error { _, err := b.items.Patch(ctx, i.ID, []byte(`{"privacy":"public"}`), nil); return err },
		"metadata": func() error {
			_, err := b.items.Patch(ctx, i.ID, []byte(`{"metadata":{"year":null}}`), nil)
			return err
		},
	} {
		err := write()
		if !problem.Is(err, problem.Forbidden) || !strings.Contains(err.Error(), "filter") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	actor, _ := account.ActorFrom(ctx)
	actor.Permissions = without(account.ItemsPublish)
	_, err = b.items.Patch(account.WithActor(t.Context(), actor), i.ID, []byte(`{"privacy":"public"}`), nil)
	if !problem.Is(err, problem.Forbidden) || !strings.Contains(err.Error(), "The access token, or the role of its user, lacks") {
		t.Errorf("without items.publish: %v", err)
	}
	if got, err := b.items.Get(ctx, i.ID); err != nil || !bytes.Equal(got.Bytes, made.Bytes) || b.changes() != before {
		t.Errorf("a refused write changed the item: %s, %v", got.Bytes, err)
	}
	if _, err := b.items.Patch(ctx, i.ID, []byte(`{"name":"other","tags":["rare","more"]}`), nil); err != nil {
		t.Error(err)
	}
	if err := b.items.Delete(ctx, i.ID, nil); err != nil {
		t.Error(err)
	}
}

func TestSight_AnImportCreatesAndChangesWhatMatchesOnly(t *testing.T) {
	b := setup(t)
	ctx := b.token(Filter{Tags: []string{"rare"}})
	shown := b.create(`{"name":"shown","tags":["rare"]}`)
	hidden := b.create(`{"name":"hidden"}`)
	gone := b.create(`{"name":"gone"}`)
	must(t, b.items.Delete(b.ctx, gone.ID, nil))
	other := uuid.New()
	b.addAccount(other)
	foreign, err := b.items.Create(account.WithActor(t.Context(), account.Actor{AccountID: other, Permissions: account.All()}), []byte(`{"name":"n"}`))
	must(t, err)
	b.sequenced()
	line := func(id uuid.UUID, rest string) string { return fmt.Sprintf(`{"id":%q,"name":"imported"%s}`, id, rest) }
	report := b.importLines(ctx, strings.Join([]string{
		line(shown.ID, `,"tags":["rare"]`), line(shown.ID, ``), line(hidden.ID, `,"tags":["rare"]`), line(b.decode(foreign.Bytes).ID, `,"tags":["rare"]`),
		line(gone.ID, `,"tags":["rare"]`), `{"name":"new","tags":["rare"]}`, `{"name":"new"}`,
	}, "\n"), ImportOptions{})
	if report.Updated != 1 || report.Created != 1 || report.Rejected != 5 {
		t.Fatalf("got %+v", report)
	}
	errs := map[int64]string{}
	for _, e := range report.Errors {
		errs[e.Line] = fmt.Sprint(e.Error.Code, e.Error.Detail, e.Error.Faults)
	}
	if errs[3] != errs[4] || errs[5] != errs[4] {
		t.Errorf("the ids of a hidden, a foreign and a deleted item are told apart: %v", errs)
	}
	if !strings.Contains(errs[2], "FORBIDDEN") || errs[2] != errs[7] {
		t.Errorf("got %v", errs)
	}
	if got := b.patch(hidden.ID, `{}`); got.Name != "hidden" {
		t.Errorf("the hidden item is %s", got.Name)
	}
}

func TestSight_ImportKeysBelongToTheToken(t *testing.T) {
	b := setup(t)
	user := uuid.New()
	wide, narrow := b.tokenOf(user, Filter{}), b.tokenOf(user, Filter{Tags: []string{"rare"}})
	lines := `{"name":"a"}` + "\n" + `{"name":"b","tags":["rare"]}`
	b.importLines(wide, lines, ImportOptions{Key: "k"})
	report := b.importLines(narrow, lines, ImportOptions{Key: "k"})
	if report.ResumedAfter != 0 || report.Rejected != 1 || report.Created != 1 {
		t.Errorf("another token's import is told of: %+v", report)
	}
	if report := b.importLines(narrow, lines, ImportOptions{Key: "k"}); report.ResumedAfter != 2 {
		t.Errorf("its own is forgotten: %+v", report)
	}
}

func TestSight_AHistoryHasWhatMatchedOnly(t *testing.T) {
	b := setup(t)
	ctx := b.token(Filter{Tags: []string{"rare"}})
	i := b.create(`{"name":"secret"}`) // 1
	b.patch(i.ID, `{"tags":["rare"],"name":"public"}`)
	b.patch(i.ID, `{"producer":"p"}`) // 3
	b.patch(i.ID, `{"tags":[],"name":"secret again"}`)
	b.patch(i.ID, `{"tags":["rare"],"name":"public again"}`) // 5
	b.sequenced()
	history := func() (revisions []int64, err error) {
		after := ""
		for {
			changes, next, err := b.items.History(ctx, i.ID, 1, after)
			if err != nil {
				return nil, err
			}
			if len(changes) == 0 {
				t.Error("a page is empty")
			}
			for _, c := range changes {
				revisions = append(revisions, c.Revision)
				if entered := c.Revision == 2 || c.Revision == 5; entered && len(c.ChangedFields) > 0 {
					t.Errorf("revision %d, the first in sight, has the changed fields %v", c.Revision, c.ChangedFields)
				}
				if bytes.Contains(c.Document, []byte("secret")) {
					t.Errorf("shows %s", c.Document)
				}
			}
			if after = next; after == "" {
				return revisions, nil
			}
		}
	}
	if got, err := history(); err != nil || !slices.Equal(got, []int64{5, 3, 2}) {
		t.Errorf("got %v, %v", got, err)
	}
	b.patch(i.ID, `{"tags":["other"]}`) // 6
	b.sequenced()
	if _, err := history(); !problem.Is(err, problem.NotFound) {
		t.Errorf("of an item that left: %v", err)
	}
	must(t, b.items.Delete(b.ctx, i.ID, nil))
	b.sequenced()
	if _, err := history(); !problem.Is(err, problem.NotFound) {
		t.Errorf("of an item that was deleted out of sight: %v", err)
	}
	i = b.create(`{"name":"n","tags":["rare"]}`)
	must(t, b.items.Delete(b.ctx, i.ID, nil))
	b.sequenced()
	if got, err := history(); err != nil || !slices.Equal(got, []int64{2, 1}) {
		t.Errorf("of an item that was deleted in sight: %v, %v", got, err)
	}
}

// A page token is no secret: anybody can make one that asks whether an item has a name.
func TestSight_APageTokenTellsNothingOfAHiddenName(t *testing.T) {
	b := setup(t)
	ctx := b.token(Filter{Tags: []string{"rare"}})
	hidden := b.create(encoded(t, object{"name": longName(1)}))
	left := b.create(encoded(t, object{"name": longName(2), "tags": []string{"rare"}}))
	asked := func(id uuid.UUID, name string) error {
		_, err := b.items.List(ctx, Filter{}, Paging{Sort: ByName, Limit: 5, After: page.Token("items name", strings.ToLower(name), id)})
		return err
	}
	right, wrong := asked(hidden.ID, longName(1)), asked(hidden.ID, longName(4))
	if !problem.Is(right, problem.InvalidPageToken) || fmt.Sprint(right) != fmt.Sprint(wrong) {
		t.Errorf("a right guess gets %v, a wrong one %v", right, wrong)
	}
	// A client that pages on is not disturbed by an item that left, or was renamed.
	b.patch(left.ID, `{"name":"short"}`)
	b.sequenced()
	if err := asked(left.ID, longName(2)); err != nil {
		t.Error(err)
	}
	b.patch(left.ID, encoded(t, object{"name": longName(5), "tags": []string{}}))
	b.patch(left.ID, `{"name":"short again"}`)
	b.sequenced()
	if err := asked(left.ID, longName(2)); err != nil {
		t.Error(err)
	}
	if err := asked(left.ID, longName(5)); !problem.Is(err, problem.InvalidPageToken) {
		t.Errorf("a name that it had out of sight: %v", err)
	}
}

func TestSight_AFilterWithoutItsFieldShowsNothing(t *testing.T) {
	b := setup(t)
	field := b.field("year", "number")
	i := b.create(`{"name":"n","metadata":{"year":1927}}`)
	ctx := b.token(Filter{Metadata: map[string]string{"year": "1927"}})
	if _, err := b.items.Get(ctx, i.ID); err != nil {
		t.Fatal(err)
	}
	must(t, b.items.DeleteField(b.ctx, field.ID, nil))
	b.items.sights.filters.Purge() // as after a second
	_, err := b.items.Get(ctx, i.ID)
	if !problem.Is(err, problem.Forbidden) || !strings.Contains(err.Error(), "year") {
		t.Errorf("got %v", err)
	}
	if _, err := b.items.List(ctx, Filter{}, Paging{Limit: 5}); !problem.Is(err, problem.Forbidden) {
		t.Errorf("got %v", err)
	}
}

// listedBy is listed for another actor.
func (b *bundle) listedBy(ctx context.Context, filter Filter, sort Sort, limit int) []*Item {
	b.t.Helper()
	other := *b
	other.ctx = ctx
	return other.listed(filter, sort, limit)
}

// For any token's filter and any filter of a list, each exit shows exactly the items that both matchers match.
func TestSight_EachExitShowsWhatTheMatcherSays(t *testing.T) {
	b := setup(t)
	all := b.shelf(60)
	sorts := []Sort{ByCreated, ByCreatedDesc, ByUpdated, ByName, ByNameDesc, ByRelevance}
	rapid.Check(t, func(t *rapid.T) {
		narrow, f := anyFilter().Draw(t, "token"), anyFilter().Draw(t, "filter")
		ctx := b.token(narrow)
		token, err := NewMatcher(b.ctx, b.pool, b.account, narrow)
		must(t, err)
		list, err := NewMatcher(b.ctx, b.pool, b.account, f)
		must(t, err)
		want, tags := map[uuid.UUID]bool{}, map[string]int64{}
		for _, i := range all {
			if token.Match(i) && list.Match(i) {
				want[i.ID] = true
			}
			if token.Match(i) {
				for _, tag := range i.Tags {
					tags[tag]++
				}
			}
			_, err := b.items.Get(ctx, i.ID)
			if got := err == nil; got != token.Match(i) || err != nil && !problem.Is(err, problem.NotFound) {
				t.Fatalf("GET of %s: %v", mustJSON(t, i), err)
			}
		}
		sort, limit := rapid.SampledFrom(sorts).Draw(t, "sort"), rapid.IntRange(1, 70).Draw(t, "limit")
		got := map[uuid.UUID]bool{}
		for _, i := range b.listedBy(ctx, f, sort, limit) {
			got[i.ID] = true
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("the list has %v, want %v", got, want)
		}
		if n, err := b.items.Count(ctx, f); err != nil || n != int64(len(want)) {
			t.Fatalf("the count is %d, want %d, %v", n, len(want), err)
		}
		shown, err := b.items.Tags(ctx)
		must(t, err)
		counted := map[string]int64{}
		for _, tag := range shown {
			counted[tag.Name] = tag.Items
		}
		if fmt.Sprint(counted) != fmt.Sprint(tags) {
			t.Fatalf("tags are %v, want %v", counted, tags)
		}
		var exported bytes.Buffer
		must(t, b.items.Export(ctx, &exported, f, nil))
		if n := bytes.Count(exported.Bytes(), []byte("\n")); n != len(want) {
			t.Fatalf("exports %d, want %d", n, len(want))
		}
	})
}

// After any writes by a token and by others, each exit shows exactly what the matcher says of each revision.
func TestSight_AgreesWithItsModelUnderWrites(t *testing.T) {
	b := setup(t)
	random := rand.New(rand.NewPCG(7, 8))
	inputs := []string{`{"tags":["rare"]}`, `{"tags":[]}`, `{"type":"audio"}`, `{"type":"video"}`, `{"name":"metropolis"}`, `{"name":"n"}`,
		`{"tags":["rare","x"],"name":"metropolis live"}`, `{"producer":"p"}`, `{"producer":null}`}
	filters := []Filter{{Tags: []string{"rare"}}, {Types: []ItemType{"audio"}}, {Search: "metropolis"}, {Search: "metropolis", Tags: []string{"rare"}}, {}}
	type known struct {
		documents map[int64][]byte
		last      *Item // nil: deleted
	}
	model := map[uuid.UUID]*known{}
	note := func(document []byte) {
		i := b.decode(document)
		if model[i.ID] == nil {
			model[i.ID] = &known{documents: map[int64][]byte{}}
		}
		model[i.ID].last, model[i.ID].documents[i.Revision] = i, document
	}
	for range 12 {
		document, err := b.items.Create(b.ctx, []byte(`{"name":"n","tags":["rare"]}`))
		must(t, err)
		note(document.Bytes)
	}
	for step := range 200 {
		filter := filters[random.IntN(len(filters))]
		token, err := NewMatcher(b.ctx, b.pool, b.account, filter)
		must(t, err)
		ctx := b.token(filter)
		for id, k := range model {
			if k.last == nil {
				continue
			}
			patch := inputs[random.IntN(len(inputs))]
			after, err := b.items.Patch(ctx, id, []byte(patch), nil)
			wide := *k.last
			d, applyErr := applyPatch(&wide, []byte(patch), decodeInput)
			must(t, applyErr)
			wide.Name, wide.Tags, wide.Type = d.Name, d.Tags, d.Type
			switch {
			case !token.Match(k.last) && !problem.Is(err, problem.NotFound),
				token.Match(k.last) && !token.Match(&wide) && !problem.Is(err, problem.Forbidden),
				token.Match(k.last) && token.Match(&wide) && err != nil:
				t.Fatalf("step %d: %s by %+v of %s: %v", step, patch, filter, encoded(t, k.last), err)
			}
			if err != nil { // somebody else does it
				after, err = b.items.Patch(b.ctx, id, []byte(patch), nil)
				must(t, err)
			}
			note(after.Bytes)
			break
		}
	}
	b.sequenced()
	for _, filter := range filters {
		token, err := NewMatcher(b.ctx, b.pool, b.account, filter)
		must(t, err)
		ctx := b.token(filter)
		for id, k := range model {
			changes, _, err := b.items.History(ctx, id, 500, "")
			if !token.Match(k.last) {
				if !problem.Is(err, problem.NotFound) {
					t.Fatalf("history of a hidden item: %v", err)
				}
				continue
			}
			must(t, err)
			shown := map[int64]bool{}
			for _, c := range changes {
				shown[c.Revision] = true
			}
			for revision, document := range k.documents {
				if shown[revision] != token.Match(b.decode(document)) {
					t.Fatalf("by %+v, revision %d shown: %v, of %s", filter, revision, shown[revision], document)
				}
			}
		}
	}
}

// After an upgrade, items have the words of an earlier version until they are rendered again. Both searches, a token's and
// a list's, then compare those.
func TestSight_ASearchCountsStaleItems(t *testing.T) {
	b := setup(t)
	for _, name := range []string{"metropolis city", "metropolis", "city"} {
		b.create(encoded(t, object{"name": name}))
	}
	b.exec("UPDATE item SET document_version = 0, search = to_tsvector('simple', name)")
	for _, c := range []struct {
		token, search string
		want          int
	}{{"metropolis", "city", 1}, {"metropolis", "", 2}, {"", "city", 2}, {"metropolis", "nowhere", 0}, {"nowhere", "city", 0}} {
		ctx := b.token(Filter{Search: c.token})
		if n, err := b.items.Count(ctx, Filter{Search: c.search}); err != nil || int(n) != c.want {
			t.Errorf("%q in %q counts %d, want %d, %v", c.search, c.token, n, c.want, err)
		}
	}
	for _, sort := range []Sort{ByName, ByRelevance} {
		b.exec("UPDATE item SET document_version = 0, search = to_tsvector('simple', name)")
		if got := b.listedBy(b.token(Filter{Search: "metropolis"}), Filter{Search: "city"}, sort, 10); len(got) != 1 || got[0].Name != "metropolis city" {
			t.Errorf("by %s: %v", sort, names(got))
		}
	}
}

// A profile that hides items from the role of the token's user hides them from the token too, and the filter hides others.
func TestSight_AProfileAndAFilterHideTogether(t *testing.T) {
	b := setup(t)
	profile, role := uuid.New(), uuid.New()
	b.exec("INSERT INTO workflow_profile (id, account_id, name, role_ids) VALUES ($1, $2, 'news', $3)", profile, b.account, []uuid.UUID{uuid.New()})
	open := b.create(`{"name":"open","tags":["rare"]}`)
	for _, input := range []string{`{"name":"hidden by both"}`, `{"name":"hidden by its profile","tags":["rare"]}`} {
		i := b.create(input)
		b.exec("UPDATE item SET workflow_profile_id = $2, workflow_status = 'pending', document_version = 0 WHERE id = $1", i.ID, profile)
	}
	b.create(`{"name":"hidden by the filter"}`)
	ctx := b.token(Filter{Tags: []string{"rare"}})
	actor, _ := account.ActorFrom(ctx)
	actor.RoleID = role
	ctx = account.WithActor(t.Context(), actor)
	if got := b.listedBy(ctx, Filter{}, ByName, 10); len(got) != 1 || got[0].ID != open.ID {
		t.Errorf("lists %v", names(got))
	}
	if n, err := b.items.Count(ctx, Filter{}); err != nil || n != 1 {
		t.Errorf("counts %d, %v", n, err)
	}
	if tags, err := b.items.Tags(ctx); err != nil || fmt.Sprint(tags) != "[{rare 1}]" {
		t.Errorf("tags %v, %v", tags, err)
	}
}
