package live

import (
	"sync"
	"sync/atomic"

	"itemcast/internal/change"
	"itemcast/internal/item"
)

// decodedItems caches the items of the newest changes, so that each change is decoded once for all filters. It may be
// used concurrently: a slot is replaced as a whole.
type decodedItems [1024]atomic.Pointer[decoded]

// decoded is a change's item before and after the change. Filters share it and must not modify it.
type decoded struct {
	position change.Position
	after    func() (*item.Item, error)
	before   func() (*item.Item, error) // for an update
}

func (d *decodedItems) of(c *change.Change) *decoded {
	slot := &d[int(c.Position)%len(d)]
	if cached := slot.Load(); cached != nil && cached.position == c.Position {
		return cached
	}
	fresh := &decoded{
		position: c.Position,
		after:    sync.OnceValues(func() (*item.Item, error) { return item.Decode(c.Document) }),
		before:   sync.OnceValues(func() (*item.Item, error) { return item.Before(c.Document, c.Previous) }),
	}
	slot.Store(fresh)
	return fresh
}
