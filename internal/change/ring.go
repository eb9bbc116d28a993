package change

const (
	maxRingChanges = 32 << 10
	maxRingBytes   = 64 << 20 // of documents
)

// ring holds the newest changes, without a gap, so that readers that keep up never query the database. The zero value
// is empty. It has no lock of its own: Feed.mu guards it.
type ring struct {
	changes []*Change
	bytes   int
}

// after returns up to limit changes after p; ok is false if the ring does not reach back to p.
func (r *ring) after(p Position, limit int) (changes []*Change, ok bool) {
	if len(r.changes) == 0 || p < r.changes[0].Position-1 {
		return nil, false
	}
	start := int(p - r.changes[0].Position + 1)
	if start >= len(r.changes) {
		return nil, true
	}
	end := min(start+limit, len(r.changes))
	return r.changes[start:end:end], true
}

// append adds changes that follow the ring's newest one, and drops the oldest. Slices that after returned stay valid.
func (r *ring) append(changes []*Change) {
	r.changes = append(r.changes, changes...)
	for _, c := range changes {
		r.bytes += len(c.Document)
	}
	drop := 0
	for drop < len(r.changes)-1 && (len(r.changes)-drop > maxRingChanges || r.bytes > maxRingBytes) {
		r.bytes -= len(r.changes[drop].Document)
		drop++
	}
	// Dropped changes stay reachable until append next reallocates the slice: at most as many again as the ring holds.
	r.changes = r.changes[drop:]
}
