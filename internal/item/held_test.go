package item

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

// heldAsset returns an asset whose file Itemcast holds, as package media adds it.
func heldAsset(kind AssetKind, name string) Asset {
	id := uuid.Must(uuid.NewV7())
	return Asset{ID: id, Kind: kind, URL: "/media/" + id.String() + "/" + name, ContentType: "video/mp4", Size: new(int64(7))}
}

func heldSnapshot(name string) Snapshot {
	id := uuid.Must(uuid.NewV7())
	return Snapshot{ID: id, URL: "/media/" + id.String() + "/" + name}
}

func (b *bundle) changeMedia(id uuid.UUID, m Media) *Item {
	b.t.Helper()
	document, err := b.items.ChangeMedia(b.ctx, id, func(context.Context, pgx.Tx, Held) (Media, error) { return m, nil })
	if err != nil {
		b.t.Fatalf("change the media: %v", err)
	}
	return b.decode(document.Bytes)
}

// files remembers the ids whose files an item no longer has.
type files struct{ dropped []uuid.UUID }

func (f *files) Drop(_ context.Context, _ pgx.Tx, _ uuid.UUID, assets ...uuid.UUID) error {
	f.dropped = append(f.dropped, assets...)
	return nil
}

const external = `{"kind":"subtitle","url":"https://a.example/1.vtt","content_type":"text/vtt"}`

func urls(i *Item) (all []string) {
	for _, a := range i.Assets {
		all = append(all, a.URL)
	}
	for _, p := range i.Snapshots {
		all = append(all, p.URL)
	}
	return all
}

func TestHeld_StayWhateverAWriteSends(t *testing.T) {
	b := setup(t)
	i := b.create(`{"name":"n","assets":[` + external + `],"snapshots":[{"url":"https://a.example/1.jpg"}]}`)
	source, picture := heldAsset(AssetKindSource, "clip.mp4"), heldSnapshot("1.jpg")
	full := b.changeMedia(i.ID, Media{Add: []Asset{source}, AddSnapshots: []Snapshot{picture}})
	held := []string{publicURL + source.URL, "https://a.example/1.vtt", publicURL + picture.URL, "https://a.example/1.jpg"}
	if got := urls(full); !slices.Equal(got, held) {
		t.Fatalf("with media: %q, want %q", got, held)
	}
	document, err := Encode(full)
	must(t, err)
	input, err := json.Marshal(full.input())
	must(t, err)
	changes := b.changes()
	for what, write := range map[string]func() (Document, error){
		"PUT of what GET returned": func() (Document, error) { return b.items.Replace(b.ctx, i.ID, input, nil) },
		"PATCH of all lists":       func() (Document, error) { return b.items.Patch(b.ctx, i.ID, input, nil) },
		"PATCH of the rest":        func() (Document, error) { return b.items.Patch(b.ctx, i.ID, []byte(`{"assets":[`+external+`]}`), nil) },
		"PATCH by URL, without ids and without what can be left out": func() (Document, error) {
			return b.items.Patch(b.ctx, i.ID, []byte(`{"assets":[`+external+`,{"kind":"source","content_type":"video/mp4","url":"`+
				publicURL+source.URL+`"}]}`), nil)
		},
		"PATCH with the URL of an earlier public URL": func() (Document, error) {
			return b.items.Patch(b.ctx, i.ID, []byte(`{"snapshots":[{"url":"https://a.example/1.jpg"},{"id":"`+picture.ID.String()+
				`","url":"https://earlier.example`+picture.URL+`"}]}`), nil)
		},
		"import of the document": func() (Document, error) {
			b.importLines(b.ctx, string(document), ImportOptions{})
			return b.items.Get(b.ctx, i.ID)
		},
	} {
		if got, err := write(); err != nil || !bytes.Equal(got.Bytes, document) || b.changes() != changes {
			t.Errorf("%s: %v, %d changes\n got %s\nwant %s", what, err, b.changes()-changes, got.Bytes, document)
		}
	}
	b.patch(i.ID, `{"assets":null,"snapshots":[]}`)
	if got := urls(b.patch(i.ID, `{"snapshot_id":"`+picture.ID.String()+`"}`)); !slices.Equal(got, []string{held[0], held[2]}) {
		t.Errorf("without external ones: %q", got)
	}
	if _, err := b.items.Replace(b.ctx, i.ID, []byte(`{"name":"n"}`), nil); err != nil {
		t.Fatal(err)
	}
	last := b.patch(i.ID, `{"assets":[`+external+`]}`)
	if got := urls(last); !slices.Equal(got, []string{held[0], held[1], held[2]}) || last.SnapshotID != nil {
		t.Errorf("after PUT of the name: %q, %v", got, last.SnapshotID)
	}
}

// The grace of files begins with the delete, not with the next sweep.
func TestHeld_FilesEndWithTheirItem(t *testing.T) {
	b := setup(t)
	dropped := &files{}
	b.items.files = dropped
	source, picture := heldAsset(AssetKindSource, "clip.mp4"), heldSnapshot("1.jpg")
	i := b.create(`{"name":"n","assets":[` + external + `]}`)
	b.changeMedia(i.ID, Media{Add: []Asset{source}, AddSnapshots: []Snapshot{picture}})
	must(t, b.items.Delete(b.ctx, i.ID, nil))
	if !slices.Equal(dropped.dropped, []uuid.UUID{source.ID, picture.ID}) {
		t.Errorf("dropped %v", dropped.dropped)
	}
}

func TestHeld_AlteredAndForeignOnesAreRefused(t *testing.T) {
	b := setup(t)
	source, picture := heldAsset(AssetKindSource, "clip.mp4"), heldSnapshot("1.jpg")
	i, other := b.create(`{"name":"n"}`), b.create(`{"name":"other"}`)
	b.changeMedia(i.ID, Media{Add: []Asset{source}, AddSnapshots: []Snapshot{picture}})
	id, url := `"id":"`+source.ID.String()+`"`, `"url":"`+publicURL+source.URL+`"`
	const kinds = `"kind":"source","content_type":"video/mp4"`
	whole := `{` + id + `,` + url + `,` + kinds + `}`
	altered := "must be as GET returns it, because Itemcast holds its file. Leave it out to keep it; DELETE /items/{id}/"
	foreign := "must not be that of a file that Itemcast holds"
	for list, want := range map[string][2]string{ // of the item itself, and of another one
		`"assets":[{` + id + `,` + url + `,"kind":"audio","content_type":"video/mp4"}]`: {"#/assets/0 " + altered + "assets/{asset_id} removes it",
			"#/assets/0/url " + foreign},
		`"assets":[{` + id + `,"url":"https://a.example/moved",` + kinds + `}]`:         {"#/assets/0 " + altered, ""},
		`"assets":[{` + id + `,` + url + `,` + kinds + `,"size":8}]`:                    {"#/assets/0 " + altered, "#/assets/0/url " + foreign},
		`"assets":[` + whole + `,` + whole + `]`:                                        {"#/assets/1/id must not occur twice", "#/assets/0/url " + foreign},
		`"assets":[{"url":"` + publicURL + `/media/s/1-2/x/clip.mp4",` + kinds + `}]`:   {"#/assets/0/url " + foreign, "#/assets/0/url " + foreign},
		`"snapshots":[{"id":"` + picture.ID.String() + `","url":"https://a.example/"}]`: {"#/snapshots/0 " + altered + "snapshots/{snapshot_id}", ""},
		`"snapshots":[{"url":"` + publicURL + picture.URL + `"}]`:                       {"", "#/snapshots/0/url " + foreign},
	} {
		for n, id := range []uuid.UUID{i.ID, other.ID} {
			for way, write := range map[string]func() error{
				"PATCH": func() error { _, err := b.items.Patch(b.ctx, id, []byte(`{`+list+`}`), nil); return err },
				"PUT":   func() error { _, err := b.items.Replace(b.ctx, id, []byte(`{"name":"n",`+list+`}`), nil); return err },
			} {
				err := write()
				if want[n] == "" {
					must(t, err)
					continue
				}
				if got := faults(t, err, problem.RuleViolated); !strings.HasPrefix(got, want[n]) {
					t.Errorf("%s %s of %d: got %s, want %s", way, list, n, got, want[n])
				}
			}
		}
		if want[1] != "" {
			_, err := b.items.Create(b.ctx, []byte(`{"name":"n",`+list+`}`))
			faults(t, err, problem.RuleViolated)
		}
	}
	if got := urls(b.patch(i.ID, `{}`)); !slices.Equal(got, []string{publicURL + source.URL, publicURL + picture.URL}) {
		t.Errorf("afterwards: %q", got)
	}
}

// An import takes files that a server holds as external ones: of another server, and of this one when the item is gone.
func TestHeld_FilesOfAnotherServerAreImportedAsExternal(t *testing.T) {
	b := setup(t)
	source, picture := heldAsset(AssetKindSource, "clip.mp4"), heldSnapshot("1.jpg")
	i := b.create(`{"name":"n"}`)
	b.changeMedia(i.ID, Media{Add: []Asset{source}, AddSnapshots: []Snapshot{picture}})
	b.patch(i.ID, `{"snapshot_id":"`+picture.ID.String()+`"}`)
	here, err := b.items.Get(b.ctx, i.ID)
	must(t, err)
	must(t, b.items.Delete(b.ctx, i.ID, nil))
	there := bytes.ReplaceAll(here.Bytes, []byte(publicURL), []byte("https://other.example/cast"))
	for what, line := range map[string][]byte{"another server": there, "this server": here.Bytes} {
		line = bytes.ReplaceAll(line, []byte(i.ID.String()), []byte(uuid.NewString()))
		if report := b.importLines(b.ctx, string(line), ImportOptions{}); report.Created != 1 {
			t.Fatalf("%s: %+v", what, report)
		}
		if report := b.importLines(b.ctx, string(line), ImportOptions{}); report.Unchanged != 1 {
			t.Errorf("%s, again: %+v", what, report)
		}
		sent := b.decode(line)
		document, err := b.items.Get(b.ctx, sent.ID)
		must(t, err)
		got := b.decode(document.Bytes)
		if !slices.Equal(urls(got), urls(sent)) || got.Assets[0].ID == source.ID || got.SnapshotID == nil || *got.SnapshotID != got.Snapshots[0].ID {
			t.Errorf("%s: %s", what, document.Bytes)
		}
		for _, service := range []*Service{b.items, b.service("https://other.example/cast")} { // one of which the files seem to be of
			emptied, err := service.Patch(b.ctx, got.ID, []byte(`{"assets":[],"snapshot_id":null,"snapshots":[]}`), nil)
			if err != nil || len(urls(b.decode(emptied.Bytes))) != 0 {
				t.Errorf("%s: they cannot be removed: %s, %v", what, emptied.Bytes, err)
			}
			b.importLines(b.ctx, string(line), ImportOptions{})
		}
	}
}

func TestHeld_FollowThePublicURL(t *testing.T) {
	b := setup(t)
	source, picture := heldAsset(AssetKindPlaylist, "main.m3u8"), heldSnapshot("1.jpg")
	i := b.create(`{"name":"n","assets":[` + external + `]}`)
	b.changeMedia(i.ID, Media{Add: []Asset{source}, AddSnapshots: []Snapshot{picture}, Set: MediaFields{Poster: &picture.ID}})
	before, err := b.items.Get(b.ctx, i.ID)
	must(t, err)
	changes := b.changes()
	moved := b.service("https://moved.example/cast")
	after, err := moved.Get(b.ctx, i.ID)
	if want := bytes.ReplaceAll(before.Bytes, []byte(publicURL), []byte("https://moved.example/cast")); err != nil || !bytes.Equal(after.Bytes, want) {
		t.Errorf("%v\n got %s\nwant %s", err, after.Bytes, want)
	}
	if _, err := moved.Patch(b.ctx, i.ID, []byte(`{"assets":[]}`), nil); err != nil || b.changes() != changes+1 {
		t.Errorf("%v, %d changes", err, b.changes()-changes)
	}
	var stored []string
	rows, err := b.pool.Query(b.ctx, "SELECT url FROM asset UNION ALL SELECT url FROM snapshot")
	must(t, err)
	stored, err = pgx.CollectRows(rows, pgx.RowTo[string])
	if must(t, err); !slices.Equal(stored, []string{source.URL, picture.URL}) {
		t.Errorf("stored: %q", stored)
	}
}

func TestChangeMedia_IsOneRevisionAndOneChange(t *testing.T) {
	b := setup(t)
	held := &files{}
	b.items.files = held
	i := b.create(`{"name":"n","assets":[` + external + `],"snapshots":[{"url":"https://a.example/1.jpg"}]}`)
	source, low, first, second := heldAsset(AssetKindSource, "clip.mp4"), heldAsset(AssetKindRendition, "240.m3u8"), heldSnapshot("1.jpg"), heldSnapshot("2.jpg")
	m := Media{Add: []Asset{source, low}, AddSnapshots: []Snapshot{first, second}, Set: MediaFields{Poster: &second.ID, Duration: new(2.5), Type: ItemTypeAudio}}
	got := b.changeMedia(i.ID, m)
	if got.Revision != 2 || b.changes() != 2 || got.Type != ItemTypeAudio || got.Duration == nil || *got.Duration != 2.5 || *got.SnapshotID != second.ID {
		t.Errorf("added: %s, %d changes", encoded(t, got), b.changes())
	}
	fields := value[[]string](b, "SELECT changed_fields FROM item_change WHERE revision = 2")
	if want := []string{"type", "duration", "assets", "snapshots", "snapshot_id", "embed_code", "player_url"}; !slices.Equal(fields, want) {
		t.Errorf("changed_fields are %q, want %q", fields, want)
	}
	if again := b.changeMedia(i.ID, m); again.Revision != 2 || b.changes() != 2 {
		t.Errorf("again: revision %d, %d changes", again.Revision, b.changes())
	}
	failed := errors.New("it fails")
	_, err := b.items.ChangeMedia(b.ctx, i.ID, func(_ context.Context, _ pgx.Tx, held Held) (Media, error) {
		if name := b.items.HeldName(held.Assets[0].ID, held.Assets[0].URL); name != "clip.mp4" {
			t.Errorf("the source is named %q", name)
		}
		if name := b.items.HeldName(held.Assets[2].ID, held.Assets[2].URL); name != "" {
			t.Errorf("an external file is held as %q", name)
		}
		return Media{Remove: []uuid.UUID{source.ID}}, failed
	})
	if !errors.Is(err, failed) || b.changes() != 2 || held.dropped != nil {
		t.Errorf("got %v, %d changes, dropped %v", err, b.changes(), held.dropped)
	}
	better := heldAsset(AssetKindSource, "better.mp4")
	replaced := b.changeMedia(i.ID, Media{Add: []Asset{better}, Remove: []uuid.UUID{source.ID, second.ID, got.Snapshots[2].ID, uuid.New()}})
	if want := []string{publicURL + low.URL, publicURL + better.URL, "https://a.example/1.vtt", publicURL + first.URL}; !slices.Equal(urls(replaced), want) ||
		replaced.SnapshotID != nil || replaced.Revision != 3 {
		t.Errorf("replaced: %s", encoded(t, replaced))
	}
	if want := []uuid.UUID{source.ID, second.ID}; !slices.Equal(held.dropped, want) {
		t.Errorf("dropped %v, want %v", held.dropped, want)
	}
	if _, err := b.items.ChangeMedia(b.ctx, i.ID, func(context.Context, pgx.Tx, Held) (Media, error) {
		return Media{Add: []Asset{{ID: uuid.New(), Kind: AssetKindSource, URL: "/media/" + uuid.NewString() + "/x"}}}, nil
	}); err == nil || problem.Of(err) != nil {
		t.Errorf("a path with the id of another file: got %v", err)
	}
	var many []Asset
	for range maxMedia - 2 {
		many = append(many, heldAsset(AssetKindRendition, "x.m3u8"))
	}
	_, err = b.items.ChangeMedia(b.ctx, i.ID, func(context.Context, pgx.Tx, Held) (Media, error) { return Media{Add: many}, nil })
	if !problem.Is(err, problem.RuleViolated) || !strings.Contains(err.Error(), "would have 201 assets, and may have 200") {
		t.Errorf("too many: %v", err)
	}
	b.changeMedia(i.ID, Media{Add: many[1:]})
	_, err = b.items.Patch(b.ctx, i.ID, []byte(`{"assets":[`+external+`,`+strings.Replace(external, "1.vtt", "2.vtt", 1)+`]}`), nil)
	if got := faults(t, err, problem.RuleViolated); got != "#/assets must be at most 1 beside the 199 whose files Itemcast holds" {
		t.Errorf("too many external ones: %s", got)
	}
}

func TestCreateWithMedia_IsOneRevisionAndOneChange(t *testing.T) {
	b := setup(t)
	source := heldAsset(AssetKindSource, "clip.mp4")
	with := func(raw string, m Media, fail error) (*Item, error) {
		document, err := b.items.CreateWithMedia(b.ctx, []byte(raw), func(_ context.Context, _ pgx.Tx, id uuid.UUID) (Media, error) {
			if n := value[int](b, "SELECT count(*) FROM item WHERE id = $1", id); n != 0 {
				t.Errorf("the item is there before its files")
			}
			return m, fail
		})
		if err != nil {
			return nil, err
		}
		got, err := b.items.Get(b.ctx, b.decode(document.Bytes).ID)
		if err != nil || !bytes.Equal(got.Bytes, document.Bytes) {
			t.Errorf("GET: %v\n got %s\nwant %s", err, got.Bytes, document.Bytes)
		}
		return b.decode(document.Bytes), nil
	}
	i, err := with(`{"name":"n","assets":[`+external+`]}`, Media{Add: []Asset{source}, Set: MediaFields{Type: ItemTypeAudio, Duration: new(1.5)}}, nil)
	must(t, err)
	if want := []string{publicURL + source.URL, "https://a.example/1.vtt"}; !slices.Equal(urls(i), want) || i.Revision != 1 || b.changes() != 1 ||
		i.Type != ItemTypeAudio || *i.Duration != 1.5 {
		t.Errorf("created: %s, %d changes", encoded(t, i), b.changes())
	}
	failed := errors.New("it fails")
	if _, err := with(`{"name":"n"}`, Media{}, failed); !errors.Is(err, failed) || b.changes() != 1 {
		t.Errorf("got %v, %d changes", err, b.changes())
	}
	if _, err := with(`{"name":" "}`, Media{}, errors.New("it is called")); !problem.Is(err, problem.RuleViolated) {
		t.Errorf("got %v", err)
	}
	uploader := account.WithActor(t.Context(), account.Actor{AccountID: b.account, Permissions: account.Permissions{account.APIAccess, account.ItemsCreate}})
	document, err := b.items.CreateWithMedia(uploader, []byte(`{"name":"n"}`), func(context.Context, pgx.Tx, uuid.UUID) (Media, error) {
		return Media{Add: []Asset{heldAsset(AssetKindSource, "a%20b.mp4")}}, nil
	})
	if err != nil || b.decode(document.Bytes).CreatedBy != nil {
		t.Errorf("without a user: %s, %v", document.Bytes, err)
	}
}

// What a client has set stays. What an earlier source has set gives way to the next one's.
func TestMediaFields_AreSetUnlessTheClientHasSetThem(t *testing.T) {
	b := setup(t)
	first, second := heldSnapshot("1.jpg"), heldSnapshot("2.jpg")
	set := func(i *Item, f MediaFields) *Item { return b.changeMedia(i.ID, Media{Set: f}) }
	of := func(duration float64, of ItemType, poster *uuid.UUID) MediaFields {
		return MediaFields{Duration: &duration, Type: of, Poster: poster}
	}
	shows := func(what string, i *Item, duration float64, of ItemType, poster *uuid.UUID) {
		t.Helper()
		if *i.Duration != duration || i.Type != of || (poster == nil) != (i.SnapshotID == nil) || poster != nil && *i.SnapshotID != *poster {
			t.Errorf("%s: %s", what, encoded(t, i))
		}
	}
	i := b.create(`{"name":"n"}`)
	b.changeMedia(i.ID, Media{AddSnapshots: []Snapshot{first, second}})
	shows("nothing was set", set(i, of(1, ItemTypeImage, &first.ID)), 1, ItemTypeImage, &first.ID)
	shows("set before", set(i, of(2, ItemTypeAudio, &second.ID)), 2, ItemTypeAudio, &second.ID)
	document, err := b.items.Replace(b.ctx, i.ID, mustJSON(t, b.patch(i.ID, `{"tags":["x"]}`).input()), nil)
	must(t, err)
	shows("sent back", set(b.decode(document.Bytes), of(3, ItemTypeImage, &first.ID)), 3, ItemTypeImage, &first.ID)
	b.patch(i.ID, `{"duration":9,"type":"video","snapshot_id":"`+second.ID.String()+`"}`)
	shows("the client has set them", set(i, of(4, ItemTypeAudio, &first.ID)), 9, ItemTypeVideo, &second.ID)
	b.patch(i.ID, `{"duration":null,"snapshot_id":null}`)
	shows("the client has emptied them", set(i, of(5, ItemTypeAudio, &first.ID)), 5, ItemTypeVideo, &first.ID)
	revision := b.patch(i.ID, `{}`).Revision
	if got := set(i, MediaFields{}); got.Revision != revision {
		t.Errorf("nothing to set: revision %d, want %d", got.Revision, revision)
	}
	document, err = b.items.CreateWithMedia(b.ctx, []byte(`{"name":"n","type":"video","duration":7}`),
		func(context.Context, pgx.Tx, uuid.UUID) (Media, error) {
			return Media{Set: of(1, ItemTypeAudio, nil)}, nil
		})
	must(t, err)
	shows("the upload has set them", b.decode(document.Bytes), 7, ItemTypeVideo, nil)
	shows("and later", set(b.decode(document.Bytes), of(2, ItemTypeAudio, nil)), 7, ItemTypeVideo, nil)
}

func TestDeleteAsset_RemovesHeldAndExternalOnes(t *testing.T) {
	b := setup(t)
	held := &files{}
	b.items.files = held
	source, picture := heldAsset(AssetKindSource, "clip.mp4"), heldSnapshot("1.jpg")
	i := b.create(`{"name":"n","assets":[` + external + `],"snapshots":[{"url":"https://a.example/1.jpg"}]}`)
	i = b.changeMedia(i.ID, Media{Add: []Asset{source}, AddSnapshots: []Snapshot{picture}, Set: MediaFields{Poster: &picture.ID}})
	for _, a := range i.Assets {
		_, err := b.items.DeleteAsset(b.ctx, i.ID, a.ID, nil)
		must(t, err)
		if _, err := b.items.DeleteAsset(b.ctx, i.ID, a.ID, nil); !problem.Is(err, problem.NotFound) {
			t.Errorf("again: %v", err)
		}
	}
	for _, p := range i.Snapshots {
		_, err := b.items.DeleteSnapshot(b.ctx, i.ID, p.ID, nil)
		must(t, err)
		if _, err := b.items.DeleteSnapshot(b.ctx, i.ID, p.ID, nil); !problem.Is(err, problem.NotFound) {
			t.Errorf("again: %v", err)
		}
	}
	if last := b.patch(i.ID, `{}`); len(urls(last)) != 0 || last.SnapshotID != nil || last.Revision != 6 || b.changes() != 6 {
		t.Errorf("the last: %s, %d changes", encoded(t, last), b.changes())
	}
	if want := []uuid.UUID{source.ID, picture.ID}; !slices.Equal(held.dropped, want) {
		t.Errorf("dropped %v, want %v", held.dropped, want)
	}
}
