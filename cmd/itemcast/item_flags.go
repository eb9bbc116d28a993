package main

import (
	"time"

	"itemcast/internal/item"
)

// itemFlags are the flags that select items.
type itemFlags struct {
	Search         string            `help:"Only items that match a full-text search. As in a web search, all words must match, the last one as a beginning; use \"a phrase\", or, -word." placeholder:"TEXT"`
	Tags           []string          `help:"Only items with any of these tags. Separate tags with commas, or repeat the flag; write a comma in a tag as \\,"`
	Type           []item.ItemType   `help:"Only items of any of these types: ${enum}." enum:"video,audio,image,document,live"`
	Privacy        []item.Privacy    `help:"Only items with any of these privacies: ${enum}." enum:"public,unlisted,private"`
	WorkflowStatus []string          `help:"Only items with any of these workflow statuses, separated by commas; write a comma in one as \\,"`
	CreatedAfter   *instant          `help:"Only items created after a time, such as 2026-01-31T12:00:00Z." placeholder:"TIME"`
	CreatedBefore  *instant          `help:"Only items created before a time." placeholder:"TIME"`
	UpdatedAfter   *instant          `help:"Only items changed after a time." placeholder:"TIME"`
	Metadata       map[string]string `help:"Only items whose metadata field KEY has VALUE. Repeat it to require several." mapsep:"none" placeholder:"KEY=VALUE"`
}

func (f itemFlags) filter() item.Filter {
	return item.Filter{Search: f.Search, Tags: f.Tags, Types: f.Type, Privacies: f.Privacy,
		WorkflowStatuses: f.WorkflowStatus, CreatedAfter: (*time.Time)(f.CreatedAfter),
		CreatedBefore: (*time.Time)(f.CreatedBefore), UpdatedAfter: (*time.Time)(f.UpdatedAfter), Metadata: f.Metadata}
}
