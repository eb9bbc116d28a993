package dispatch

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/hook/sending"
)

// EndedTask is a delivery of a workflow's task that has succeeded or failed for good.
type EndedTask struct {
	AccountID, ItemID uuid.UUID
	change.Task
	DeliveryID uuid.UUID // the webhook-id
	Outcome    hook.State
	Response   []byte // of the last attempt: the first 4 KiB, as valid UTF-8 without NUL; nil: there was no response
	Error      string // of a failure: a sentence for people without its full stop; it does not name the host
}

// errTaskEnded marks an error of Config.TaskEnded.
var errTaskEnded = errors.New("report the end of a task")

// TasksEnded is called in the transaction that ends deliveries of tasks, and must only insert rows: the transaction
// holds the lock of all groups. Its work commits or is undone together with the end. A delivery whose end is undone is
// sent again under the same id. The context is that of the transaction (db.AfterCommit).
//
// A delivery that has ended and is redelivered by hand ends again, and is reported again.
type TasksEnded func(ctx context.Context, tx pgx.Tx, tasks []EndedTask) error

// reportTasks reports the tasks among deliveries that have been settled.
func (d *Dispatcher) reportTasks(ctx context.Context, tx pgx.Tx, all []settled) error {
	var ended []EndedTask
	for _, s := range all {
		if s.task == nil || s.verdict == retry || s.verdict == returned {
			continue
		}
		e := EndedTask{
			AccountID: s.row.AccountID, ItemID: s.row.ItemID, Task: *s.task, DeliveryID: s.row.ID, Outcome: hook.Failed,
			Response: []byte(s.Response),
			Error:    sending.WithoutHost(s.Fault, s.Detail),
		}
		if s.verdict == succeeded {
			e.Outcome = hook.Succeeded
		}
		ended = append(ended, e)
	}
	return d.tasksEnded(ctx, tx, ended)
}

func (d *Dispatcher) tasksEnded(ctx context.Context, tx pgx.Tx, ended []EndedTask) error {
	if len(ended) == 0 || d.config.TaskEnded == nil {
		return nil
	}
	if err := d.config.TaskEnded(ctx, tx, ended); err != nil {
		return fmt.Errorf("%w: %w", errTaskEnded, err)
	}
	return nil
}

// failedTasks returns the tasks among deliveries that ended because their hook is inactive.
func failedTasks(rows []store.FailPendingRow, reason string) (ended []EndedTask) {
	for _, row := range rows {
		if task := change.DecodeTask(row.Task); task != nil {
			ended = append(ended, EndedTask{
				AccountID: row.AccountID, ItemID: row.ItemID, Task: *task, DeliveryID: row.ID, Outcome: hook.Failed,
				Error: reason,
			})
		}
	}
	return ended
}
