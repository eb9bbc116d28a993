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
	moveWorkers    = 4                    // runs that a node moves at once
	processWorkers = 1                    // items that a node processes at once
	fetchPause     = 5 * time.Millisecond // the least time between two looks for jobs
	fetchPoll      = 5 * time.Second      // between two looks without a notification
	jobTimeout     = time.Minute          // of the moves of one job
	keepJobs       = 5 * time.Minute      // a completed job tells nothing that the run does not
	sweepPause     = 5 * time.Second      // between two sweeps, ±20 %
	sweepRows      = 200                  // runs that one sweep queues again
	startPause     = time.Second          // between two attempts to start the workers
	stopTimeout    = 15 * time.Second     // for the end of the workers
)

// Run announces changes of profiles and, if the service has items, moves runs, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	defer parts.Wait()
	if s.items != nil {
		for _, part := range []func(context.Context){s.work, s.announce, s.sweep, s.sweepHooks} {
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

// work runs jobs until ctx ends. Jobs in progress are then cancelled: a move is rolled back, and River gives the job's
// attempt back.
func (s *Service) work(ctx context.Context) {
	for {
		client, err := s.newWorkers()
		if err == nil {
			err = client.Start(context.WithoutCancel(ctx))
		}
		if err == nil {
			<-ctx.Done()
			stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer cancel()
			if err := client.StopAndCancel(stopping); err != nil {
				s.log.Warn("the workers of workflows did not end in time", "error", err)
			}
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

// newWorkers returns the River client that runs jobs. River's own statements use a pool of their own.
func (s *Service) newWorkers() (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &advanceWorker{service: s}); err != nil {
		return nil, fmt.Errorf("add a worker: %w", err)
	}
	if err := river.AddWorkerSafely(workers, &processWorker{service: s}); err != nil {
		return nil, fmt.Errorf("add a worker: %w", err)
	}
	return river.NewClient(riverpgxv5.New(s.jobsPool), &river.Config{
		ID: uuid.NewString(), Workers: workers, Logger: riverLog(s.log),
		Queues: map[string]river.QueueConfig{
			queue: {MaxWorkers: moveWorkers}, processQueue: {MaxWorkers: processWorkers}},
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
	service *Service
}

// Timeout implements river.Worker: the lease bounds the processing, not a time.
func (w *processWorker) Timeout(*river.Job[process]) time.Duration { return -1 }

// Work implements river.Worker.
func (w *processWorker) Work(ctx context.Context, job *river.Job[process]) error {
	return w.service.process(ctx, job.Args)
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
