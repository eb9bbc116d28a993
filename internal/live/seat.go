package live

import (
	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

// Admit counts one more connection that a user keeps open, until leave is called. Error: TOO_MANY_REQUESTS when the user has as many as one
// may have on a node.
func (h *Hub) Admit(actor account.Actor) (leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.connections[actor.UserID] >= h.most {
		return nil, problem.New(problem.TooManyRequests,
			"You keep %d connections open, as many as a user may; close some. (The operator's setting is ITEMCAST_CONNECTIONS_PER_USER.)", h.most)
	}
	h.connections[actor.UserID]++
	return func() { h.leave(actor.UserID) }, nil
}

func (h *Hub) leave(user uuid.UUID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.connections[user]--; h.connections[user] == 0 {
		delete(h.connections, user)
	}
}
