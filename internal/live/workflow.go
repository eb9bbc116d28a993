package live

import (
	"context"
	"slices"

	"itemcast/internal/change"
	"itemcast/internal/item"
)

// Waits reports whether a workflow waits for the subscriber, as it is before or after a change.
type Waits func(ctx context.Context, c *change.Change, w item.ItemWorkflow) (bool, error)

// OnlyWorkflows limits the subscription to changes of the items' workflows. With waits, it follows an inbox: an item
// that begins to wait for the subscriber is ENTERED, and one that no longer waits is LEFT. Nil means all.
func (s *Subscription) OnlyWorkflows(waits Waits) { s.workflows, s.waits = true, waits }

// altersWorkflow reports whether a change may concern a workflow. Of an item that is created or deleted, the document
// tells.
func altersWorkflow(c *change.Change) bool {
	switch c.Kind {
	case change.Created, change.Deleted:
		return true
	case change.Updated:
		return slices.Contains(c.ChangedFields, "workflow")
	}
	return false
}

// workflowKind returns the kind of a change as one of workflows, or of the inbox; "" when it is none. kind is that of
// the item.
func (s *Subscription) workflowKind(ctx context.Context, c *change.Change, kind Kind) (Kind, error) {
	versions := s.hub.decoded.of(c)
	switch {
	case kind == Kind(change.Updated) && s.waits == nil:
		return kind, nil
	case kind == Kind(change.Updated):
		was, err := s.follows(ctx, c, versions.Before())
		if err != nil {
			return "", err
		}
		is, err := s.follows(ctx, c, versions.After())
		return moved(kind, was, is), err
	case kind == Left:
		was, err := s.follows(ctx, c, versions.Before())
		return moved(kind, was, false), err
	}
	is, err := s.follows(ctx, c, versions.After())
	if !is {
		kind = ""
	}
	return kind, err
}

// follows reports whether the subscription is about a version of an item, nil for one that cannot be decoded.
func (s *Subscription) follows(ctx context.Context, c *change.Change, i *item.Item) (bool, error) {
	if i == nil || i.Workflow == nil || s.waits == nil {
		return i != nil && i.Workflow != nil, nil
	}
	return s.waits(ctx, c, *i.Workflow)
}
