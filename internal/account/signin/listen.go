package signin

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/db"
)

// listen invalidates cached users as they change, until ctx ends. When it connects and when it loses the connection, it
// invalidates all of them, because notifications may have been missed.
func (s *Service) listen(ctx context.Context) {
	db.Listen(ctx, s.pool, db.Listener{Channel: "itemcast_access", Log: s.log,
		Connected: func() { s.forgetEverybody(); s.origins.reload.Send() },
		Notified:  s.notified, Disconnected: s.forgetEverybody})
}

// notified invalidates the user, the sessions or the access token that a notification names (the triggers of
// sql/migrations/00100_account.sql and 00114_access_token.sql).
func (s *Service) notified(payload string) {
	kind, id, _ := strings.Cut(payload, " ")
	if kind == "token" {
		s.origins.reload.Send()
	}
	named, err := uuid.Parse(id)
	switch {
	case kind == "user" && err == nil:
		s.forgetUser(named)
	case kind == "session" && err == nil:
		s.forgetSessions(named)
	case kind == "token" && err == nil:
		s.forgetToken(named)
	default:
		s.forgetEverybody()
	}
}
