package live

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/problem"
)

// Hub serves the subscribers of a node. Its methods may be called concurrently.
type Hub struct {
	pool       *pgxpool.Pool
	feed       *change.Feed
	maxPerUser int // connections, and streams
	decoded    decodedItems

	mu          sync.Mutex
	streams     map[streamKey]*stream
	opened      map[uuid.UUID]int // streams by the user who opened them
	connections map[uuid.UUID]int // by user

	bytes    atomic.Int64 // in the streams' messages
	behind   atomic.Int64 // followers with a reader of their own
	rendered atomic.Int64 // messages, by streams
}

// NewHub makes a hub over a feed. On one node, a user may have up to connectionsPerUser connections and as many
// distinct subscriptions.
func NewHub(pool *pgxpool.Pool, feed *change.Feed, connectionsPerUser int, log *slog.Logger) *Hub {
	return &Hub{
		pool: pool, feed: feed, maxPerUser: connectionsPerUser, decoded: decodedItems{log: log},
		streams: map[streamKey]*stream{}, opened: map[uuid.UUID]int{}, connections: map[uuid.UUID]int{},
	}
}

// Present returns the cursor of the log's newest change.
func (h *Hub) Present() string { return h.feed.Cursor(h.feed.Head()) }

// Admit counts a connection of a user until release is called. Error: TOO_MANY_REQUESTS when the user has as many as
// allowed.
func (h *Hub) Admit(actor account.Actor) (release func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.connections[actor.UserID] >= h.maxPerUser {
		return nil, problem.New(problem.TooManyRequests, "You have %d open connections, the limit for a user; "+
			"close some. (The operator sets it with ITEMCAST_CONNECTIONS_PER_USER.)", h.maxPerUser)
	}
	h.connections[actor.UserID]++
	return func() { h.release(actor.UserID) }, nil
}

func (h *Hub) release(user uuid.UUID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.connections[user]--; h.connections[user] == 0 {
		delete(h.connections, user)
	}
}

// Forget drops all rendered messages: call it when the items that roles may see have changed. Followers that have not
// taken the messages read the log again, under the new visibility.
func (h *Hub) Forget() {
	h.mu.Lock()
	streams := slices.Collect(maps.Values(h.streams))
	h.mu.Unlock()
	for _, s := range streams {
		s.dropMessages()
	}
}
