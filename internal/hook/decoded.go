package hook

import (
	"log/slog"

	"itemcast/internal/change"
	"itemcast/internal/item"
)

// DecodedItems are the items of changes, decoded once for all filters. They are for one goroutine.
type DecodedItems struct {
	log             *slog.Logger
	items, previous map[*change.Change]*item.Item
}

// NewDecodedItems makes DecodedItems for a batch of changes.
func NewDecodedItems(log *slog.Logger) *DecodedItems {
	return &DecodedItems{
		log: log, items: make(map[*change.Change]*item.Item), previous: make(map[*change.Change]*item.Item),
	}
}

// after returns the item after a change; nil if its document cannot be decoded.
func (d *DecodedItems) after(c *change.Change) *item.Item {
	return d.once(d.items, c, func() (*item.Item, error) { return item.Decode(c.Document) })
}

// before returns the item before a change; nil if its document cannot be decoded.
func (d *DecodedItems) before(c *change.Change) *item.Item {
	return d.once(d.previous, c, func() (*item.Item, error) { return item.Before(c.Document, c.Previous) })
}

// once decodes an item unless it has been decoded. A fault is logged, not returned: as an error, it would stop every
// hook at this change for ever.
func (d *DecodedItems) once(
	decoded map[*change.Change]*item.Item, c *change.Change, decode func() (*item.Item, error),
) *item.Item {
	if i, ok := decoded[c]; ok {
		return i
	}
	i, err := decode()
	if err != nil {
		d.log.Error("a change's item cannot be decoded: it matches no filter of a hook", "error", err,
			"item_id", c.ItemID, "position", c.Position)
		i = nil
	}
	decoded[c] = i
	return i
}
