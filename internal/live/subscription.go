package live

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// readBatch is how many changes a subscription takes from the log at once.
const readBatch = 256

// Limits of one Read. They bound its time however much of the log the filter leaves out.
const (
	maxScanned  = 10_000 // changes
	maxScanTime = time.Second
	maxRead     = 4 << 20 // bytes of documents
)

// Subscription is one subscriber's place in the log. It belongs to one goroutine.
type Subscription struct {
	hub       *Hub
	account   uuid.UUID
	sight     item.Sight      // of the subscriber
	position  change.Position // of the last change that was examined
	matcher   *item.Matcher
	filtered  bool
	kinds     []Kind
	items     []uuid.UUID
	fields    []string
	workflows bool  // only changes of workflows
	waits     Waits // only those of an inbox; nil: all
	pending   []*change.Change
	view      item.View // the sight of the pending changes
}

// Subscribe starts after a cursor, or at the present when the cursor is empty. Errors: INVALID_CURSOR, CURSOR_EXPIRED,
// INVALID_INPUT, and those of account.Authorize.
func (h *Hub) Subscribe(ctx context.Context, after string, filter *item.Filter, kinds []Kind) (*Subscription, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	s := &Subscription{hub: h, account: actor.AccountID, position: h.feed.Head(), kinds: kinds}
	if s.sight, err = item.SightOf(ctx, h.pool, actor); err != nil {
		return nil, err
	}
	if after != "" {
		if s.position, err = h.feed.ParseCursor(ctx, after); err != nil {
			return nil, err
		}
	}
	if filter != nil {
		s.filtered = true
		if s.matcher, err = item.NewMatcher(ctx, h.pool, actor.AccountID, *filter); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Only limits the subscription to changes of any of the items, and to changes of any of the fields. Nil means all.
func (s *Subscription) Only(items []uuid.UUID, fields []string) { s.items, s.fields = items, fields }

// Renew applies the permissions of the context's actor, who is the same user at a later time, to the following changes.
// Errors: those of account.Authorize; FORBIDDEN when the user belongs to another account.
func (s *Subscription) Renew(ctx context.Context) error {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return err
	}
	if actor.AccountID != s.account {
		return problem.New(problem.Forbidden, "You belong to another account now; subscribe again.")
	}
	sight, err := item.SightOf(ctx, s.hub.pool, actor)
	if err != nil {
		return err
	}
	s.sight, s.pending = sight, nil
	return nil
}

// Checkpoint returns a cursor of the last change that was examined, whether or not the change was an event.
func (s *Subscription) Checkpoint() string { return s.hub.feed.Checkpoint(s.position) }

// Read returns up to limit events without waiting for any. It examines a bounded part of the log; more reports whether
// the log has changes beyond that part. An error after the first event is returned by the next Read. Error:
// CURSOR_EXPIRED when the log no longer retains the subscription's place.
func (s *Subscription) Read(ctx context.Context, limit int) (events []*Event, more bool, err error) {
	size, deadline := 0, time.Now().Add(maxScanTime)
	for n := 0; n < maxScanned && len(events) < limit && size < maxRead && time.Now().Before(deadline); n++ {
		event, examined, err := s.step(ctx)
		if err != nil && len(events) == 0 {
			return nil, false, err
		}
		if err != nil || !examined {
			break
		}
		if event != nil {
			events = append(events, event)
			size += len(event.Document)
		}
	}
	if len(events) == 0 {
		return nil, s.position < s.hub.feed.Head(), nil
	}
	return events, s.hasMore(ctx, deadline), nil
}

// hasMore passes over changes that the subscriber does not see, and reports whether another follows. So a page whose
// last event is the subscriber's newest says so, whatever happened since that the subscriber may not see.
func (s *Subscription) hasMore(ctx context.Context, deadline time.Time) bool {
	for n := 0; s.position < s.hub.feed.Head() && n < maxScanned && time.Now().Before(deadline); n++ {
		if len(s.pending) == 0 && (s.fetch(ctx) != nil || len(s.pending) == 0) {
			break
		}
		if event, err := s.event(ctx, s.pending[0]); err != nil || event != nil {
			return true
		}
		s.position, s.pending = s.pending[0].Position, s.pending[1:]
	}
	return s.position < s.hub.feed.Head()
}

// Wait returns when the log has changes that were not examined, or with the context's error.
func (s *Subscription) Wait(ctx context.Context) error { return s.hub.feed.Wait(ctx, s.position) }

// step examines the next change. The event is nil when the subscriber does not see the change; examined is false when
// there is no change yet. After an error, the next step examines the same change.
func (s *Subscription) step(ctx context.Context) (event *Event, examined bool, err error) {
	if len(s.pending) == 0 {
		if err := s.fetch(ctx); err != nil || len(s.pending) == 0 {
			return nil, false, err
		}
	}
	c := s.pending[0]
	if event, err = s.event(ctx, c); err != nil {
		return nil, false, err
	}
	s.position, s.pending = c.Position, s.pending[1:]
	return event, true, nil
}

// fetch reads the next changes, and what the subscriber sees of them.
func (s *Subscription) fetch(ctx context.Context) error {
	pending, err := s.hub.feed.Read(ctx, s.position, readBatch)
	if err != nil {
		return err
	}
	view, err := s.sight.View(ctx, s.hub.pool, pending)
	if err != nil {
		return err
	}
	s.pending, s.view = pending, view
	return nil
}

// event returns a change as this subscriber sees it; nil when the subscriber does not see it.
func (s *Subscription) event(ctx context.Context, c *change.Change) (*Event, error) {
	if !s.concerns(c) || !s.alters(c) && !s.view.MayMove(c) {
		return nil, nil
	}
	visible, document, err := s.visible(c)
	if err != nil || visible == "" {
		return nil, err
	}
	isMove := visible == Entered || visible == Left
	if !isMove && !s.alters(c) {
		return nil, nil
	}
	kind := s.filter(c, visible)
	if kind != "" && s.workflows {
		if kind, err = s.workflowKind(ctx, c, kind); err != nil {
			return nil, err
		}
	}
	if kind == "" || (len(s.kinds) > 0 && !slices.Contains(s.kinds, kind)) {
		return nil, nil
	}
	event := s.hub.newEvent(c, kind, document)
	if isMove { // the fields are of a version that the subscriber may not see
		event.ChangedFields = []string{}
	}
	return event, nil
}

// concerns applies the criteria of the account and the items.
func (s *Subscription) concerns(c *change.Change) bool {
	return c.AccountID == s.account && (len(s.items) == 0 || slices.Contains(s.items, c.ItemID))
}

// alters applies the criterion of the fields. Changes that move the item in or out of sight are exempt: the
// subscriber could find out by it which fields were altered.
func (s *Subscription) alters(c *change.Change) bool {
	if s.workflows {
		return altersWorkflow(c)
	}
	isWanted := func(field string) bool { return slices.Contains(s.fields, field) }
	return len(s.fields) == 0 || slices.ContainsFunc(c.ChangedFields, isWanted)
}

// filter applies the filter to a change of a kind. An update that moves the item in or out of the filter becomes
// ENTERED or LEFT. The kind is "" when the change does not match.
func (s *Subscription) filter(c *change.Change, kind Kind) Kind {
	if !s.filtered {
		return kind
	}
	decoded := s.hub.decoded.of(c)
	after := decoded.After
	if kind == Left { // the subscriber may not see what the item became
		after = decoded.Before
	}
	matches := s.matcher.Match(after())
	if kind != Kind(change.Updated) {
		if !matches {
			kind = ""
		}
		return kind
	}
	return moved(kind, s.matcher.Match(decoded.Before()), matches)
}

// moved returns the kind of an update by whether the item matched before it, and matches after it.
func moved(kind Kind, matched, matches bool) Kind {
	switch {
	case !matched && !matches:
		return ""
	case matched && matches:
		return kind
	case matches:
		return Entered
	default:
		return Left
	}
}
