package workflow

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"itemcast/internal/db"
)

// The queues. The processor has one of its own, so that it never keeps moves waiting.
const (
	queue        = "workflow"
	processQueue = "workflow_process"
)

// maxJobAttempts is how often River tries a job that fails. The sweep queues later ones.
const maxJobAttempts = 3

// advance is the job that moves the run of an item as far as it goes by itself. It only wakes: a second one, or one for
// a run that has ended, finds nothing to do.
type advance struct {
	AccountID uuid.UUID `json:"account_id"`
	ItemID    uuid.UUID `json:"item_id"`
	Nudged    bool      `json:"nudged,omitempty"` // the sweep has queued it
}

// Kind implements river.JobArgs.
func (advance) Kind() string { return "workflow_advance" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (advance) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue, MaxAttempts: maxJobAttempts}
}

// process is the job that hands an item to the processor.
type process struct {
	AccountID uuid.UUID `json:"account_id"`
	ItemID    uuid.UUID `json:"item_id"`
	RunID     uuid.UUID `json:"run_id"`
	Action    string    `json:"action"`
}

// Kind implements river.JobArgs.
func (process) Kind() string { return "workflow_process" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (process) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: processQueue, MaxAttempts: maxJobAttempts}
}

// quietDriver inserts jobs without NOTIFY, which is a global lock at the commit (package change, invariant 6). Announce
// notifies the workers after the commit.
type quietDriver struct{ *riverpgxv5.Driver }

// SupportsListenNotify implements riverdriver.Driver.
func (quietDriver) SupportsListenNotify() bool { return false }

// newInserter returns a River client that can only insert jobs in the transactions of others.
func newInserter(log *slog.Logger) (*river.Client[pgx.Tx], error) {
	return river.NewClient(quietDriver{riverpgxv5.New(nil)}, &river.Config{Logger: riverLog(log)})
}

// enqueue queues jobs as part of tx. The workers are woken after the commit.
func (l *launcher) enqueue(ctx context.Context, tx pgx.Tx, jobs ...river.JobArgs) error {
	params := make([]river.InsertManyParams, len(jobs))
	for n, job := range jobs {
		params[n].Args = job
	}
	return l.insertJobs(ctx, tx, params)
}

// enqueueAt queues a job for a time.
func (l *launcher) enqueueAt(ctx context.Context, tx pgx.Tx, job river.JobArgs, at time.Time) error {
	return l.insertJobs(ctx, tx, []river.InsertManyParams{{Args: job, InsertOpts: &river.InsertOpts{ScheduledAt: at}}})
}

func (l *launcher) insertJobs(ctx context.Context, tx pgx.Tx, params []river.InsertManyParams) error {
	if _, err := l.jobs.InsertManyTx(ctx, tx, params); err != nil {
		return fmt.Errorf("queue a workflow's job: %w", err)
	}
	for _, p := range params {
		if p.InsertOpts == nil {
			db.AfterCommit(ctx, l.queued[p.Args.(river.JobArgsWithInsertOpts).InsertOpts().Queue].Send)
		}
	}
	return nil
}
