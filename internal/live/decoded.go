package live

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"itemcast/internal/change"
	"itemcast/internal/item"
)

// decodedItems caches the items of the newest changes, so that each change is decoded once for all filters. It may be
// used concurrently: a slot is replaced as a whole.
type decodedItems struct {
	log   *slog.Logger
	slots [1024]atomic.Pointer[decoded]
}

// decoded is a change's item before and after the change; nil if the document cannot be decoded. Filters share it and
// must not modify it.
type decoded struct {
	position change.Position
	after    func() *item.Item
	before   func() *item.Item // for an update
}

func (d *decodedItems) of(c *change.Change) *decoded {
	slot := &d.slots[int(c.Position)%len(d.slots)]
	if cached := slot.Load(); cached != nil && cached.position == c.Position {
		return cached
	}
	fresh := &decoded{
		position: c.Position,
		after:    d.once(c, func() (*item.Item, error) { return item.Decode(c.Document) }),
		before:   d.once(c, func() (*item.Item, error) { return item.Before(c.Document, c.Previous) }),
	}
	slot.Store(fresh)
	return fresh
}

// once makes a decoder run once. A fault is logged, not returned: as an error, it would stop every subscription at this
// change for ever.
func (d *decodedItems) once(c *change.Change, decode func() (*item.Item, error)) func() *item.Item {
	return sync.OnceValue(func() *item.Item {
		i, err := decode()
		if err != nil {
			d.log.Error("a change's item cannot be decoded: it matches no filter of a subscription", "error", err,
				"item_id", c.ItemID, "position", c.Position)
			return nil
		}
		return i
	})
}
