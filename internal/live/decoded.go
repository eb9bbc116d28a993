package live

import (
	"log/slog"
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

// decoded is the item of the change at a position.
type decoded struct {
	position change.Position
	*item.Versions
}

func (d *decodedItems) of(c *change.Change) *decoded {
	slot := &d.slots[int(c.Position)%len(d.slots)]
	if cached := slot.Load(); cached != nil && cached.position == c.Position {
		return cached
	}
	fresh := &decoded{c.Position, item.VersionsOf(c, d.log)}
	slot.Store(fresh)
	return fresh
}
