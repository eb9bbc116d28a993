package dispatch

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/item"
)

// film is an item that the tests change.
type film struct{ item.Item }

func newFilm() *film {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return &film{item.Item{ID: uuid.New(), Name: "Metropolis", Type: "video", Privacy: "public",
		Tags: []string{"silent"}, Metadata: json.RawMessage(`{"year":1927}`),
		ClientData: json.RawMessage(`{}`), CreatedAt: now, UpdatedAt: now}}
}

// change records a change of the film; previous has the old values of the changed fields.
func (b *bundle) change(n *node, f *film, kind change.Kind, previous string) {
	b.T.Helper()
	document, err := item.Encode(&f.Item)
	if err != nil {
		b.T.Fatal(err)
	}
	c := change.Change{ItemID: f.ID, Kind: kind, Trigger: change.TriggerWrite, Document: document}
	if previous != "" {
		var before map[string]json.RawMessage
		if err := json.Unmarshal([]byte(previous), &before); err != nil {
			b.T.Fatal(err)
		}
		for name := range before {
			c.ChangedFields = append(c.ChangedFields, name)
		}
		c.Previous = json.RawMessage(previous)
	}
	b.record(n, c)
}

func TestFilter_PassesItemsThatMatchEachCriterion(t *testing.T) {
	b := setup(t)
	b.Exec("INSERT INTO metadata_field (id, account_id, key, label, kind) VALUES (gen_random_uuid(), $1, 'year', 'Year', 'number')", b.Account)
	n := b.idleNode(Config{})
	earlier, later := time.Now().Add(-time.Hour).Format(time.RFC3339), time.Now().Add(time.Hour).Format(time.RFC3339)
	type criterion struct{ passes, fails string }
	receivers := map[string]*hooktest.Receiver{}
	for name, c := range map[string]criterion{
		"tags":            {`{"tags":["sound","silent"]}`, `{"tags":["sound"]}`},
		"type":            {`{"type":["video","audio"]}`, `{"type":["audio"]}`},
		"privacy":         {`{"privacy":["public"]}`, `{"privacy":["private","unlisted"]}`},
		"metadata":        {`{"metadata":{"year":"1927"}}`, `{"metadata":{"year":"1928"}}`},
		"search":          {`{"search":"metropolis silent"}`, `{"search":"metropolis -silent"}`},
		"created after":   {`{"created_after":"` + earlier + `"}`, `{"created_after":"` + later + `"}`},
		"created before":  {`{"created_before":"` + later + `"}`, `{"created_before":"` + earlier + `"}`},
		"updated after":   {`{"updated_after":"` + earlier + `"}`, `{"updated_after":"` + later + `"}`},
		"workflow status": {`{}`, `{"workflow_status":["running"]}`},
		"all":             {`{"tags":["silent"],"type":["video"],"search":"metropolis"}`, `{"tags":["silent"],"type":["video"],"search":"nosferatu"}`},
	} {
		for passes, filter := range map[bool]string{true: c.passes, false: c.fails} {
			r := b.Receiver(nil)
			b.HookOf(map[string]any{"url": r.URL, "events": hooktest.AllEvents, "filter": json.RawMessage(filter)})
			receivers[fmt.Sprint(name, ", ", passes)] = r
		}
	}
	b.run(n)
	f := newFilm()
	b.change(n, f, change.Created, "")
	f.Description = "by Fritz Lang"
	b.change(n, f, change.Updated, `{"description":""}`)
	b.change(n, f, change.Triggered, "")
	b.change(n, f, change.Deleted, "")
	for name, r := range receivers {
		if strings.HasSuffix(name, "true") {
			r.AwaitCount(4)
		}
	}
	n.stop()
	for name, r := range receivers {
		want := ""
		if strings.HasSuffix(name, "true") {
			want = "created1 updated2 triggered2 deleted3"
		}
		if got := r.Events(); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestFilter_PassesAnUpdateAfterWhichAnItemStartsOrStopsToMatch(t *testing.T) {
	b := setup(t)
	tagged, searched, all := b.Receiver(nil), b.Receiver(nil), b.Receiver(nil)
	b.HookOf(map[string]any{"url": tagged.URL, "events": hooktest.AllEvents,
		"filter": map[string]any{"tags": []string{"sound"}}})
	b.HookOf(map[string]any{"url": searched.URL, "events": hooktest.AllEvents,
		"filter": map[string]any{"search": "nosferatu"}})
	b.HookOf(map[string]any{"url": all.URL, "events": hooktest.AllEvents})
	n := b.node(Config{})
	f := newFilm()
	b.change(n, f, change.Created, "")
	f.Description = "nothing of it matches, before or after"
	b.change(n, f, change.Updated, `{"description":""}`)
	f.Tags, f.Name = []string{"sound"}, "Nosferatu"
	b.change(n, f, change.Updated, `{"tags":["silent"],"name":"Metropolis"}`) // starts to match
	f.Description = "x"
	b.change(n, f, change.Updated, `{"description":"y"}`) // still matches
	f.Tags, f.Name = []string{}, "Metropolis"
	b.change(n, f, change.Updated, `{"tags":["sound"],"name":"Nosferatu"}`) // stops to match
	f.Description = "z"
	b.change(n, f, change.Updated, `{"description":"x"}`)
	b.change(n, f, change.Deleted, "")
	all.AwaitCount(7)
	tagged.AwaitCount(3)
	searched.AwaitCount(3)
	n.stop()
	for name, r := range map[string]*hooktest.Receiver{"tags": tagged, "search": searched} {
		if got := r.Events(); got != "updated3 updated4 updated5" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// Such a document is a fault of this program or of the database. It must not stop what follows it in the log.
func TestFilter_AnItemThatCannotBeDecodedStopsNoHook(t *testing.T) {
	b := setup(t)
	filtered, all := b.Receiver(nil), b.Receiver(nil)
	b.HookOf(map[string]any{"url": filtered.URL, "events": hooktest.AllEvents, "filter": map[string]any{"tags": []string{"silent"}}})
	b.HookOf(map[string]any{"url": all.URL, "events": hooktest.AllEvents})
	n := b.node(Config{})
	b.record(n, change.Change{ItemID: uuid.New(), Kind: change.Created, Trigger: change.TriggerWrite,
		Document: []byte(`{"name":"broken","created_at":"10000-01-01T09:59:59.000000Z","tags":["silent"]}`)})
	b.change(n, newFilm(), change.Created, "")
	filtered.AwaitCount(1)
	all.AwaitCount(2)
}

func TestChangedFields_SelectUpdates(t *testing.T) {
	b := setup(t)
	r, all := b.Receiver(nil), b.Receiver(nil)
	b.HookOf(map[string]any{"url": r.URL, "events": hooktest.AllEvents, "changed_fields": []string{"name", "tags"}})
	b.HookOf(map[string]any{"url": all.URL, "events": hooktest.AllEvents})
	n := b.node(Config{})
	f := newFilm()
	b.change(n, f, change.Created, "")
	b.change(n, f, change.Updated, `{"description":"","duration":1}`)
	b.change(n, f, change.Updated, `{"description":"","tags":[]}`)
	b.change(n, f, change.Updated, `{"name":"x"}`)
	b.change(n, f, change.Triggered, "")
	b.change(n, f, change.Deleted, "")
	all.AwaitCount(6)
	r.AwaitCount(5)
	n.stop()
	if got := r.Events(); got != "created1 updated3 updated4 triggered4 deleted5" {
		t.Errorf("got %q", got)
	}
}

func TestFilter_OnADeletedFieldMakesTheHookInactiveWithTheReason(t *testing.T) {
	b := setup(t)
	b.Exec("INSERT INTO metadata_field (id, account_id, key, label, kind) VALUES (gen_random_uuid(), $1, 'year', 'Year', 'number')", b.Account)
	r, other := b.Receiver(nil), b.Receiver(nil)
	h, _ := b.HookOf(map[string]any{"url": r.URL, "events": hooktest.AllEvents,
		"filter": map[string]any{"metadata": map[string]string{"year": "1927"}}})
	b.HookOf(map[string]any{"url": other.URL, "events": hooktest.AllEvents})
	b.Exec("DELETE FROM metadata_field")
	n := b.node(Config{})
	b.change(n, newFilm(), change.Created, "")
	other.AwaitCount(1) // the filter of one hook does not affect another
	b.Eventually("it is inactive", func() bool { return !b.Get(h).Active })
	if got := b.Get(h); got.DisabledReason == nil || !strings.Contains(*got.DisabledReason, "metadata.year") {
		t.Errorf("the reason is %v", got.DisabledReason)
	}
	if len(b.States(h)) != 0 || r.Events() != "" {
		t.Errorf("%v, got %q", b.States(h), r.Events())
	}
	if got := b.Patch(h, `{"filter":null,"active":true}`); !got.Active || got.DisabledReason != nil {
		t.Errorf("made active again: %+v", got)
	}
	b.change(n, newFilm(), change.Created, "")
	r.AwaitCount(1)
	if got := b.Get(h).Settings; got.Filter != nil || !slices.Equal(got.Events, hooktest.AllEvents) {
		t.Errorf("the settings are %+v", got)
	}
}
