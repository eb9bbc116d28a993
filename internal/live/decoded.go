package live

import (
	"sync"
	"sync/atomic"

	"itemcast/internal/change"
	"itemcast/internal/item"
)

// decodedItems remembers the items of the newest changes, so that a change is decoded once for however many filters look at it.
type decodedItems [1024]atomic.Pointer[decoded]

// decoded is a change's item as it was before and after the change. It is shared between filters, and must not be modified.
type decoded struct {
	change *change.Change
	now    func() (*item.Item, error)
	before func() (*item.Item, error) // for an update
}

func (d *decodedItems) of(c *change.Change) *decoded {
	slot := &d[int(c.Position)%len(d)]
	if one := slot.Load(); one != nil && one.change.Position == c.Position {
		return one
	}
	one := &decoded{
		change: c,
		now:    sync.OnceValues(func() (*item.Item, error) { return item.Decode(c.Document) }),
		before: sync.OnceValues(func() (*item.Item, error) { return item.Before(c.Document, c.Previous) }),
	}
	slot.Store(one)
	return one
}
