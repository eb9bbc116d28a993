package scalar

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestJSON_NumbersKeepTheirDigitsAndBytesAreNotTouched(t *testing.T) {
	t.Parallel()
	const text = `{"n": 9007199254740993.10, "s": "<é>"}`
	if raw, err := UnmarshalJSON(json.RawMessage(text)); err != nil || string(raw) != text {
		t.Errorf("%s, %v", raw, err)
	}
	var out strings.Builder
	MarshalJSON(json.RawMessage(`{"b":1.0,"a":1e2}`)).MarshalGQL(&out)
	if out.String() != `{"b":1.0,"a":1e2}` {
		t.Errorf("got %s", out.String())
	}
	if raw, err := UnmarshalJSON(json.RawMessage(`"a\u0000b"`)); err == nil {
		t.Errorf("a U+0000 is taken as %s", raw)
	}
}

func TestDateTime_IsUTCAndRefusesWhatIsNoTime(t *testing.T) {
	t.Parallel()
	at, err := UnmarshalDateTime("2026-01-31T13:00:00.5+01:00")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	MarshalDateTime(at).MarshalGQL(&out)
	if out.String() != `"2026-01-31T12:00:00.500000Z"` || !at.Equal(time.Date(2026, 1, 31, 12, 0, 0, 5e8, time.UTC)) {
		t.Errorf("got %s", out.String())
	}
	for _, value := range []any{"2026-01-31", "yesterday", "", 5, nil, "0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z"} {
		if at, err := UnmarshalDateTime(value); err == nil {
			t.Errorf("%v is taken as %v", value, at)
		}
	}
}

func TestWhole_IsWrittenInFullAndTakesNoFraction(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := MarshalWhole(9007199254740991).MarshalGQLContext(t.Context(), &out); err != nil || out.String() != "9007199254740991" {
		t.Errorf("%s, %v", out.String(), err)
	}
	for value, want := range map[any]int64{json.Number("5"): 5, json.Number("1e3"): 1000, 2.0: 2, int64(7): 7} {
		if got, err := UnmarshalWhole(t.Context(), value); err != nil || got != want {
			t.Errorf("%v: got %d, %v", value, got, err)
		}
	}
	for _, value := range []any{1.5, json.Number("0.1"), json.Number("1e30"), "x", true} {
		if got, err := UnmarshalWhole(t.Context(), value); err == nil {
			t.Errorf("%v is taken as %d", value, got)
		}
	}
}
