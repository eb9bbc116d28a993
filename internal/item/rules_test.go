package item

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

func TestPublish_ChangingPrivacyNeedsThePermission(t *testing.T) {
	b := setup(t)
	private, public := b.create(`{"name":"n"}`), b.create(`{"name":"n","privacy":"public"}`)
	if private.PublishedAt != nil || public.PublishedAt == nil || !public.PublishedAt.Equal(public.CreatedAt) {
		t.Errorf("published_at is %v and %v", private.PublishedAt, public.PublishedAt)
	}
	editor := b.as(without(account.ItemsPublish)...)
	for what, write := range map[string]func() (Document, error){
		"create": func() (Document, error) { return b.items.Create(editor, []byte(`{"name":"n","privacy":"unlisted"}`)) },
		"patch": func() (Document, error) {
			return b.items.Patch(editor, private.ID, []byte(`{"privacy":"public"}`), nil)
		},
		"unpublish": func() (Document, error) {
			return b.items.Patch(editor, public.ID, []byte(`{"privacy":"private"}`), nil)
		},
		"replace": func() (Document, error) { return b.items.Replace(editor, public.ID, []byte(`{"name":"n"}`), nil) },
	} {
		if _, err := write(); !problem.Is(err, problem.Forbidden) || !strings.Contains(err.Error(), "items.publish") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := b.items.Patch(editor, public.ID, []byte(`{"name":"other"}`), nil); err != nil {
		t.Errorf("an edit that does not change the privacy: %v", err)
	}
	listed := b.patch(public.ID, `{"privacy":"unlisted"}`)
	if !listed.PublishedAt.Equal(*public.PublishedAt) {
		t.Errorf("published_at moved from %v to %v, although it stayed published", public.PublishedAt, listed.PublishedAt)
	}
	if i := b.patch(public.ID, `{"privacy":"private"}`); i.PublishedAt != nil {
		t.Errorf("published_at of a private item is %v", i.PublishedAt)
	}
}

func TestAccounts_SeeNothingOfEachOther(t *testing.T) {
	b := setup(t)
	i := b.create(`{"name":"n"}`)
	other := uuid.New()
	b.addAccount(other)
	stranger := account.WithActor(t.Context(), account.Actor{AccountID: other, UserID: uuid.New(), Permissions: account.All()})
	for what, call := range map[string]func() error{
		"Get":    func() error { _, err := b.items.Get(stranger, i.ID); return err },
		"Patch":  func() error { _, err := b.items.Patch(stranger, i.ID, []byte(`{}`), nil); return err },
		"Delete": func() error { return b.items.Delete(stranger, i.ID, nil) },
		"Hold": func() error {
			return b.items.Hold(stranger, i.ID, func(context.Context, pgx.Tx, Held) error { return errors.New("it is held") })
		},
		"History": func() error { _, _, err := b.items.History(stranger, i.ID, 10, ""); return err },
	} {
		if err := call(); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	many, err := b.items.GetMany(stranger, []uuid.UUID{i.ID})
	if err != nil || len(many) != 0 {
		t.Errorf("GetMany: %v, %v", many, err)
	}
	page, err := b.items.List(stranger, Filter{}, Paging{Limit: 10})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("List: %v, %v", page, err)
	}
}

func TestAssets_KeepTheirIDByIDOrURL(t *testing.T) {
	b := setup(t)
	const one, two = `{"kind":"source","url":"https://a.example/1","content_type":"video/mp4"`, `{"kind":"source","url":"https://a.example/2","content_type":"video/mp4"`
	i := b.create(`{"name":"n","assets":[` + one + `},` + two + `}],"snapshots":[{"url":"https://a.example/1.jpg"}]}`)
	first, second, picture := i.Assets[0].ID, i.Assets[1].ID, i.Snapshots[0].ID
	assets := func(list string) []uuid.UUID {
		t.Helper()
		var out []uuid.UUID
		for _, a := range b.patch(i.ID, `{"assets":[`+list+`]}`).Assets {
			out = append(out, a.ID)
		}
		return out
	}
	if got := assets(two + `,"size":5},` + one + `}`); !slices.Equal(got, []uuid.UUID{second, first}) {
		t.Errorf("by URL: got %v, want %v and %v", got, second, first)
	}
	if got := assets(`{"id":"` + first.String() + `","kind":"source","url":"https://a.example/moved","content_type":"video/mp4"}`); got[0] != first {
		t.Errorf("by id: got %v, want %v", got, first)
	}
	got := assets(one + `},{"id":"` + first.String() + `","kind":"source","url":"https://a.example/moved","content_type":"video/mp4"}`)
	if got[1] != first || got[0] == first {
		t.Errorf("a new one before one with an id: got %v", got)
	}
	again := assets(`{"kind":"source","url":"https://a.example/moved","content_type":"video/mp4"},{"id":"` + first.String() +
		`","kind":"source","url":"https://a.example/moved","content_type":"video/mp4"}`)
	if again[1] != first || again[0] == first {
		t.Errorf("of two with one URL, the one with the id keeps it: got %v", again)
	}
	if p := b.patch(i.ID, `{"snapshots":[{"url":"https://a.example/0.jpg"},{"url":"https://a.example/1.jpg"}],"snapshot_id":"`+picture.String()+`"}`); p.Snapshots[1].ID != picture {
		t.Errorf("a snapshot's id changed: %v", p.Snapshots)
	}
}

func TestAssets_DuplicatesAndUnknownSnapshotsAreRefused(t *testing.T) {
	b := setup(t)
	id := uuid.NewString()
	_, err := b.items.Create(b.ctx, []byte(`{"name":"n","assets":[{"id":"`+id+`","kind":"source","url":"https://a.example/1","content_type":"video/mp4"},
		{"id":"`+id+`","kind":"audio","url":"https://a.example/2","content_type":"audio/mp4"}],
		"snapshots":[{"id":"`+id+`","url":"https://a.example/1"},{"id":"`+id+`","url":"https://a.example/2"}],"snapshot_id":"`+uuid.NewString()+`"}`))
	if at := faults(t, err, problem.RuleViolated); at != "#/assets/1/id must not occur twice\n#/snapshots/1/id must not occur twice\n#/snapshot_id must be the id of one of snapshots" {
		t.Errorf("got %s", at)
	}
	i := b.create(`{"name":"n","snapshots":[{"id":"` + id + `","url":"https://a.example/1"}],"snapshot_id":"` + id + `"}`)
	_, err = b.items.Patch(b.ctx, i.ID, []byte(`{"snapshots":[]}`), nil)
	faults(t, err, problem.RuleViolated)
}

func TestHold_HasTheLockedItemAndAnErrorRollsBack(t *testing.T) {
	b := setup(t)
	i := b.create(`{"name":"n"}`)
	failed := errors.New("it fails")
	record := func(fail error) error {
		return b.items.Hold(b.ctx, i.ID, func(ctx context.Context, tx pgx.Tx, held Held) error {
			if got, err := b.items.Get(b.ctx, i.ID); err != nil || !bytes.Equal(got.Bytes, held.Document) || held.ID != i.ID || held.Revision != 1 || held.At.IsZero() {
				t.Errorf("held %+v, %v", held, err)
			}
			err := change.Record(ctx, tx, change.Change{AccountID: b.account, ItemID: held.ID, Revision: held.Revision, Kind: change.Triggered,
				Trigger: change.TriggerManual, Document: held.Document, OccurredAt: held.At})
			return cmp.Or(err, fail)
		})
	}
	if err := record(failed); !errors.Is(err, failed) || b.changes() != 1 {
		t.Errorf("got %v, %d changes", err, b.changes())
	}
	if err := record(nil); err != nil || b.changes() != 2 {
		t.Errorf("got %v, %d changes", err, b.changes())
	}
}

// A node with another public URL renders stale documents wherever it reads them, without a revision or a change.
func TestRenewal_EveryReadRendersStaleDocuments(t *testing.T) {
	b := setup(t)
	b.fields()
	for what, read := range map[string]func(s *Service, id uuid.UUID) ([]byte, error){
		"Get": func(s *Service, id uuid.UUID) ([]byte, error) { d, err := s.Get(b.ctx, id); return d.Bytes, err },
		"GetMany": func(s *Service, id uuid.UUID) ([]byte, error) {
			d, err := s.GetMany(b.ctx, []uuid.UUID{id})
			return d[id], err
		},
		"List": func(s *Service, _ uuid.UUID) ([]byte, error) {
			p, err := s.List(b.ctx, Filter{}, Paging{Limit: 1})
			return p.Items[0].Document, err
		},
		"RunRenewal": func(s *Service, id uuid.UUID) ([]byte, error) {
			if n, err := s.renewAll(context.Background()); n == 0 || err != nil {
				return nil, err
			}
			return value[[]byte](b, "SELECT document FROM item WHERE id = $1", id), nil
		},
		"an edit that changes nothing": func(s *Service, id uuid.UUID) ([]byte, error) {
			d, err := s.Patch(b.ctx, id, []byte(`{}`), nil)
			return d.Bytes, err
		},
	} {
		i := b.create(`{"name":"n","metadata":{"number":1.5,"text":"<>"},"client_data":{"b":1,"a":2},"privacy":"public",
			"assets":[{"kind":"source","url":"https://a.example/1","content_type":"video/mp4"}],"snapshots":[{"url":"https://a.example/1"}]}`)
		before := value[[]byte](b, "SELECT document FROM item WHERE id = $1", i.ID)
		changes := b.changes()
		moved := b.service("https://" + strings.ReplaceAll(strings.ToLower(what), " ", "-") + ".example")
		got, err := read(moved, i.ID)
		if want := bytes.Replace(before, []byte(publicURL), []byte(moved.publicURL), 1); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\n got %s\nwant %s", what, err, got, want)
		}
		if b.changes() != changes {
			t.Errorf("%s recorded a change", what)
		}
	}
}

func TestRenewal_AStaleDocumentCanBeEditedAndDeleted(t *testing.T) {
	b := setup(t)
	i := b.create(`{"name":"n","tags":["a"]}`)
	moved := b.service("https://moved.example")
	document, err := moved.Patch(b.ctx, i.ID, []byte(`{"name":"other"}`), revision.Is(1))
	if err != nil || document.Revision != 2 || !bytes.Contains(document.Bytes, []byte("https://moved.example/api/v1/items/")) {
		t.Fatalf("%s, %v", document.Bytes, err)
	}
	if fields := value[[]string](b, "SELECT changed_fields FROM item_change WHERE revision = 2"); !slices.Equal(fields, []string{"name"}) {
		t.Errorf("changed_fields are %v: a new URL must not count", fields)
	}
	if err := b.items.Delete(b.ctx, i.ID, revision.Is(2)); err != nil {
		t.Fatal(err)
	}
	if last := value[[]byte](b, "SELECT document FROM item_change WHERE revision = 3"); !bytes.Contains(last, []byte(`"url":"`+publicURL)) {
		t.Errorf("the last document is stale: %s", last)
	}
}

// JSON can write a negative zero, and readers show it as "-0".
func TestDuration_HasNoNegativeZero(t *testing.T) {
	b := setup(t)
	i := b.create(`{"name":"n","duration":-0.0}`)
	for _, patch := range []string{`{"duration":-0}`, `{"duration":-0e5,"name":"m"}`} {
		b.patch(i.ID, patch)
		document, err := b.items.Get(b.ctx, i.ID)
		if must(t, err); !strings.Contains(string(document.Bytes), `"duration":0,`) {
			t.Errorf("%s: %s", patch, document.Bytes)
		}
	}
	if n := b.changes(); n != 2 { // the creation, and the name
		t.Errorf("%d changes", n)
	}
}

// A tag is blank by the same rule as a name. What an item has already may stay.
func TestTags_AreBlankAsNamesAre(t *testing.T) {
	b := setup(t)
	for _, blank := range []string{" ", "\u200b", "\ufeff", "\u2800", "\u3164", "\u00a0\u200d"} {
		_, err := b.items.Create(b.ctx, []byte(`{"name":"`+blank+`","tags":["a","`+blank+`"]}`))
		if got := faults(t, err, problem.RuleViolated); got != "#/name must not be blank\n#/tags must not hold a blank tag" {
			t.Errorf("%q: got %q", blank, got)
		}
	}
	i := b.create(`{"name":"n","tags":["a"]}`)
	i.Tags, i.Name = []string{"\u200b", "a"}, "\u2800" // as an earlier version stored it
	document, err := Encode(i)
	must(t, err)
	b.exec("UPDATE item SET name = $1, tags = $2, document = $3", i.Name, i.Tags, document)
	if got := b.patch(i.ID, `{"tags":["\u200b","b"],"description":"d"}`); !slices.Equal(got.Tags, []string{"b", "\u200b"}) {
		t.Errorf("tags %q", got.Tags)
	}
	_, err = b.items.Patch(b.ctx, i.ID, []byte(`{"name":"\u200b","tags":["\u2800"]}`), nil)
	if got := faults(t, err, problem.RuleViolated); got != "#/name must not be blank\n#/tags must not hold a blank tag" {
		t.Errorf("got %q", got)
	}
}
