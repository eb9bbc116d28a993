package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/sending"
	"itemcast/internal/wake"
)

// Dispatcher sends deliveries. Each node has one, and there may be any number of nodes.
type Dispatcher struct {
	pool   *pgxpool.Pool
	feed   *change.Feed
	sender *sending.Sender
	config Config
	log    *slog.Logger

	matchers *hook.Matchers
	slots    *slots
	presence *presence
	absence  absence // of other nodes; for the sweep
	limits   limits
	woken    wake.Signal // holds a token when there may be something due
	posts    sync.WaitGroup
	outcomes chan outcome
	tasks    chan outcome // of workflows' tasks: what is done at their end must not delay the results of hooks
	attempts attempts
	unnoted  unnoted
	running  atomic.Bool

	directStall, directLimit time.Duration

	taskHooksSwept time.Time // for the sweep, which is one goroutine

	// For the fan-out, which is one goroutine.
	unsettled directSent // what was sent directly in a transaction whose end is not known yet
	awaited   bool       // it has waited for a term, and none came
}

// deliveryKey is the primary key of a delivery.
type deliveryKey struct {
	hook     uuid.UUID
	position int64
}

// New makes a dispatcher; Run starts it.
func New(config Config) *Dispatcher {
	config = config.withDefaults()
	return &Dispatcher{
		pool: config.Pool, feed: config.Feed, sender: config.Sender, config: config, log: config.Log,
		matchers: hook.NewMatchers(config.Pool),
		slots:    newSlots(config.Slots),
		presence: newPresence(config.Pool, config.TakeOver, config.Log),
		absence:  newAbsence(config.TakeOver, time.Now()),
		woken:    wake.New(),
		outcomes: make(chan outcome, maxResults),
		tasks:    make(chan outcome, maxResults),

		directStall: defaultDirectStall, directLimit: defaultDirectLimit,
	}
}

// Run fans changes out into deliveries and sends them, until ctx ends. Then it claims nothing more, waits up to
// Config.Grace for posts in flight, writes their results, and releases the remaining claims. While the database
// cannot be reached, it retries. It returns nil.
func (d *Dispatcher) Run(ctx context.Context) error {
	d.running.Store(true)
	background := context.WithoutCancel(ctx)
	posting, cutOff := context.WithCancel(background)
	defer cutOff()
	present, leave := context.WithCancel(background)

	var feeders, writer, presence sync.WaitGroup
	presence.Go(func() { d.presence.run(present, posting, d.woken.Send) })
	writer.Go(func() { d.writeResults(d.outcomes) })
	writer.Go(func() { d.writeResults(d.tasks) })
	feeders.Go(func() { _ = d.feed.Consume(ctx, consumer, d.fanOut) }) // it ends only with ctx, and returns nil
	feeders.Go(func() { d.sweep(ctx) })
	feeders.Go(func() { d.replay(ctx) })
	feeders.Go(func() { d.claimLoop(ctx) })

	<-ctx.Done()
	grace := time.AfterFunc(d.config.Grace, cutOff)
	feeders.Wait()
	d.abandonSent()
	d.posts.Wait()
	grace.Stop()
	close(d.outcomes)
	close(d.tasks)
	writer.Wait()
	d.noteLast(background)
	leave() // last: until now the other nodes must not take over the claims
	presence.Wait()
	return nil
}
