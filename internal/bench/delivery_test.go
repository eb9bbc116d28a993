package bench

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

var (
	itemA = uuid.MustParse("0198a000-0000-7000-8000-00000000000a")
	itemB = uuid.MustParse("0198a000-0000-7000-8000-00000000000b")
	start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

func wrote(item uuid.UUID, n int64, warmUp bool) written {
	return written{revision{item, n}, start, start.Add(time.Millisecond), warmUp}
}

func arrived(item uuid.UUID, n int64, after time.Duration) arrival {
	return arrival{revision{item, n}, start.Add(after)}
}

func TestDeliveries_MeasureFromTheCommitAndSkipTheWarmUp(t *testing.T) {
	t.Parallel()
	r := deliveries([]written{wrote(itemA, 2, true), wrote(itemA, 3, false)}, [][]arrival{
		{arrived(itemA, 2, time.Hour), arrived(itemA, 3, 5*time.Millisecond)},
	})
	if len(r.latencies) != 1 || r.latencies[0] != 4*time.Millisecond || r.sinceSent[0] != 5*time.Millisecond {
		t.Errorf("the times are %v and %v", []time.Duration(r.latencies), []time.Duration(r.sinceSent))
	}
	if r.lost != 0 || r.disordered != 0 {
		t.Errorf("lost %d, out of order %d", r.lost, r.disordered)
	}
}

func TestDeliveries_FindWhatIsMissingRepeatedOrOutOfOrder(t *testing.T) {
	t.Parallel()
	changes := []written{wrote(itemA, 2, false), wrote(itemA, 3, false), wrote(itemB, 2, false)}
	whole := []arrival{arrived(itemA, 2, 1), arrived(itemA, 3, 1), arrived(itemB, 2, 1)}
	for name, c := range map[string]struct {
		second           []arrival
		lost, disordered int
	}{
		"the same":               {whole, 0, 0},
		"one is missing":         {whole[:2], 1, 0},
		"one comes twice":        {append(whole[:3:3], whole[2]), 0, 1},
		"two items are swapped":  {[]arrival{whole[0], whole[2], whole[1]}, 0, 2},
		"revisions are reversed": {[]arrival{whole[1], whole[0], whole[2]}, 0, 2},
	} {
		r := deliveries(changes, [][]arrival{whole, c.second})
		if r.lost != c.lost || r.disordered != c.disordered {
			t.Errorf("%s: lost %d, out of order %d", name, r.lost, r.disordered)
		}
	}
}

func TestEndpoint_RejectsWhatBreaksThePromisesOfHooks(t *testing.T) {
	t.Parallel()
	type attempt struct {
		revision int64
		webhook  string
		accepted bool
	}
	for name, c := range map[string]struct {
		attempts []attempt
		broken   bool
	}{
		"in order":                        {[]attempt{{2, "a", true}, {3, "b", true}}, false},
		"a redelivery with its id":        {[]attempt{{2, "a", false}, {2, "a", true}, {2, "a", true}}, false},
		"a gap":                           {[]attempt{{2, "a", true}, {4, "b", true}}, true},
		"the next before a 2xx":           {[]attempt{{2, "a", false}, {3, "b", true}}, true},
		"a redelivery with another id":    {[]attempt{{2, "a", false}, {2, "b", true}}, true},
		"another change with the same id": {[]attempt{{2, "a", true}, {3, "a", true}}, true},
	} {
		e, err := openEndpoint(answerAtOnce)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.close)
		err = nil
		for _, a := range c.attempts {
			header := http.Header{}
			header.Set("Itemcast-Revision", strconv.FormatInt(a.revision, 10))
			header.Set("Webhook-Id", a.webhook)
			r, broken := e.arrive(header, []byte(`{"id":"`+itemA.String()+`"}`))
			if broken != nil {
				err = broken
				break
			}
			if a.accepted {
				e.accept(arrival{r, start})
			}
		}
		if (err != nil) != c.broken {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func TestSoaker_CountsWhatIsMissedAndRepeated(t *testing.T) {
	t.Parallel()
	s := &soaker{seen: map[uuid.UUID]int64{itemA: 1}}
	for _, revision := range []int64{2, 5, 5, 6} {
		s.take(soakChange{itemA, revision, strings.Repeat("c", int(revision))})
	}
	if s.missed != 2 || s.repeated != 1 || s.received != 4 || s.cursor != "cccccc" {
		t.Errorf("missed %d, repeated %d, received %d, cursor %s", s.missed, s.repeated, s.received, s.cursor)
	}
	s.finish(map[uuid.UUID]int64{itemA: 6})
	if !s.done() {
		t.Error("it has seen the last revision and is not done")
	}
}

func TestSoakReport_FailsOnBrokenPromisesAndLeaks(t *testing.T) {
	t.Parallel()
	heap := func(bytes ...float64) (samples []memory) {
		for _, b := range bytes {
			samples = append(samples, memory{heap: b})
		}
		return samples
	}
	steady, growing := heap(1e6, 1e6, 1e6, 1e6), heap(1e6, 1e6, 20e6, 20e6)
	for name, c := range map[string]struct {
		report soakReport
		fails  bool
	}{
		"steady":            {soakReport{samples: steady}, false},
		"missed":            {soakReport{samples: steady, missed: 1}, true},
		"repeated":          {soakReport{samples: steady, repeated: 1, short: true}, true},
		"growing":           {soakReport{samples: growing}, true},
		"growing but short": {soakReport{samples: growing, short: true}, false},
		"too few samples":   {soakReport{samples: steady[:3]}, true},
		"goroutines stay":   {soakReport{samples: steady, after: memory{goroutines: 1}, short: true}, true},
	} {
		if err := c.report.check(); (err != nil) != c.fails {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
