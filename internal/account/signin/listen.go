package signin

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/db"
)

// listen forgets users as they change, until ctx ends. Whatever changed while it was not connected makes every entry
// invalid.
func (s *Service) listen(ctx context.Context) {
	db.Listen(ctx, s.pool, db.Listener{Channel: "itemcast_access", Log: s.log,
		Connected: s.forgetEverybody, Notified: s.notified, Disconnected: s.forgetEverybody})
}

// notified forgets what a notification of the triggers concerns (sql/migrations/00100_account.sql).
func (s *Service) notified(payload string) {
	kind, id, _ := strings.Cut(payload, " ")
	user, err := uuid.Parse(id)
	switch {
	case kind == "user" && err == nil:
		s.forgetUser(user)
	case kind == "session" && err == nil:
		s.forgetSessions(user)
	default:
		s.forgetEverybody()
	}
}
