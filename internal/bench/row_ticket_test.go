package bench

import (
	"io"
	"testing"
	"time"
)

func TestCheckTickets_MeasuresBothSides(t *testing.T) {
	t.Parallel()
	s := &stage{Config: Config{Rounds: 1, Round: time.Millisecond, Progress: io.Discard}}
	got, err := checkTickets(t.Context(), s)
	if err != nil || got.this.count == 0 || got.baseline.count == 0 || len(ratiosOf(got.this, got.baseline)) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}
