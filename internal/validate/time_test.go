package validate_test

import (
	"testing"
	"time"

	"itemcast/internal/validate"
)

func TestTime_HasAYearOfFourDigitsInUTC(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"0001-01-01T00:00:00Z": true, "9999-12-31T23:59:59.999999999Z": true, "0000-12-31T20:00:00-10:00": true,
		"0001-01-01T00:00:00+01:00": false, "0000-12-31T23:59:59Z": false, "0000-01-01T00:00:00+10:00": false,
		"9999-12-31T23:59:59-10:00": false,
	} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := validate.Time(at); (got == "") != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}
