package signin

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

// Quota is what an access token has left of its limit on this node.
type Quota struct {
	PerMinute int
	Remaining int
	More      time.Duration // until one request more is allowed; 0 when Remaining is PerMinute
}

// meter counts the requests of one access token.
type meter struct {
	limiter  *rate.Limiter
	usedAt   time.Time
	address  string // of the client that used it last
	requests int64  // since they were last recorded
}

// meters holds the meters of the access tokens that were used lately. Its methods may be called concurrently.
type meters struct {
	now func() time.Time

	mu        sync.Mutex
	all       map[uuid.UUID]*meter
	requests  int64 // since the start, for the metrics
	overLimit int64 // likewise, refused
}

func newMeters() *meters { return &meters{now: time.Now, all: map[uuid.UUID]*meter{}} }

// Spend counts a request of an access token's actor. Each node counts on its own. Error: TOO_MANY_REQUESTS, with the
// time to wait; the request is not counted then.
func (s *Service) Spend(ctx context.Context, actor account.Actor) (Quota, error) {
	return s.meters.spend(actor.Token, account.AddressFrom(ctx))
}

func (m *meters) spend(token *account.Token, address string) (Quota, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	one := m.of(token)
	quota := Quota{PerMinute: token.PerMinute}
	allowed := one.limiter.AllowN(now, 1)
	left := one.limiter.TokensAt(now)
	quota.Remaining = max(0, int(left))
	if quota.Remaining < quota.PerMinute {
		missing := float64(quota.Remaining+1) - left
		quota.More = time.Duration(missing / float64(one.limiter.Limit()) * float64(time.Second))
	}
	if !allowed {
		m.overLimit++
		return quota, &problem.Error{Code: problem.TooManyRequests, RetryAfter: quota.More, Detail: fmt.Sprintf(
			"The access token is over its limit of %d requests a minute. Send fewer, or ask its creator for a higher limit.",
			token.PerMinute)}
	}
	m.requests++
	one.requests++
	one.usedAt, one.address = now, address
	return quota, nil
}

// of returns a token's meter. A token may spend the requests of a minute at once, and regains them evenly.
func (m *meters) of(token *account.Token) *meter {
	limit := rate.Limit(float64(token.PerMinute) / time.Minute.Seconds())
	one := m.all[token.ID]
	switch {
	case one == nil:
		one = &meter{limiter: rate.NewLimiter(limit, token.PerMinute)}
		m.all[token.ID] = one
	case one.limiter.Burst() != token.PerMinute:
		one.limiter.SetLimitAt(m.now(), limit)
		one.limiter.SetBurstAt(m.now(), token.PerMinute)
	}
	return one
}
