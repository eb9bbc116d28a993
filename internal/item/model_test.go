package item

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

// object is a JSON object; its numbers are json.Number.
type object = map[string]any

// model is the state that one item must have after the test's requests.
type model struct {
	*bundle
	id       uuid.UUID
	want     object // the fields that a client sets, as in a document
	revision int64
	changes  int
	last     []byte // the document
	held     []any  // the assets that Itemcast holds, as in a document
	heldIDs  []uuid.UUID
}

// After any sequence of requests, the document equals the columns. A change raises the revision by one and is recorded
// once, with the values before. Other requests leave no trace.
func TestService_AgreesWithItsModel(t *testing.T) {
	b := setup(t)
	b.fields()
	rapid.Check(t, func(t *rapid.T) {
		m := &model{bundle: b}
		m.create(t)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			rapid.OneOf(rapid.Just(m.replace), rapid.Just(m.patch), rapid.Just(m.patch), rapid.Just(m.mismatch), rapid.Just(m.media)).Draw(t, "step")(t)
		}
		m.delete(t)
	})
}

func (m *model) create(t *rapid.T) {
	input := anyInput(false).Draw(t, "input")
	document, err := m.items.Create(m.ctx, mustJSON(t, input))
	must(t, err)
	i, err := Decode(document.Bytes)
	must(t, err)
	m.id, m.want, m.revision = i.ID, asDocument(t, input), 1
	m.held, m.heldIDs = nil, nil
	m.check(t, document, "CREATED", nil)
}

func (m *model) replace(t *rapid.T) {
	input := anyInput(false).Draw(t, "input")
	document, err := m.items.Replace(m.ctx, m.id, mustJSON(t, input), revision.Is(m.revision))
	must(t, err)
	m.write(t, document, m.withHeld(t, asDocument(t, input)))
}

func (m *model) patch(t *rapid.T) {
	patch := anyInput(true).Draw(t, "patch")
	document, err := m.items.Patch(m.ctx, m.id, mustJSON(t, patch), nil)
	must(t, err)
	m.write(t, document, m.withHeld(t, asDocument(t, mergeValue(m.want, patch).(object))))
}

// media adds an asset whose file Itemcast holds, or removes one.
func (m *model) media(t *rapid.T) {
	var change Media
	if n := len(m.held); n > 0 && rapid.Bool().Draw(t, "remove") {
		at := rapid.IntRange(0, n-1).Draw(t, "which")
		change.Remove = m.heldIDs[at : at+1 : at+1]
		m.held, m.heldIDs = slices.Delete(slices.Clone(m.held), at, at+1), slices.Delete(slices.Clone(m.heldIDs), at, at+1)
	} else {
		a := heldAsset(AssetKindRendition, "720.m3u8")
		change.Add = []Asset{a}
		m.held = append(m.held, object{"kind": "rendition", "url": publicURL + a.URL, "content_type": a.ContentType,
			"size": json.Number("7"), "width": nil, "height": nil, "bitrate": nil, "language": nil})
		m.heldIDs = append(m.heldIDs, a.ID)
	}
	document, err := m.items.ChangeMedia(m.ctx, m.id, func(context.Context, pgx.Tx, Held) (Media, error) { return change, nil })
	must(t, err)
	m.write(t, document, m.withHeld(t, maps.Clone(m.want)))
}

// withHeld returns a document with the held assets before the external ones, whichever assets it has, and with the
// player that follows from them unless a client has set another.
func (m *model) withHeld(t *rapid.T, want object) object {
	assets := append([]any{}, m.held...)
	for _, a := range want["assets"].([]any) {
		if !strings.HasPrefix(a.(object)["url"].(string), publicURL) {
			assets = append(assets, a)
		}
	}
	want["assets"] = assets
	page := publicURL + "/watch/" + m.id.String()
	if url := want["player_url"]; url == nil || url == page {
		want["player_url"] = m.ifHeld(page)
	}
	if code, _ := want["embed_code"].(string); code == "" || strings.HasPrefix(code, `<iframe src="`+publicURL+"/embed/") {
		want["embed_code"] = nil
		i, err := Decode(mustJSON(t, want))
		must(t, err)
		i.ID = m.id
		want["embed_code"] = m.ifHeld(m.items.embedCode(i))
	}
	return want
}

func (m *model) ifHeld(value string) any {
	if len(m.held) == 0 {
		return nil
	}
	return value
}

func (m *model) mismatch(t *rapid.T) {
	_, err := m.items.Patch(m.ctx, m.id, []byte(`{"name":"never"}`), revision.Is(m.revision+1, m.revision-1))
	if !problem.Is(err, problem.RevisionMismatch) || problem.Of(err).Revision != m.revision {
		t.Fatalf("got %v, want a mismatch with revision %d", err, m.revision)
	}
}

func (m *model) delete(t *rapid.T) {
	must(t, m.items.Delete(m.ctx, m.id, nil))
	m.revision++
	m.checkChange(t, "DELETED", m.last, nil, nil)
	if _, err := m.items.Get(m.ctx, m.id); !problem.Is(err, problem.NotFound) {
		t.Fatalf("a deleted item: got %v", err)
	}
}

// write checks a write that must result in want.
func (m *model) write(t *rapid.T, document Document, want object) {
	changed := []string{}
	for _, name := range declared {
		if !reflect.DeepEqual(m.want[name], want[name]) {
			changed = append(changed, name)
		}
	}
	private := func(o object) bool { return o["privacy"] == "private" }
	if private(m.want) != private(want) {
		changed = append(changed, "published_at")
	}
	m.want = want
	if len(changed) > 0 {
		m.revision++
	}
	m.check(t, document, "UPDATED", changed)
}

func (m *model) check(t *rapid.T, document Document, kind string, changed []string) {
	before := m.last
	m.last = document.Bytes
	i, err := m.items.load(m.ctx, queries(m.bundle), m.account, m.id)
	must(t, err)
	rendered, err := Encode(i)
	must(t, err)
	got, err := m.items.Get(m.ctx, m.id)
	must(t, err)
	if !bytes.Equal(rendered, got.Bytes) || !bytes.Equal(document.Bytes, got.Bytes) || got.Revision != m.revision || i.Revision != m.revision {
		t.Fatalf("want revision %d\nanswered %s\n  stored %s\n columns %s", m.revision, document.Bytes, got.Bytes, rendered)
	}
	if decoded := settable(t, got.Bytes); !reflect.DeepEqual(decoded, m.want) {
		t.Fatalf("\n got %s\nwant %s", mustJSON(t, decoded), mustJSON(t, m.want))
	}
	if published := i.PublishedAt != nil; published != (i.Privacy != PrivacyPrivate) {
		t.Fatalf("published_at is wrong: %s", rendered)
	}
	if kind == "UPDATED" && len(changed) == 0 {
		if !bytes.Equal(before, document.Bytes) {
			t.Fatalf("nothing changed, but the document differs:\n%s\n%s", before, document.Bytes)
		}
		m.checkCount(t)
		return
	}
	m.checkChange(t, kind, document.Bytes, changed, before)
}

// checkChange checks that one change was recorded, and its content.
func (m *model) checkChange(t *rapid.T, kind string, document []byte, changed []string, before []byte) {
	m.changes++
	m.checkCount(t)
	var got struct {
		kind     string
		revision int64
		fields   []string
		previous json.RawMessage
		document []byte
	}
	must(t, m.pool.QueryRow(m.ctx, "SELECT kind, revision, changed_fields, previous, document FROM item_change WHERE item_id = $1 ORDER BY id DESC LIMIT 1", m.id).
		Scan(&got.kind, &got.revision, &got.fields, &got.previous, &got.document))
	if got.kind != kind || got.revision != m.revision || !bytes.Equal(got.document, document) {
		t.Fatalf("recorded %+v, want %s of revision %d with %s", got, kind, m.revision, document)
	}
	if kind != "UPDATED" {
		return
	}
	if !slices.Equal(got.fields, changed) {
		t.Fatalf("changed_fields are %v, want %v", got.fields, changed)
	}
	restored, err := Before(document, got.previous)
	must(t, err)
	old, err := Decode(before)
	must(t, err)
	restored.Revision = old.Revision
	if raw, err := Encode(restored); err != nil || !bytes.Equal(raw, before) {
		t.Fatalf("previous: %v\n got %s\nwant %s", err, raw, before)
	}
}

func (m *model) checkCount(t *rapid.T) {
	var n int
	must(t, m.pool.QueryRow(m.ctx, "SELECT count(*) FROM item_change WHERE item_id = $1", m.id).Scan(&n))
	if n != m.changes {
		t.Fatalf("the log has %d changes of the item, want %d", n, m.changes)
	}
}

// declared lists the fields that a client sets, in the document's order.
var declared = []string{"name", "description", "type", "privacy", "language", "producer", "duration", "tags", "metadata", "client_data",
	"assets", "snapshots", "embed_code", "player_url"}

// settable returns a document's fields that a client sets, without the ids of assets and snapshots.
func settable(t *rapid.T, document []byte) object {
	all := decode(t, document)
	maps.DeleteFunc(all, func(name string, _ any) bool { return !slices.Contains(declared, name) })
	for _, list := range []string{"assets", "snapshots"} {
		for _, o := range all[list].([]any) {
			delete(o.(object), "id")
		}
	}
	return all
}

// asDocument returns what a document must have after an input: with defaults and sorted tags.
func asDocument(t *rapid.T, input object) object {
	o := object{"description": "", "type": "video", "privacy": "private", "language": nil, "producer": nil, "duration": nil, "tags": []any{},
		"metadata": object{}, "client_data": object{}, "assets": []any{}, "snapshots": []any{}, "embed_code": nil, "player_url": nil}
	maps.Copy(o, decode(t, mustJSON(t, input)))
	tags := []string{}
	for _, tag := range o["tags"].([]any) {
		tags = append(tags, strings.TrimSpace(tag.(string)))
	}
	slices.Sort(tags)
	o["tags"] = slices.Compact(tags)
	maps.DeleteFunc(o["metadata"].(object), func(_ string, v any) bool { return v == nil })
	for _, a := range o["assets"].([]any) {
		for _, name := range []string{"size", "width", "height", "bitrate", "language"} {
			if _, ok := a.(object)[name]; !ok {
				a.(object)[name] = nil
			}
		}
	}
	return decode(t, mustJSON(t, o))
}

// mergeValue is the algorithm of RFC 7396 §2.
func mergeValue(target, patch any) any {
	changes, ok := patch.(object)
	if !ok {
		return patch
	}
	merged := object{}
	if old, ok := target.(object); ok {
		maps.Copy(merged, old)
	}
	for name, value := range changes {
		if value == nil {
			delete(merged, name)
			continue
		}
		merged[name] = mergeValue(merged[name], value)
	}
	return merged
}
