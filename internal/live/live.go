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
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/workflow"
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

// What one Read does at most: it is for subscribers that have to be answered, however much of the log their filter leaves out.
const (
	scanChanges = 10_000
	scanTime    = time.Second // a filter that searches asks Postgres of each change
	scanBytes   = 4 << 20     // of documents that are told
)

// Event is a change as one subscriber is told of it.
type Event struct {
	Cursor        string
	Kind          Kind
	Revision      int64
	ChangedFields []string
	OccurredAt    time.Time
	Actor         *uuid.UUID
	Trigger       string
	Document      json.RawMessage
}

// Hub serves the subscribers of a node. Its methods may be called concurrently.
type Hub struct {
	pool    *pgxpool.Pool
	feed    *change.Feed
	most    int // connections of one user, and streams
	decoded decodedItems

	mu          sync.Mutex
	streams     map[streamKey]*stream
	opened      map[uuid.UUID]int // streams, by user
	connections map[uuid.UUID]int // by user

	bytes    atomic.Int64 // that the streams keep
	behind   atomic.Int64 // followers that read alone
	rendered atomic.Int64 // messages, by streams
}

// NewHub makes a hub over a feed. A user may keep a number of connections open on a node, and follow by as many different subscriptions.
func NewHub(pool *pgxpool.Pool, feed *change.Feed, connectionsPerUser int) *Hub {
	return &Hub{pool: pool, feed: feed, most: connectionsPerUser, streams: map[streamKey]*stream{}, opened: map[uuid.UUID]int{}, connections: map[uuid.UUID]int{}}
}

// Present is the cursor of now.
func (h *Hub) Present() string { return h.feed.Cursor(h.feed.Head()) }

// Subscription is one subscriber's place in the log. It is used by one goroutine.
type Subscription struct {
	hub      *Hub
	account  uuid.UUID
	role     *uuid.UUID
	position change.Position
	matcher  *item.Matcher
	filtered bool
	kinds    []Kind
	items    []uuid.UUID
	fields   []string
	pending  []*change.Change
	hidden   workflow.Hidden // from the role, of the changes that are pending
}

// Subscribe starts after a cursor, or at the present when that is empty. Errors: INVALID_CURSOR, CURSOR_EXPIRED, INVALID_INPUT, and those
// of account.Authorize.
func (h *Hub) Subscribe(ctx context.Context, after string, filter *item.Filter, kinds []Kind) (*Subscription, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	s := &Subscription{hub: h, account: actor.AccountID, role: actor.RoleIn(), position: h.feed.Head(), kinds: kinds}
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

// Only narrows what the subscriber is told to changes of any of the items, and to those of any of the fields; nil lets all pass.
func (s *Subscription) Only(items []uuid.UUID, fields []string) { s.items, s.fields = items, fields }

// Renew makes the subscription that of who acts in ctx: a later sign-in of the same user, whose permissions are those of now. Errors are
// those of account.Authorize.
func (s *Subscription) Renew(ctx context.Context) error {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return err
	}
	if actor.AccountID != s.account {
		return problem.New(problem.Forbidden, "You belong to another account now; subscribe anew.")
	}
	s.role, s.pending = actor.RoleIn(), nil
	return nil
}

// Cursor leads to what the subscriber has not been told yet: past all that was looked at, told or not.
func (s *Subscription) Cursor() string { return s.hub.feed.Cursor(s.position) }

// Read returns the next events, at most limit, without waiting for any. It looks at a bounded part of the log; more says that there is
// more to look at already. What fails after the first event fails the next Read. Error: CURSOR_EXPIRED when the subscriber has fallen behind
// what the log keeps.
func (s *Subscription) Read(ctx context.Context, limit int) (events []*Event, more bool, err error) {
	size, enough := 0, time.Now().Add(scanTime)
	for n := 0; n < scanChanges && len(events) < limit && size < scanBytes && time.Now().Before(enough); n++ {
		event, looked, err := s.step(ctx)
		if err != nil && len(events) == 0 {
			return nil, false, err
		}
		if err != nil || !looked {
			break
		}
		if event != nil {
			events = append(events, event)
			size += len(event.Document)
		}
	}
	return events, s.position < s.hub.feed.Head(), nil
}

// Wait returns when there is more of the log to look at, or with ctx's error.
func (s *Subscription) Wait(ctx context.Context) error { return s.hub.feed.Wait(ctx, s.position) }

// step looks at the next change: the event that the subscriber is told, or nil; looked is false when there is no change yet. A step that
// fails can be taken again.
func (s *Subscription) step(ctx context.Context) (event *Event, looked bool, err error) {
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

// fetch reads what is next in the log, and after that, and only if there are items among it that have a workflow profile, what is hidden: what
// is asked later than the changes knows of every profile that they name, and of its roles as they are.
func (s *Subscription) fetch(ctx context.Context) error {
	pending, err := s.hub.feed.Read(ctx, s.position, readBatch)
	if err != nil {
		return err
	}
	hidden := workflow.Hidden(nil)
	if slices.ContainsFunc(pending, func(c *change.Change) bool {
		return c.AccountID == s.account && (workflow.Names(c.Document) || mayHaveLeft(c))
	}) {
		if hidden, err = workflow.HiddenFrom(ctx, s.hub.pool, s.account, s.role); err != nil {
			return err
		}
	}
	s.pending, s.hidden = pending, hidden
	return nil
}

// mayHaveLeft reports whether a change has taken an item off a workflow profile.
func mayHaveLeft(c *change.Change) bool { return slices.Contains(c.ChangedFields, "workflow") }

// sight says how a change appears to a role from which profiles are hidden. An item that was in sight and is not is told as it was last seen.
func (s *Subscription) sight(c *change.Change) (kind Kind, document []byte, err error) {
	hides, err := s.hidden.Hides(c.Document)
	if err != nil {
		return "", nil, err
	}
	if len(s.hidden) == 0 || !mayHaveLeft(c) {
		if hides {
			return "", nil, nil
		}
		return Kind(c.Kind), c.Document, nil
	}
	before, err := s.hub.decoded.of(c).before()
	if err != nil {
		return "", nil, err
	}
	was := before.Workflow != nil && slices.Contains(s.hidden, before.Workflow.ProfileID)
	switch {
	case hides && was:
		return "", nil, nil
	case was:
		return Entered, c.Document, nil
	case hides:
		last := *before
		last.Revision = c.Revision - 1
		document, err = item.Encode(&last)
		return Left, document, err
	}
	return Kind(c.Kind), c.Document, nil
}

// event is what this subscriber is told of c; nil when nothing.
func (s *Subscription) event(ctx context.Context, c *change.Change) (*Event, error) {
	if c.AccountID != s.account ||
		len(s.items) > 0 && !slices.Contains(s.items, c.ItemID) ||
		len(s.fields) > 0 && !slices.ContainsFunc(c.ChangedFields, func(field string) bool { return slices.Contains(s.fields, field) }) {
		return nil, nil
	}
	seen, document, err := s.sight(c)
	if err != nil || seen == "" {
		return nil, err
	}
	kind, err := s.kind(ctx, c, seen)
	if err != nil || kind == "" || (len(s.kinds) > 0 && !slices.Contains(s.kinds, kind)) {
		return nil, err
	}
	event := s.hub.tell(c, kind)
	event.Document = document
	return event, nil
}

// Event is a change as the history tells of it.
func (h *Hub) Event(c *change.Change) *Event { return h.tell(c, Kind(c.Kind)) }

func (h *Hub) tell(c *change.Change, kind Kind) *Event {
	return &Event{Cursor: h.feed.Cursor(c.Position), Kind: kind, Revision: c.Revision, ChangedFields: c.ChangedFields, OccurredAt: c.OccurredAt,
		Actor: c.Actor, Trigger: c.Trigger, Document: c.Document}
}

// kind says how a change that appears as a kind does so through the filter; "" when not at all.
func (s *Subscription) kind(ctx context.Context, c *change.Change, kind Kind) (Kind, error) {
	if !s.filtered {
		return kind, nil
	}
	of := s.hub.decoded.of(c)
	i, err := of.now()
	if err != nil {
		return "", err
	}
	if kind == Left { // what it became is out of sight
		if i, err = of.before(); err != nil {
			return "", err
		}
	}
	matches, err := s.matcher.Match(ctx, i)
	if err != nil {
		return "", err
	}
	if kind != Kind(change.Updated) {
		if !matches {
			kind = ""
		}
		return kind, nil
	}
	before, err := of.before()
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
