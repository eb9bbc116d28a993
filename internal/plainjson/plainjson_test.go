package plainjson_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/plainjson"
)

func TestMarshal_WritesTextAsItIs(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]any{
		`"<Q&A>"`:                           "<Q&A>",
		"\"a\u2028b\u2029c\"":               "a\u2028b\u2029c",
		`"\"\\\n\u0001é😀"`:                  "\"\\\n\x01é😀",
		`{"<&>":"<&>"}`:                     map[string]string{"<&>": "<&>"},
		`{"a":1.10,"b":"\u0026&\/"}`:        json.RawMessage(`{ "a": 1.10, "b": "\u0026&\/" }`),
		`123456789012345678901234567890.10`: json.Number("123456789012345678901234567890.10"),
	} {
		if got, err := plainjson.Marshal(value); err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

func TestMarshal_TimesHaveSixDigitsInUTC(t *testing.T) {
	t.Parallel()
	whole := time.Date(2026, 1, 31, 13, 0, 0, 0, time.FixedZone("", 3600))
	for want, value := range map[string]any{
		`"2026-01-31T12:00:00.000000Z"`: whole,
		`"2026-01-31T12:00:00.120000Z"`: whole.Add(120 * time.Millisecond),
		`"2026-01-31T12:00:00.000001Z"`: whole.Add(1999 * time.Nanosecond),
		`{"at":"2026-01-31T12:00:00.000000Z","no":null}`: struct {
			At *time.Time `json:"at"`
			No *time.Time `json:"no"`
		}{At: &whole},
	} {
		if got, err := plainjson.Marshal(value); err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

// Everything but text and times is as encoding/json writes it.
func TestMarshal_AgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	type value struct {
		Nil     []string          `json:"nil"`
		Empty   []string          `json:"empty"`
		Omitted string            `json:"omitted,omitempty"`
		Zero    int               `json:"zero,omitempty"`
		Map     map[string]any    `json:"map"`
		NilMap  map[string]string `json:"nil_map"`
		ID      *uuid.UUID        `json:"id"`
		Float   float64           `json:"float"`
		Bytes   []byte            `json:"bytes"`
	}
	v := value{
		Empty: []string{}, Map: map[string]any{"b": 1.5, "a": []any{true, nil, json.Number("1e2")}}, ID: &uuid.Max,
		Float: 1e21, Bytes: []byte("abc"),
	}
	want, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := plainjson.NewEncoder(&got).Encode(v); err != nil || got.String() != string(want)+"\n" {
		t.Errorf("got %s, %v, want %s", got.String(), err, want)
	}
}
