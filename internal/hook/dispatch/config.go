package dispatch

import (
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
	"itemcast/internal/hook/sending"
)

// Config is what a Dispatcher is made of. Zero durations and numbers are replaced by the defaults named.
type Config struct {
	// Pool's statements should be planned for look-ups by index (db.OpenQueue): the queue is empty one minute and long the next.
	Pool   *pgxpool.Pool
	Feed   *change.Feed
	Sender *sending.Sender
	Log    *slog.Logger

	// Timeout is for one attempt, from dialling to the end of the answer: 15 s.
	Timeout time.Duration

	// Slack is what a claim lasts beyond Timeout, for writing the result: 10 s. Whatever becomes of the claimer, its claims lapse after both.
	Slack time.Duration

	// TakeOver is how long a node must have been missing before its claims are taken over, which is sooner than they lapse: 6 s. A node that cannot
	// reach Postgres for half of that stops posting.
	TakeOver time.Duration

	// Retries are the waits before the second and later attempts, each ±20 %: 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 10 h.
	Retries []time.Duration

	// DisableAfter is how long a hook may do nothing but fail before it is made inactive: five days.
	DisableAfter time.Duration

	// Quick is within what time a hook answers, of late, that is sent to directly by the fan-out: 10 ms. Below zero: none is.
	Quick time.Duration

	// Slots is how many deliveries of one hook this node has in flight at most: 64.
	Slots int

	// Sweep is how often this node looks for what other nodes left or made due: 1 s.
	Sweep time.Duration

	// Grace is how long posts in flight get to finish when Run's context ends: 5 s.
	Grace time.Duration

	// Rand (in [0, 1)) is the source of the ±20 %. What is due is told by the database's clock.
	Rand func() float64
}

// maxRetryAfter bounds what an endpoint may ask for: the longest wait of the schedule.
const maxRetryAfter = 10 * time.Hour

func (c Config) withDefaults() Config {
	orDefault(&c.Timeout, 15*time.Second)
	orDefault(&c.Slack, 10*time.Second)
	orDefault(&c.TakeOver, 6*time.Second)
	orDefault(&c.DisableAfter, 5*24*time.Hour)
	orDefault(&c.Sweep, time.Second)
	orDefault(&c.Grace, 5*time.Second)
	orDefault(&c.Quick, 10*time.Millisecond)
	if c.Retries == nil {
		c.Retries = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour}
	}
	if c.Slots == 0 {
		c.Slots = 64
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	return c
}

func orDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// lease is how long a claim holds.
func (c Config) lease() time.Duration { return c.Timeout + c.Slack }

// wait is how long to wait after the attempt that follows `attempts` earlier ones has failed; ok is false when it was the last.
// An endpoint may ask for longer, within bounds.
func (c Config) wait(attempts int, asked time.Duration) (_ time.Duration, ok bool) {
	if attempts >= len(c.Retries) {
		return 0, false
	}
	planned := time.Duration(float64(c.Retries[attempts]) * (0.8 + 0.4*c.Rand()))
	return max(planned, min(asked, maxRetryAfter)), true
}
