package signin

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/wake"
)

// originsPause is the least time between two reads of the origins, however often tokens change.
const originsPause = 100 * time.Millisecond

// origins are the origins that access tokens name. During an outage of the database they stay as they were: whether a
// token works is checked by each request.
type origins struct {
	reload wake.Signal
	// Until when each is named; the zero time: for ever. Nil before the first read.
	current atomic.Pointer[map[string]time.Time]
}

func newOrigins() *origins { return &origins{reload: wake.New()} }

// AllowsOrigin reports whether an access token that has not expired names an origin, as a browser writes it. It never
// waits. A change of a token is known within a second.
func (s *Service) AllowsOrigin(origin string) bool {
	known := s.origins.current.Load()
	if known == nil {
		return false
	}
	ends, named := (*known)[origin]
	return named && (ends.IsZero() || time.Now().Before(ends))
}

func (s *Service) readOrigins(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	rows, err := store.New(s.pool).TokenOrigins(ctx)
	if err != nil {
		return fmt.Errorf("read the origins: %w", err)
	}
	named := make(map[string]time.Time, len(rows))
	for _, row := range rows {
		var ends time.Time
		if row.ExpiresAt != nil {
			ends = *row.ExpiresAt
		}
		if before, known := named[row.Origin]; !known || !before.IsZero() && (ends.IsZero() || ends.After(before)) {
			named[row.Origin] = ends
		}
	}
	s.origins.current.Store(&named)
	return nil
}
