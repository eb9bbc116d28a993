package workflow

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"itemcast/internal/db"
	"itemcast/internal/wake"
	"itemcast/internal/workflow/internal/store"
)

const (
	moveWorkers = 4                    // runs that a node moves at once
	fetchPause  = 5 * time.Millisecond // the least time between two looks for jobs
	fetchPoll   = 5 * time.Second      // between two looks without a notification
	jobTimeout  = time.Minute          // of the moves of one job
	keepJobs    = 5 * time.Minute      // a completed job tells nothing that the run does not
	sweepPause  = 5 * time.Second      // between two sweeps, ±20 %
	sweepRows   = 200                  // runs that one sweep queues again
	startPause  = time.Second          // between two attempts to start the workers
	stopTimeout = 15 * time.Second     // for the end of the workers
)

// Run announces changes of profiles and, if the service has items, moves runs, until ctx ends. It processes items too,
// unless ProcessJobs says otherwise.
func (s *Service) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	defer parts.Wait()
	if s.items != nil {
		queues := map[string]int{queue: moveWorkers}
		if s.processJobs > 0 {
			queues[processQueue] = s.processJobs
		}
		work := func(ctx context.Context) { s.work(ctx, queues, 0) }
		for _, part := range []func(context.Context){work, s.announce, s.sweep, s.sweepHooks} {
			parts.Go(func() { part(ctx) })
		}
	}
	db.Listen(ctx, s.pool, db.Listener{Channel: "itemcast_workflow_profile", Log: s.log,
		Connected: func() {
			s.terms.listen(true)
			s.changed()
		},
		Notified: func(string) {
			s.terms.forget()
			s.changed()
		},
		Disconnected: func() { s.terms.listen(false) }})
	return nil
}

// RunProcessing processes items, beside servers that move the runs, until ctx ends. Items in progress then have the
// time drainFor to be finished; those that remain are given back, and another node begins them again.
func (s *Service) RunProcessing(ctx context.Context, drainFor time.Duration) error {
	var parts sync.WaitGroup
	announcing, stop := context.WithCancel(context.WithoutCancel(ctx))
	parts.Go(func() { s.announce(announcing) })
	s.work(ctx, map[string]int{processQueue: max(1, s.processJobs)}, drainFor)
	stop()
	parts.Wait()
	return nil
}

// work runs the jobs of queues, which have so many workers each, until ctx ends. Jobs in progress then have the time
// drainFor. Those that remain are cancelled: a move is rolled back, and River gives the job's attempt back.
func (s *Service) work(ctx context.Context, queues map[string]int, drainFor time.Duration) {
	for {
		client, err := s.newWorkers(ctx, queues)
		if err == nil {
			err = client.Start(context.WithoutCancel(ctx))
		}
		if err == nil {
			<-ctx.Done()
			s.stopWorkers(client, drainFor)
			return
		}
		if ctx.Err() == nil {
			s.log.Warn("cannot start the workers of workflows; retrying", "error", err)
		}
		if !wake.Pause(ctx, startPause) {
			return
		}
	}
}

func (s *Service) stopWorkers(client *river.Client[pgx.Tx], drainFor time.Duration) {
	if drainFor > 0 {
		draining, cancel := context.WithTimeout(context.Background(), drainFor)
		defer cancel()
		if client.Stop(draining) == nil {
			return
		}
		s.log.Info("items in progress are given back, and another node processes them")
	}
	stopping, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := client.StopAndCancel(stopping); err != nil {
		s.log.Warn("the workers of workflows did not end in time", "error", err)
	}
}

// newWorkers returns the River client that runs jobs. River's own statements use a pool of their own. A worker that has
// processed an item takes no other one when stopping has ended.
func (s *Service) newWorkers(stopping context.Context, queues map[string]int) (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &advanceWorker{service: s}); err != nil {
		return nil, fmt.Errorf("add a worker: %w", err)
	}
	if err := river.AddWorkerSafely(workers, &processWorker{service: s, stopping: stopping}); err != nil {
		return nil, fmt.Errorf("add a worker: %w", err)
	}
	config := make(map[string]river.QueueConfig, len(queues))
	for name, n := range queues {
		config[name] = river.QueueConfig{MaxWorkers: n}
	}
	return river.NewClient(riverpgxv5.New(s.jobsPool), &river.Config{
		ID: uuid.NewString(), Workers: workers, Logger: riverLog(s.log), Queues: config,
		FetchCooldown: fetchPause, FetchPollInterval: fetchPoll, JobTimeout: jobTimeout,
		CompletedJobRetentionPeriod: keepJobs, CancelledJobRetentionPeriod: keepJobs,
		DiscardedJobRetentionPeriod: 24 * time.Hour,
	})
}

type advanceWorker struct {
	river.WorkerDefaults[advance]
	service *Service
}

// Work implements river.Worker.
func (w *advanceWorker) Work(ctx context.Context, job *river.Job[advance]) error {
	return w.service.advance(ctx, job.Args)
}

type processWorker struct {
	river.WorkerDefaults[process]
	service  *Service
	stopping context.Context //nolint:containedctx // of the node; a job's own context outlives it while jobs drain
}

// Timeout implements river.Worker: the lease bounds the processing, not a time.
func (w *processWorker) Timeout(*river.Job[process]) time.Duration { return -1 }

// Work implements river.Worker.
func (w *processWorker) Work(ctx context.Context, _ *river.Job[process]) error {
	return w.service.processAll(ctx, w.stopping)
}

// announce tells the workers of all nodes that this node has queued jobs, in a transaction of its own. Any number of
// jobs that are queued meanwhile cause one more notification. One that fails is repeated. Without it the workers find
// the jobs within seconds: when they look by themselves, and that is all an idle server does.
func (s *Service) announce(ctx context.Context) {
	executor := riverpgxv5.New(s.jobsPool).GetExecutor()
	for {
		name := queue
		select {
		case <-ctx.Done():
			return
		case <-s.queued[queue]:
		case <-s.queued[processQueue]:
			name = processQueue
		}
		err := executor.NotifyMany(ctx, &riverdriver.NotifyManyParams{
			Topic: "river_insert", Payload: []string{fmt.Sprintf(`{"queue": %q}`, name)}})
		if err != nil && ctx.Err() == nil {
			s.log.Warn("cannot wake the workers of workflows; retrying", "error", err)
			s.queued[name].Send()
			wake.Pause(ctx, startPause)
		}
	}
}

// sweep queues again the runs that should move and have not, because the node that was to move them has died.
func (s *Service) sweep(ctx context.Context) {
	for wake.Pause(ctx, around(s.sweepPause)) {
		if err := s.sweepOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot look for late workflows; retrying", "error", err)
		}
	}
}

// around returns a duration ±20 %, so that nodes do not sweep at the same time.
func around(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

func (s *Service) sweepOnce(ctx context.Context) error {
	hasLate, err := store.New(s.moves).HasLateRuns(ctx)
	if err != nil {
		return fmt.Errorf("look for late runs: %w", err)
	}
	if !hasLate {
		return nil
	}
	return db.Write(ctx, s.moves, func(ctx context.Context, tx pgx.Tx) error {
		q, jobs := store.New(tx), []river.JobArgs{}
		late, err := q.NudgeRuns(ctx, sweepRows)
		if err != nil {
			return fmt.Errorf("look for late runs: %w", err)
		}
		for _, row := range late {
			jobs = append(jobs, advance{AccountID: row.AccountID, ItemID: row.ItemID, Nudged: true})
		}
		answered, err := q.NudgeAnswered(ctx, sweepRows)
		if err != nil {
			return fmt.Errorf("look for late answers: %w", err)
		}
		for _, row := range answered {
			jobs = append(jobs, advance{AccountID: row.AccountID, ItemID: row.ItemID, Nudged: true})
		}
		if len(jobs) == 0 {
			return nil
		}
		return s.enqueue(ctx, tx, jobs...)
	})
}
