package bench

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// arrival is a change that reached a receiver.
type arrival struct {
	revision
	received time.Time
}

// deliveries compares the changes that were written with those that arrived at each receiver. A change is out of order
// when its item's revision is not the next one, or when another receiver got a different change in its place. The
// writers must be the only ones that change items.
func deliveries(changes []written, receivers [][]arrival) round {
	r := round{changes: len(changes)}
	byRevision := make(map[revision]written, len(changes))
	for _, w := range changes {
		byRevision[w.revision] = w
	}
	for _, one := range receivers {
		arrived := make(map[revision]bool, len(one))
		last := map[uuid.UUID]int64{}
		for k, a := range one {
			n, known := last[a.item]
			if known && a.n != n+1 || k >= len(receivers[0]) || a.revision != receivers[0][k].revision {
				r.disordered++
			}
			arrived[a.revision], last[a.item] = true, a.n
			if w, ok := byRevision[a.revision]; ok && !w.warmUp {
				// The change may arrive before the response to COMMIT.
				r.latencies = append(r.latencies, max(0, a.received.Sub(w.committed)))
				r.sinceSent = append(r.sinceSent, a.received.Sub(w.begun))
			}
		}
		for _, w := range changes {
			if !arrived[w.revision] {
				r.lost++
			}
		}
	}
	r.latencies, r.sinceSent = sorted(r.latencies), sorted(r.sinceSent)
	return r
}

// add adds the deliveries of another receiver or endpoint.
func (r *round) add(one round) {
	r.latencies = sorted(append(r.latencies, one.latencies...))
	r.sinceSent = sorted(append(r.sinceSent, one.sinceSent...))
	r.lost += one.lost
	r.disordered += one.disordered
	r.repeated += one.repeated
}

// checkDelivery adds to unmet the changes that this build lost or reordered, and a rate below the writers'.
func (r *result) checkDelivery(perSecond float64) {
	if r.this.lost > 0 {
		r.unmet = append(r.unmet, fmt.Sprintf("%d lost", r.this.lost))
	}
	if r.this.disordered > 0 {
		r.unmet = append(r.unmet, fmt.Sprintf("%d out of order", r.this.disordered))
	}
	if len(r.this.rates) > 0 && median(r.this.rates) < 0.99*perSecond {
		r.unmet = append(r.unmet, fmt.Sprintf("only %.0f changes/s", median(r.this.rates)))
	}
}
