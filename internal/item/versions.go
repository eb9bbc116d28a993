package item

import (
	"log/slog"
	"sync"

	"itemcast/internal/change"
)

// Versions are the item of a change, after it and before it. Each is decoded once, when it is first needed. Filters
// share them and must not modify them. They may be used concurrently.
type Versions struct {
	After  func() *Item
	Before func() *Item // for an update
}

// VersionsOf returns the versions of a change's item. A version that cannot be decoded is nil, which no filter matches.
// The fault is logged, not returned: as an error, it would stop every reader of the log at this change, for ever.
func VersionsOf(c *change.Change, log *slog.Logger) *Versions {
	once := func(decode func() (*Item, error)) func() *Item {
		return sync.OnceValue(func() *Item {
			i, err := decode()
			if err != nil {
				log.Error("a change's item cannot be decoded: it matches no filter", "error", err,
					"item_id", c.ItemID, "position", c.Position)
				return nil
			}
			return i
		})
	}
	return &Versions{
		After:  once(func() (*Item, error) { return Decode(c.Document) }),
		Before: once(func() (*Item, error) { return Before(c.Document, c.Previous) }),
	}
}
