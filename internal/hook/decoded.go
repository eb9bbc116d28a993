package hook

import (
	"itemcast/internal/change"
	"itemcast/internal/item"
)

// DecodedItems are the items of changes, decoded once for all filters. They are for one goroutine.
type DecodedItems struct {
	items, previous map[*change.Change]*item.Item
}

// NewDecodedItems makes DecodedItems for a batch of changes.
func NewDecodedItems() *DecodedItems {
	return &DecodedItems{items: make(map[*change.Change]*item.Item), previous: make(map[*change.Change]*item.Item)}
}

// after returns the item after a change.
func (d *DecodedItems) after(c *change.Change) (*item.Item, error) {
	return once(d.items, c, func() (*item.Item, error) { return item.Decode(c.Document) })
}

// before returns the item before a change.
func (d *DecodedItems) before(c *change.Change) (*item.Item, error) {
	return once(d.previous, c, func() (*item.Item, error) { return item.Before(c.Document, c.Previous) })
}

func once(
	decoded map[*change.Change]*item.Item, c *change.Change, decode func() (*item.Item, error),
) (*item.Item, error) {
	if i, ok := decoded[c]; ok {
		return i, nil
	}
	i, err := decode()
	if err == nil {
		decoded[c] = i
	}
	return i, err
}
