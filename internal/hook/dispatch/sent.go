package dispatch

import (
	"context"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/hook"
	"itemcast/internal/hook/internal/store"
)

// directSent is the result of a round at the time when it was closed. Nothing changes it after that, so it needs no
// lock. The zero value belongs to a fan-out that sends nothing directly.
type directSent struct {
	round    *direct
	arrived  []arrival
	inFlight map[deliveryKey]bool // unanswered or failed; their rows are inserted as claimed
	failures []outcome
}

// arrival is a delivery that has arrived, and its outcome.
type arrival struct {
	matched matched
	outcome outcome
}

// rest returns the deliveries that have not arrived.
func (s directSent) rest(deliveries []matched) []matched {
	if len(s.arrived) == 0 {
		return deliveries
	}
	arrived := make(map[deliveryKey]bool, len(s.arrived))
	for _, a := range s.arrived {
		arrived[a.matched.key()] = true
	}
	rest := make([]matched, 0, len(deliveries)-len(arrived))
	for _, m := range deliveries {
		if !arrived[m.key()] {
			rest = append(rest, m)
		}
	}
	return rest
}

// log writes what has arrived into the log of attempts.
func (s directSent) log(ctx context.Context, tx pgx.Tx) error {
	if len(s.arrived) == 0 {
		return nil
	}
	all := make([]settled, len(s.arrived))
	for n, a := range s.arrived {
		s.round.dispatcher.attempts.count(a.outcome.verdict)
		c, key := a.matched.change, a.matched.key()
		all[n] = settled{a.outcome, store.SettleDeliveriesRow{
			HookID: key.hook, Position: key.position, ID: hook.DeliveryID(key.hook, c), AccountID: c.AccountID,
			ItemID: c.ItemID, ChangeID: c.ID, Revision: c.Revision, Kind: string(c.Kind), CreatedAt: s.round.began,
			Number: 1,
		}}
	}
	return s.round.dispatcher.logAttempts(ctx, tx, all)
}

// settle ends a round with its transaction. After a commit, failures are results like any other. After a rollback,
// everything will be sent again, so requests that are still being sent are cancelled: they must not arrive later.
func (s directSent) settle(committed bool) {
	if s.round == nil {
		return
	}
	s.round.committed = committed
	close(s.round.settled)
	switch {
	case !committed:
		s.round.cancel()
	case len(s.failures) > 0:
		s.round.dispatcher.posts.Go(func() {
			for _, o := range s.failures {
				s.round.dispatcher.outcomes <- o
			}
		})
	}
}
