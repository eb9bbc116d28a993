package hook

import (
	"log/slog"

	"itemcast/internal/change"
	"itemcast/internal/item"
)

// DecodedItems are the items of a batch of changes, decoded once for all filters. They are for one goroutine.
type DecodedItems struct {
	log      *slog.Logger
	versions map[*change.Change]*item.Versions
}

// NewDecodedItems makes DecodedItems for a batch of changes.
func NewDecodedItems(log *slog.Logger) *DecodedItems {
	return &DecodedItems{log: log, versions: make(map[*change.Change]*item.Versions)}
}

func (d *DecodedItems) of(c *change.Change) *item.Versions {
	versions, ok := d.versions[c]
	if !ok {
		versions = item.VersionsOf(c, d.log)
		d.versions[c] = versions
	}
	return versions
}
