package web

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/web/text"
)

// changesPerPage is the number of changes of a page of the history.
const changesPerPage = 20

// historyView is the history of an item, newest first.
type historyView struct {
	Action  string
	Token   string // of this page of it
	Entries []entryView
	Older   string // address
	Newest  string // address; "" on the first page
	MayEdit bool
}

// entryView is a change of an item.
type entryView struct {
	Number      int64
	Kind        string // in words
	Who         *string
	At          moment
	Differences []difference
	CanPutBack  bool
}

// difference is a field before and after a change.
type difference struct{ Label, Old, New string }

// Labels returns the names of the fields that differ.
func (e entryView) Labels() string {
	var labels []string
	for _, d := range e.Differences {
		labels = append(labels, d.Label)
	}
	return strings.Join(labels, ", ")
}

func (c *call) history(i *item.Item, names names) (historyView, error) {
	h := historyView{Action: c.itemPath(i.ID), Token: c.URL.Query().Get("history"), MayEdit: c.may(account.ItemsEdit)}
	changes, next, err := c.pages.Config.Items.History(c.Context(), i.ID, changesPerPage, h.Token)
	if err != nil {
		return h, err
	}
	if h.Token != "" {
		h.Newest = c.itemPath(i.ID) + "#history"
	}
	if next != "" {
		h.Older = c.itemPath(i.ID) + "?history=" + next + "#history" // a page token needs no escapes
	}
	for _, change := range changes {
		entry := entryView{Number: change.Revision, Kind: c.text.Get("change." + string(change.Kind)),
			Who: names.of(change.Actor), At: momentOf(c.text, change.OccurredAt),
			CanPutBack: h.MayEdit && change.Revision < i.Revision}
		if entry.Differences, err = c.differences(change); err != nil {
			return h, err
		}
		if change.Trigger != "hook" && len(entry.Differences) == 0 {
			entry.CanPutBack = false
		}
		h.Entries = append(h.Entries, entry)
	}
	return h, nil
}

// differences returns what a change has altered, field by field.
func (c *call) differences(ch *change.Change) (all []difference, err error) {
	if ch.Kind != change.Updated || len(ch.Previous) == 0 {
		return nil, nil
	}
	after, err := item.Decode(ch.Document)
	if err != nil {
		return nil, err
	}
	before, err := item.Before(ch.Document, ch.Previous)
	if err != nil {
		return nil, err
	}
	for _, name := range ch.ChangedFields {
		if name == "metadata" {
			all = append(all, metadataDifferences(before, after)...)
			continue
		}
		d := difference{Label: c.text.Or("item."+name, name), Old: c.fieldText(name, before), New: c.fieldText(name, after)}
		if name == "tags" {
			d.Old, d.New = onlyIn(before.Tags, after.Tags), onlyIn(after.Tags, before.Tags)
		}
		all = append(all, d)
	}
	return all, nil
}

// onlyIn returns the texts of one list that another lacks.
func onlyIn(list, other []string) string {
	var only []string
	for _, entry := range list {
		if !slices.Contains(other, entry) {
			only = append(only, entry)
		}
	}
	return strings.Join(only, ", ")
}

func metadataDifferences(before, after *item.Item) (all []difference) {
	keys := map[string]bool{}
	for _, raw := range []json.RawMessage{before.Metadata, after.Metadata} {
		var values map[string]json.RawMessage
		if json.Unmarshal(raw, &values) == nil {
			for key := range values {
				keys[key] = true
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if was, is := metadataText(before, key), metadataText(after, key); was != is {
			all = append(all, difference{Label: key, Old: was, New: is})
		}
	}
	return all
}

// fieldText returns a field of an item as people read it.
func (c *call) fieldText(name string, i *item.Item) string {
	optional := func(value *string) string {
		if value == nil {
			return ""
		}
		return *value
	}
	switch name {
	case "name":
		return i.Name
	case "description":
		return i.Description
	case "type":
		return c.text.Get("type." + string(i.Type))
	case "privacy":
		return c.text.Get("privacy." + string(i.Privacy))
	case "language":
		return optional(i.Language)
	case "producer":
		return optional(i.Producer)
	case "embed_code":
		return optional(i.EmbedCode)
	case "player_url":
		return optional(i.PlayerURL)
	case "duration":
		if i.Duration == nil {
			return ""
		}
		return text.Duration(*i.Duration)
	case "assets":
		return c.text.Count("item.files", len(i.Assets))
	case "snapshots":
		return c.text.Count("item.pictures", len(i.Snapshots))
	case "snapshot_id":
		if i.SnapshotID == nil {
			return ""
		}
		return i.SnapshotID.String()[:8]
	case "workflow":
		if b := workflowBadge(c.text, i.Workflow); b != nil {
			return b.Text
		}
	case "published_at":
		if i.PublishedAt != nil {
			return c.text.Time(*i.PublishedAt)
		}
	case "client_data":
		return string(i.ClientData)
	}
	return ""
}

// restore puts the fields that people write back to what they were at a revision. Files stay as they are. It is a
// change like any other, so it can be put back too.
func (c *call) restore(i *item.Item) (notice, error) {
	number, err := strconv.ParseInt(c.value("revision"), 10, 64)
	if err != nil {
		return notice{}, problem.New(problem.BadRequest, "The form does not say which revision to put back.")
	}
	was, _, err := c.revisionOf(i.ID, number)
	if err != nil {
		return notice{}, err
	}
	if was == nil {
		return notice{}, problem.New(problem.NotFound, "The log no longer has this revision.")
	}
	fields, err := c.itemFields(i)
	if err != nil {
		return notice{}, err
	}
	patch := putBack(fields, was, i)
	if len(patch) == 0 {
		return done("item.unchanged"), nil
	}
	_, err = c.pages.Config.Items.Patch(c.Context(), i.ID, mustJSON(patch), revision.Is(i.Revision))
	return done("item.restored", number), err
}

// putBack returns the merge patch that makes the fields of an item what they were.
func putBack(fields []itemField, was, is *item.Item) map[string]any {
	patch, metadata := map[string]any{}, map[string]any{}
	for _, f := range fields {
		if f.key == "" && f.read(was) != f.read(is) {
			patch[f.Name] = f.json(f.read(was))
		}
	}
	for _, d := range metadataDifferences(is, was) {
		metadata[d.Label] = nil
	}
	var values map[string]json.RawMessage
	if json.Unmarshal(was.Metadata, &values) == nil {
		for key := range metadata {
			if value, had := values[key]; had {
				metadata[key] = value
			}
		}
	}
	if len(metadata) > 0 {
		patch["metadata"] = metadata
	}
	return patch
}
