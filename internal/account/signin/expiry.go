package signin

import (
	"context"
	"errors"
	"time"

	"itemcast/internal/account/internal/store"
)

const expiryInterval = time.Hour

// runExpiry deletes expired sessions and reset links, and old counts of the use of access tokens, once an hour until
// ctx ends. Sessions and links are invalid before that.
func (s *Service) runExpiry(ctx context.Context) {
	tick := time.NewTicker(expiryInterval)
	defer tick.Stop()
	for {
		q := store.New(s.pool)
		err := errors.Join(q.DropExpiredSessions(ctx, time.Now().Add(-s.idleTimeout)), q.DropExpiredResetLinks(ctx),
			q.DropOldTokenUse(ctx))
		if err != nil && ctx.Err() == nil {
			s.log.Warn("cannot delete expired sessions, reset links and token counts; retrying in an hour", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
