package encode

import (
	"testing"
	"time"
)

func TestProgressLine_ReadsMicrosecondsAndWhatComesBeforeThem(t *testing.T) {
	t.Parallel()
	var p progressLine
	for _, c := range []struct {
		line           string
		changed, timed bool
		at             time.Duration
	}{
		{"out_time_us=N/A", false, false, 0},
		{"out_time_us=-21333", false, true, 0}, // the first packet of AAC
		{"out_time_us=1500000", true, true, 1500 * time.Millisecond},
		{"out_time_ms=1500000", false, false, 1500 * time.Millisecond}, // microseconds, whatever its name says
		{"out_time_us=1500000", false, true, 1500 * time.Millisecond},
		{"frame=12", true, false, 1500 * time.Millisecond},
		{"total_size=N/A", true, false, 1500 * time.Millisecond},
		{"progress=continue", false, false, 1500 * time.Millisecond},
		{"", false, false, 1500 * time.Millisecond},
	} {
		if changed, timed := p.read(c.line); changed != c.changed || timed != c.timed || p.time != c.at {
			t.Errorf("%q: got %t, %t, %s", c.line, changed, timed, p.time)
		}
	}
}
