package hook

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
	"itemcast/internal/db/dbsqlc"
)

// Dispatcher sends deliveries: one per node, any number of nodes.
type Dispatcher struct {
	pool   *pgxpool.Pool
	feed   *change.Feed
	config Config
	log    *slog.Logger
	client *http.Client

	slots         *slots
	announcements *lookout // hooks that the fan-out has inserted deliveries for
	wake          chan struct{}
	outcomes      chan outcome
	attempts      attempts
}

// NewDispatcher makes a dispatcher; Run starts it.
func NewDispatcher(pool *pgxpool.Pool, feed *change.Feed, config Config, log *slog.Logger) *Dispatcher {
	config = config.withDefaults()
	return &Dispatcher{
		pool: pool, feed: feed, config: config, log: log,
		client: &http.Client{
			Transport:     newTransport(config),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots:         newSlots(config.Slots),
		announcements: newLookout(),
		wake:          make(chan struct{}, 1),
		outcomes:      make(chan outcome, resultBatch),
	}
}

// Run fans changes out into deliveries and sends them, until ctx ends. Then posts in flight get Config.Grace to finish, their results are
// written, and the rest of the claims is given back. While the database is away it keeps trying.
func (d *Dispatcher) Run(ctx context.Context) error {
	posting, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()

	var feeders, posts, writer sync.WaitGroup
	writer.Go(d.writeResults)
	feeders.Go(func() { _ = d.feed.Consume(ctx, consumer, d.fanOut) }) // returns nil, when ctx ends
	feeders.Go(func() { d.announce(ctx) })
	feeders.Go(func() { d.sweep(ctx) })

	d.claimLoop(ctx, posting, &posts)

	grace := time.AfterFunc(d.config.Grace, cutOff)
	posts.Wait()
	grace.Stop()
	close(d.outcomes)
	writer.Wait()
	feeders.Wait()
	d.client.CloseIdleConnections()
	return nil
}

// look has the dispatcher look for due deliveries of hooks.
func (d *Dispatcher) look(hooks ...uuid.UUID) {
	d.slots.ask(hooks)
	signal(d.wake)
}

// sweep looks for what comes due by itself: retries, the claims of dead nodes, and what other nodes have no slots for.
func (d *Dispatcher) sweep(ctx context.Context) {
	for {
		rows, err := dbsqlc.New(d.pool).DueHooks(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.Warn("cannot look for due deliveries; trying again", "err", err)
		}
		next := d.config.Sweep
		for _, row := range rows {
			wait := time.Duration(row.Wait * float64(time.Second))
			if wait <= 0 {
				d.look(row.ID)
			} else {
				next = min(next, wait)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(next, d.config.Sweep/100)):
		}
	}
}

// claimLoop claims and sends whenever there may be something due, until ctx ends.
func (d *Dispatcher) claimLoop(ctx, posting context.Context, posts *sync.WaitGroup) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		}
		for ctx.Err() == nil {
			hooks, free := d.slots.reserve()
			if len(hooks) == 0 {
				break
			}
			for _, c := range d.claim(ctx, hooks, free) {
				posts.Go(func() { d.deliver(posting, c) })
			}
		}
	}
}

// deliver sends one delivery and hands its outcome to the writer of results. The slot is free as soon as the endpoint has answered.
func (d *Dispatcher) deliver(ctx context.Context, c claimed) {
	o := d.post(ctx, c)
	if more := d.slots.done(c.HookID, o.verdict); more {
		signal(d.wake)
	}
	d.outcomes <- o
}
