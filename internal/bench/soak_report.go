package bench

import (
	"errors"
	"fmt"
	"slices"
)

// maxGrowth is how much more of the heap may be in use in the last quarter than in the second, in bytes.
const maxGrowth = 8 << 20

// soakReport is the result of a soak of subscribers.
type soakReport struct {
	changes       int
	rate          float64
	before, after memory
	samples       []memory
	short         bool // too short to judge memory

	subscribers, received, connections, stalls int
	missed, repeated                           int
}

func (r *soakReport) add(s *soaker) {
	r.subscribers++
	r.received += s.received
	r.connections += s.connections
	r.stalls += s.stalls
	r.missed += s.missed
	r.repeated += s.repeated
}

// heaps are the medians of the second and the last quarter.
func (r *soakReport) heaps() (early, late float64) {
	heap := func(part []memory) float64 {
		heaps := make([]float64, len(part))
		for n, m := range part {
			heaps[n] = m.heap
		}
		slices.Sort(heaps)
		return heaps[len(heaps)/2]
	}
	quarter := len(r.samples) / 4
	return heap(r.samples[quarter : 2*quarter]), heap(r.samples[len(r.samples)-quarter:])
}

func (r *soakReport) text() string {
	text := fmt.Sprintf("%d changes at %.0f/s; %d subscribers over %d connections, with %d stalls, received "+
		"%d changes; missed %d, repeated %d.\nGoroutines: %.0f before, %.0f after. Resident: %.1f MB at the end.\n",
		r.changes, r.rate, r.subscribers, r.connections, r.stalls, r.received, r.missed, r.repeated,
		r.before.goroutines, r.after.goroutines, r.after.resident/1e6)
	if !r.short && len(r.samples) >= 4 {
		early, late := r.heaps()
		text += fmt.Sprintf("Heap in use: %.1f MB in the second quarter, %.1f MB in the last.\n", early/1e6, late/1e6)
	}
	return text
}

func (r *soakReport) check() error {
	switch {
	case r.missed > 0 || r.repeated > 0:
		return errors.New("subscribers missed changes, or got some twice")
	case r.after.goroutines > r.before.goroutines:
		return errors.New("goroutines leak: more run after the soak than before")
	case r.short:
		return nil
	case len(r.samples) < 4:
		return errors.New("the soak was too short to judge memory; run it with a longer --lasting")
	}
	if early, late := r.heaps(); late > early+maxGrowth {
		return fmt.Errorf("memory leaks: the heap in use grew by more than %d MiB", maxGrowth>>20)
	}
	return nil
}
