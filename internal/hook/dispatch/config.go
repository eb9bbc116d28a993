package dispatch

import (
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
	"itemcast/internal/hook/sending"
)

// Config configures a Dispatcher. The fields after Log are optional; their comments name the defaults.
type Config struct {
	// Pool's statements should be planned for look-ups by index (db.OpenQueue): the queue is empty one minute and
	// long the next.
	Pool   *pgxpool.Pool
	Feed   *change.Feed
	Sender *sending.Sender
	Log    *slog.Logger

	// TaskEnded is told of each end of a delivery of a workflow's task. nil: nobody is.
	TaskEnded TasksEnded

	// Timeout limits one attempt, from dialling to the end of the response: 15 s.
	Timeout time.Duration

	// Slack is the time after Timeout in which the result must be written: 10 s. A claim expires after both.
	Slack time.Duration

	// TakeOver is how long a node must be missing before its claims are taken over, without waiting for them to expire.
	// A node that cannot reach Postgres stops posting after half of it. Default: 6 s.
	TakeOver time.Duration

	// Retries are the waits before the second and later attempts, each ±20 %: 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 10 h.
	Retries []time.Duration

	// DisableAfter is how long all attempts of a hook may fail before it becomes inactive: five days.
	DisableAfter time.Duration

	// Quick is the longest average time to answer with which the fan-out sends directly to a hook. Negative: it never
	// does. Default: 10 ms.
	Quick time.Duration

	// Slots is the maximum number of deliveries of one hook in flight on this node: 64.
	Slots int

	// Sweep is the time between two searches for deliveries that other nodes left or made due: 1 s.
	Sweep time.Duration

	// Grace is how long posts in flight may take to end after the context of Run has ended: 5 s.
	Grace time.Duration

	// Rand returns a random number in [0, 1), for the ±20 %: math/rand/v2.
	Rand func() float64
}

// schedule has the waits before retries, without the ±20 %.
var schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

// RetryCount returns how often a delivery is retried.
func RetryCount() int { return len(schedule) }

// maxRetryAfter bounds the wait that an endpoint can ask for. It is the longest wait of the schedule.
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
		c.Retries = schedule
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

// wait returns the time until the next attempt, when the one after `attempts` earlier ones has failed; ok is false
// when it was the last. An endpoint can ask for a longer wait, up to maxRetryAfter.
func (c Config) wait(attempts int, retryAfter time.Duration) (_ time.Duration, ok bool) {
	if attempts >= len(c.Retries) {
		return 0, false
	}
	planned := time.Duration(float64(c.Retries[attempts]) * (0.8 + 0.4*c.Rand()))
	return max(planned, min(retryAfter, maxRetryAfter)), true
}
