package dispatch

import "github.com/google/uuid"

// Wake makes the dispatcher look for due deliveries of hooks. It may be called concurrently, and never blocks.
func (d *Dispatcher) Wake(hooks ...uuid.UUID) {
	d.slots.markDue(hooks)
	d.woken.Send()
}
