// Package live follows the log of item changes for subscribers: it filters, authorizes, and resumes from a cursor.
//
// It promises each subscriber every change that it asked for, in the log's order, once; after a resume, what follows the cursor. A
// subscriber that is slow is behind in the log and in nobody's way: it reads at its own pace, from memory while that reaches back, else
// from the database. It must not know how an event is rendered or sent.
package live

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/item"
)

// Kind is what a subscriber is told: the kind of the change, or how the item stands to the filter since.
type Kind string

// The kinds beside those of package change.
const (
	Entered Kind = "ENTERED" // an update made the item match
	Left    Kind = "LEFT"    // an update made the item match no longer
)

// readBatch is how many changes a subscriber takes from the log at once.
const readBatch = 256

// Event is a change as one subscriber is told of it.
type Event struct {
	Cursor        string
	Kind          Kind
	Revision      int64
	ChangedFields []string
	OccurredAt    time.Time
	Actor         *uuid.UUID
	Trigger       string
	Item          *item.Item
	Document      json.RawMessage
}

// Hub serves the subscribers of a node.
type Hub struct {
	pool *pgxpool.Pool
	feed *change.Feed
}

// NewHub makes a hub over a feed.
func NewHub(pool *pgxpool.Pool, feed *change.Feed) *Hub { return &Hub{pool: pool, feed: feed} }

// Subscription is one subscriber's place in the log. It is used by one goroutine.
type Subscription struct {
	hub      *Hub
	account  uuid.UUID
	position change.Position
	matcher  *item.Matcher
	filtered bool
	kinds    []Kind
	pending  []*change.Change
}

// Subscribe starts after a cursor, or at the present when that is empty. Errors: INVALID_CURSOR, CURSOR_EXPIRED, INVALID_INPUT, and those
// of account.Authorize.
func (h *Hub) Subscribe(ctx context.Context, after string, filter *item.Filter, kinds []Kind) (*Subscription, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	s := &Subscription{hub: h, account: actor.AccountID, position: h.feed.Head(), kinds: kinds}
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

// Next returns the next event, waiting for it until ctx ends. Error: CURSOR_EXPIRED when the subscriber has fallen behind what the log keeps.
func (s *Subscription) Next(ctx context.Context) (*Event, error) {
	for {
		for len(s.pending) > 0 {
			c := s.pending[0]
			s.pending = s.pending[1:]
			s.position = c.Position
			event, err := s.event(ctx, c)
			if err != nil || event != nil {
				return event, err
			}
		}
		if err := s.hub.feed.Wait(ctx, s.position); err != nil {
			return nil, err
		}
		changes, err := s.hub.feed.Read(ctx, s.position, readBatch)
		if err != nil {
			return nil, err
		}
		s.pending = changes
	}
}

// event is what this subscriber is told of c; nil when nothing.
func (s *Subscription) event(ctx context.Context, c *change.Change) (*Event, error) {
	if c.AccountID != s.account {
		return nil, nil
	}
	i, err := item.Decode(c.Document)
	if err != nil {
		return nil, err
	}
	kind, err := s.kind(ctx, c, i)
	if err != nil || kind == "" || (len(s.kinds) > 0 && !slices.Contains(s.kinds, kind)) {
		return nil, err
	}
	return s.hub.tell(c, kind, i), nil
}

// Event is a change as the history tells of it.
func (h *Hub) Event(c *change.Change) (*Event, error) {
	i, err := item.Decode(c.Document)
	if err != nil {
		return nil, err
	}
	return h.tell(c, Kind(c.Kind), i), nil
}

func (h *Hub) tell(c *change.Change, kind Kind, i *item.Item) *Event {
	return &Event{Cursor: h.feed.Cursor(c.Position), Kind: kind, Revision: c.Revision, ChangedFields: c.ChangedFields, OccurredAt: c.OccurredAt,
		Actor: c.Actor, Trigger: c.Trigger, Item: i, Document: c.Document}
}

// kind says how the change appears through the filter; "" when not at all.
func (s *Subscription) kind(ctx context.Context, c *change.Change, i *item.Item) (Kind, error) {
	kind := Kind(c.Kind)
	if !s.filtered {
		return kind, nil
	}
	matches, err := s.matcher.Match(ctx, i)
	if err != nil {
		return "", err
	}
	if c.Kind != change.Updated {
		if !matches {
			kind = ""
		}
		return kind, nil
	}
	before, err := item.Before(i, c.Previous)
	if err != nil {
		return "", err
	}
	matched, err := s.matcher.Match(ctx, before)
	switch {
	case err != nil || !matched && !matches:
		return "", err
	case matched && matches:
		return kind, nil
	case matches:
		return Entered, nil
	default:
		return Left, nil
	}
}
