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
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/hook/sending"
)

// Dispatcher sends deliveries: one per node, any number of nodes.
type Dispatcher struct {
	pool   *pgxpool.Pool
	feed   *change.Feed
	sender *sending.Sender
	config Config
	log    *slog.Logger

	matchers *hook.Matchers
	slots    *slots
	presence *presence
	absence  absence // of other nodes
	limited  limits
	wake     chan struct{}
	posts    sync.WaitGroup
	outcomes chan outcome
	attempts attempts
	running  atomic.Bool

	// Of the fan-out, which is one goroutine.
	unsettled directSent // what was sent directly in a transaction whose end is not known yet
	awaited   bool       // it has waited for a term in vain
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
		wake:     make(chan struct{}, 1),
		outcomes: make(chan outcome, resultBatch),
	}
}

// Run fans changes out into deliveries and sends them, until ctx ends. Then posts in flight get Config.Grace to finish, their results are
// written, and the rest of the claims is given back. While the database is away it keeps trying.
func (d *Dispatcher) Run(ctx context.Context) error {
	d.running.Store(true)
	background := context.WithoutCancel(ctx)
	posting, cutOff := context.WithCancel(background)
	defer cutOff()
	present, leave := context.WithCancel(background)

	var feeders, writer, presence sync.WaitGroup
	presence.Go(func() { d.presence.run(present, posting, func() { signal(d.wake) }) })
	writer.Go(d.writeResults)
	feeders.Go(func() { _ = d.feed.Consume(ctx, consumer, d.fanOut) }) // returns nil, when ctx ends
	feeders.Go(func() { d.sweep(ctx) })
	feeders.Go(func() { d.replay(ctx) })
	feeders.Go(func() { d.claimLoop(ctx) })

	<-ctx.Done()
	grace := time.AfterFunc(d.config.Grace, cutOff)
	feeders.Wait() // from here on nothing is claimed any more
	d.abandonSent()
	d.posts.Wait()
	grace.Stop()
	close(d.outcomes)
	writer.Wait()
	leave() // only now: to the others, this node's claims were in good hands
	presence.Wait()
	return nil
}

// Wake makes the dispatcher look for due deliveries of hooks.
func (d *Dispatcher) Wake(hooks ...uuid.UUID) {
	d.slots.ask(hooks)
	signal(d.wake)
}

// sweep looks for what comes due by itself, and after what nobody else looks: retries, the claims of dead nodes, what other nodes have no
// slots for, and what is pending of inactive hooks.
func (d *Dispatcher) sweep(ctx context.Context) {
	for {
		next := d.config.Sweep
		for _, task := range []struct {
			name string
			run  func(context.Context) error
		}{
			{"take over the claims of dead nodes", d.takeOver},
			{"end what is pending of inactive hooks", d.endInactive},
			{"look for due deliveries", func(ctx context.Context) (err error) { next, err = d.lookForDue(ctx); return err }},
		} {
			if err := task.run(ctx); err != nil && ctx.Err() == nil {
				d.log.Warn("cannot "+task.name+"; trying again", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(next, d.config.Sweep/100)):
		}
	}
}

// lookForDue looks at the hooks that have something due, and returns after what time it should again.
func (d *Dispatcher) lookForDue(ctx context.Context) (next time.Duration, err error) {
	next = d.config.Sweep
	rows, err := store.New(d.pool).DueHooks(ctx)
	for _, row := range rows {
		d.limited.tell(row.ID, row.Limited)
		wait := time.Duration(row.Wait * float64(time.Second))
		if wait <= 0 {
			d.Wake(row.ID)
		} else {
			next = min(next, wait)
		}
	}
	return next, err
}

// claimLoop claims and sends whenever there may be something due, until ctx ends.
func (d *Dispatcher) claimLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		}
		for ctx.Err() == nil {
			term, ok := d.presence.term()
			if !ok {
				break // the next term wakes us
			}
			hooks, free := d.slots.reserve()
			if len(hooks) == 0 {
				break
			}
			for _, c := range d.claim(ctx, term, hooks, free) {
				d.posts.Go(func() { d.deliver(term.ctx, c) })
			}
		}
	}
}

// deliver sends one delivery and hands its outcome to the writer of results; the slot is free after that: a writer that does not get on holds
// up what would have to wait for it.
func (d *Dispatcher) deliver(ctx context.Context, c claimed) {
	o := d.post(ctx, c)
	d.slots.note(c.HookID, o.verdict, o.Took)
	d.outcomes <- o
	if more := d.slots.free(c.HookID); more {
		signal(d.wake)
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// deliveryKey is what a delivery is in the database.
type deliveryKey struct {
	hook     uuid.UUID
	position int64
}
