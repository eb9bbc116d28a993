package signin

import (
	"context"
	"time"

	"itemcast/internal/account/internal/store"
)

const (
	useInterval = 5 * time.Second // between two statements that record the use of access tokens

	// meterMemory is how long an unused meter stays. After a minute it is as good as new.
	meterMemory = 2 * time.Minute
)

// runUse records the use of access tokens in the background, all of them by one statement, until ctx ends. Counting
// thus costs a request no statement, and never touches the row that sign-ins read.
func (s *Service) runUse(ctx context.Context) {
	tick := time.NewTicker(useInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.recordUse(context.WithoutCancel(ctx))
			return
		case <-tick.C:
			s.recordUse(ctx)
		}
	}
}

// recordUse adds what was counted since the last call to the database. What it cannot record, the next call does.
func (s *Service) recordUse(ctx context.Context) {
	used := s.meters.take()
	if len(used.TokenIds) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	if err := store.New(s.pool).RecordTokenUse(ctx, used); err != nil {
		s.meters.putBack(used)
		s.log.Warn("cannot record the use of access tokens; retrying", "tokens", len(used.TokenIds), "error", err)
	}
}

// take returns what was counted since the last call, and forgets meters that nobody has used lately.
func (m *meters) take() (used store.RecordTokenUseParams) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	for id, one := range m.all {
		switch {
		case one.requests > 0:
			used.TokenIds = append(used.TokenIds, id)
			used.UsedAts = append(used.UsedAts, one.usedAt)
			used.Addresses = append(used.Addresses, one.address)
			used.Requests = append(used.Requests, one.requests)
			one.requests = 0
		case now.Sub(one.usedAt) > meterMemory:
			delete(m.all, id)
		}
	}
	return used
}

// putBack adds what could not be recorded to what was counted meanwhile.
func (m *meters) putBack(used store.RecordTokenUseParams) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, id := range used.TokenIds {
		if one := m.all[id]; one != nil {
			one.requests += used.Requests[i]
		}
	}
}
