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
	opened      map[uuid.UUID]int // streams by the client that opened them (clientOf)
	connections map[uuid.UUID]int // by client

	bytes    atomic.Int64 // in the streams' messages
	behind   atomic.Int64 // followers with a reader of their own
	rendered atomic.Int64 // messages, by streams
}

// NewHub makes a hub over a feed. On one node, a user may have up to connectionsPerUser connections and as many
// distinct subscriptions; an access token has as many of its own.
func NewHub(pool *pgxpool.Pool, feed *change.Feed, connectionsPerUser int, log *slog.Logger) *Hub {
	return &Hub{
		pool: pool, feed: feed, maxPerUser: connectionsPerUser, decoded: decodedItems{log: log},
		streams: map[streamKey]*stream{}, opened: map[uuid.UUID]int{}, connections: map[uuid.UUID]int{},
	}
}

// Present returns a cursor of the log's newest change.
func (h *Hub) Present() string { return h.feed.Checkpoint(h.feed.Head()) }

// clientOf returns whom an actor's connections count for: the access token, so that the readers of a public page leave
// the connections of the token's user free, or else the user.
func clientOf(actor account.Actor) uuid.UUID {
	if actor.Token != nil {
		return actor.Token.ID
	}
	return actor.UserID
}

// Admit counts a connection of a user, or of an access token, until release is called. Error: TOO_MANY_REQUESTS when
// there are as many as allowed.
func (h *Hub) Admit(actor account.Actor) (release func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	client := clientOf(actor)
	if h.connections[client] >= h.maxPerUser {
		return nil, problem.New(problem.TooManyRequests, "You have %d open connections, the limit for a user or an access "+
			"token; close some. (The operator sets it with ITEMCAST_CONNECTIONS_PER_USER.)", h.maxPerUser)
	}
	h.connections[client]++
	return func() { h.release(client) }, nil
}

func (h *Hub) release(client uuid.UUID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.connections[client]--; h.connections[client] == 0 {
		delete(h.connections, client)
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
