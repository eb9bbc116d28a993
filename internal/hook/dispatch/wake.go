package dispatch

import "github.com/google/uuid"

// Wake makes the dispatcher look for due deliveries of hooks. It may be called concurrently, and never blocks.
func (d *Dispatcher) Wake(hooks ...uuid.UUID) {
	d.slots.markDue(hooks)
	signal(d.woken)
}

// signal puts a token into a channel of capacity 1, unless it holds one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
