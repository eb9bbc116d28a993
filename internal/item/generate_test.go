package item

import (
	"bytes"
	"encoding/json"

	"pgregory.net/rapid"

	"itemcast/internal/item/internal/store"
)

// anyInput draws an item input, or a merge patch of one, in which null clears fields.
func anyInput(patch bool) *rapid.Generator[object] {
	return rapid.Custom(func(t *rapid.T) object {
		text := rapid.SampledFrom([]any{"a", "B", "<&> \u2028", "é 😀 \"\\/", "a", " a  b "})
		nullable := func(values ...any) *rapid.Generator[any] { return rapid.SampledFrom(append(values, nil)) }
		choices := map[string]*rapid.Generator[any]{
			"description": text,
			"type":        rapid.SampledFrom([]any{"video", "audio", "live"}),
			"privacy":     rapid.SampledFrom([]any{"public", "unlisted", "private", "private"}),
			"language":    nullable("de", "pt-BR"),
			"producer":    nullable("UFA", ""),
			"duration":    nullable(json.Number("1.5"), json.Number("0"), json.Number("9180")),
			"tags":        rapid.SliceOfN(rapid.SampledFrom([]any{"x", "y", " x ", "Z", "ü"}), 0, 4).AsAny(),
			"metadata":    anyMetadata(),
			"client_data": anyObject(2).AsAny(),
			"assets":      rapid.SliceOfN(anyAsset(), 0, 3).AsAny(),
			"snapshots":   rapid.SliceOfN(anySnapshot(), 0, 3).AsAny(),
			"embed_code":  nullable("<iframe src='x'></iframe>"),
			"player_url":  nullable("https://player.example/?a=1&b=2"),
		}
		input := object{}
		for _, name := range declared[1:] {
			switch rapid.IntRange(0, 3).Draw(t, name) {
			case 0, 1:
				input[name] = plain(choices[name].Draw(t, name))
			case 2:
				if patch {
					input[name] = nil
				}
			}
		}
		if !patch || rapid.Bool().Draw(t, "name") {
			input["name"] = text.Draw(t, "name")
		}
		return input
	})
}

// plain turns generated slices into []any, as encoding/json decodes them.
func plain(v any) any {
	switch v := v.(type) {
	case []object:
		out := make([]any, len(v))
		for i := range v {
			out[i] = v[i]
		}
		return out
	default:
		return v
	}
}

func anyMetadata() *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		metadata := object{}
		for key, values := range map[string][]any{
			"text": {"one", "<two>", nil}, "number": {json.Number("1"), json.Number("9007199254740993"), json.Number("-0.5"), nil},
			"bool": {true, false, nil}, "date": {"2024-02-29", nil}, "choice": {"red", "green", nil},
		} {
			if v := rapid.SampledFrom(append(values, "absent")).Draw(t, key); v != "absent" {
				metadata[key] = v
			}
		}
		return metadata
	})
}

// anyObject draws client data: nested, with nulls and unusual numbers.
func anyObject(depth int) *rapid.Generator[object] {
	leaf := rapid.SampledFrom([]any{nil, true, "s", "<é>", json.Number("1.0"), json.Number("1e2"), []any{json.Number("1"), nil, object{"n": nil}}, []any{}})
	value := leaf
	if depth > 0 {
		value = rapid.OneOf(leaf, anyObject(depth-1).AsAny())
	}
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "z<", "é"}), value, 0, 3)
}

func anyAsset() *rapid.Generator[object] {
	return rapid.Custom(func(t *rapid.T) object {
		asset := object{"kind": rapid.SampledFrom([]any{"source", "subtitle"}).Draw(t, "kind"),
			"url": rapid.SampledFrom([]any{"https://a.example/1", "https://a.example/2?x=1&y"}).Draw(t, "url"), "content_type": "video/mp4"}
		if rapid.Bool().Draw(t, "sized") {
			asset["size"], asset["width"], asset["language"] = json.Number("9007199254740991"), json.Number("1920"), nil
		}
		return asset
	})
}

func anySnapshot() *rapid.Generator[object] {
	return rapid.Custom(func(t *rapid.T) object {
		return object{"url": rapid.SampledFrom([]any{"https://a.example/1.jpg", "https://a.example/2.jpg"}).Draw(t, "url")}
	})
}

type fataler interface {
	Helper()
	Fatal(args ...any)
}

func must(t fataler, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustJSON(t fataler, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	must(t, err)
	return raw
}

func decode(t fataler, raw []byte) object {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var o object
	must(t, decoder.Decode(&o))
	return o
}

func queries(b *bundle) *store.Queries { return store.New(b.pool) }
