package change

const (
	ringChanges = 32 << 10
	ringBytes   = 64 << 20 // of documents: what readers that keep up never have to fetch again
)

// ring holds the newest changes, which follow one another without a gap. The zero value is empty.
type ring struct {
	changes []*Change
	bytes   int
}

// after returns up to limit changes that follow p; ok is false when the ring does not reach back to p.
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

// append adds changes, which follow what the ring holds, and lets go of the oldest. Slices that after returned stay as they are.
func (r *ring) append(changes []*Change) {
	r.changes = append(r.changes, changes...)
	for _, c := range changes {
		r.bytes += len(c.Document)
	}
	drop := 0
	for drop < len(r.changes)-1 && (len(r.changes)-drop > ringChanges || r.bytes > ringBytes) {
		r.bytes -= len(r.changes[drop].Document)
		drop++
	}
	// The dropped ones stay reachable until append next moves the slice, at most as many again as the ring holds.
	r.changes = r.changes[drop:]
}
