package signin

import (
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"golang.org/x/time/rate"
)

// budget is a token bucket of attempts. The throttle's lock guards it, because an attempt checks several of them
// before it takes a token of any.
type budget struct {
	limiter *rate.Limiter
	audited time.Time // when a refusal was last recorded
}

// size says how many tokens a full budget holds, and how long it takes to regain one.
type size struct {
	burst  int
	refill time.Duration
}

type budgets = expirable.LRU[string, *budget]

// budgetOf returns the budget under a key, or a full one. It does not store the new one, so that a refused client does
// not displace others.
func budgetOf(all *budgets, key string, size size) *budget {
	if b, ok := all.Get(key); ok {
		return b
	}
	return &budget{limiter: rate.NewLimiter(rate.Every(size.refill), size.burst)}
}

// wait returns the time until there is a token; 0 when there is one.
func (b *budget) wait(now time.Time) time.Duration {
	missing := 1 - b.limiter.TokensAt(now)
	wait := time.Duration(missing / float64(b.limiter.Limit()) * float64(time.Second))
	return max(0, wait.Round(time.Microsecond)) // the tokens are floats, exact to nanoseconds at best
}

// take takes a token. The caller has checked that there is one.
func (b *budget) take(now time.Time) { b.limiter.ReserveN(now, 1) }

// refund puts a token back. Reservation.Cancel cannot: it has no effect once the time of the reservation has come,
// and an attempt is refunded after it was made. A reservation of -1 adds a token, up to the burst.
func (b *budget) refund(now time.Time) { b.limiter.ReserveN(now, -1) }
