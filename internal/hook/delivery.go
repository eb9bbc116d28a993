package hook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/problem"
)

// State is the state of a delivery.
type State string

// The states of a delivery.
const (
	Pending   State = "pending"
	Succeeded State = "succeeded"
	Failed    State = "failed"
)

// WaitReason is the reason why a pending delivery waits.
type WaitReason string

// The reasons why a pending delivery waits.
const (
	ForSlot    WaitReason = "slot"    // it is due, and waits for a free slot
	ForAnswer  WaitReason = "answer"  // it is being sent
	ForRetry   WaitReason = "retry"   // until NextAttemptAt
	ForEarlier WaitReason = "earlier" // for an earlier change of the same item
)

// Delivery is one change for one hook, or for one task of a workflow. The document and the headers of the requests are
// not part of it.
type Delivery struct {
	ID            uuid.UUID    // the webhook-id of its requests
	HookID        uuid.UUID    // zero: it is of a task, whose hook is hidden
	Task          *change.Task // nil: it is to a hook, or the change has left the log
	ItemID        uuid.UUID
	Cursor        string
	Event         string
	Trigger       string
	Revision      int64
	State         State
	WaitsFor      *WaitReason // nil unless it is pending
	NextAttemptAt *time.Time
	Attempts      int
	LastAttemptAt *time.Time
	LastStatus    *int    // HTTP; nil: there was no response
	LastFault     *string // the class of the last failure
	LastError     *string // the last failure in words
	CreatedAt     time.Time
	OccurredAt    *time.Time // of the change; nil: it has left the log
	position      int64
	hook          uuid.UUID // hidden or not
	changeID      int64     // only of a delivery that has ended
}

// Attempt is one request of a delivery.
type Attempt struct {
	Number    int
	At        time.Time
	Duration  *time.Duration // nil: it was abandoned without a request
	Trigger   string
	Succeeded bool
	Status    *int
	Response  *string // the first 4 KiB
	Fault     *string
	Error     *string
}

// Delivery returns a delivery and its last hundred attempts. One of a task needs workflows.manage, too: without it, and
// for an unknown delivery, the error is NOT_FOUND.
func (s *Service) Delivery(ctx context.Context, id uuid.UUID) (Delivery, []Attempt, error) {
	actor, sees, err := authorizeDeliveries(ctx)
	if err != nil {
		return Delivery{}, nil, err
	}
	return s.getDelivery(ctx, store.New(db.Read(ctx, s.pool)), actor.AccountID, id, sees)
}

// getDelivery reads the queue first and then the log. A delivery that ends between the two reads is in both; its last
// attempt then has Closes set.
func (s *Service) getDelivery(
	ctx context.Context, q *store.Queries, accountID, id uuid.UUID, sees sight,
) (d Delivery, attempts []Attempt, err error) {
	position := PositionOf(id)
	pending, err := q.PendingDelivery(ctx, store.PendingDeliveryParams{
		AccountID: accountID, Position: position, ID: id, OfTasks: sees.tasks,
	})
	isPending := err == nil
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return d, nil, fmt.Errorf("read delivery: %w", err)
	}
	rows, err := q.AttemptsOf(ctx, store.AttemptsOfParams{
		AccountID: accountID, Position: position, ID: id, OfTasks: sees.tasks,
	})
	if err != nil {
		return d, nil, fmt.Errorf("read attempts: %w", err)
	}
	for _, row := range rows {
		attempts = append(attempts, toAttempt(row))
	}
	switch {
	case isPending && (len(rows) == 0 || !rows[len(rows)-1].Closes):
		return s.toPending(store.PendingDeliveriesRow(pending)), attempts, nil
	case len(rows) == 0:
		return d, nil, problem.New(problem.NotFound, "There is no such delivery, or its change has left the log.")
	}
	last := rows[len(rows)-1]
	d = s.toEnded(store.EndedDeliveriesRow{
		ID: last.DeliveryID, HookID: last.HookID, ItemID: last.ItemID, Position: last.Position, Revision: last.Revision,
		Kind: last.Kind, Trigger: last.Trigger, Number: last.Number, At: last.At, Took: last.Took,
		Outcome: last.Outcome,
		Status:  last.Status, Fault: last.Fault, Error: last.Error, CreatedAt: last.CreatedAt,
		OccurredAt: last.OccurredAt, WorkflowProfileID: last.WorkflowProfileID, Task: last.Task,
	})
	d.changeID = last.ChangeID
	return d, attempts, nil
}

func (s *Service) toPending(row store.PendingDeliveriesRow) Delivery {
	d := Delivery{
		ID: row.ID, hook: row.HookID, Task: change.DecodeTask(row.Task), ItemID: row.ItemID,
		Cursor: s.feed.Cursor(change.Position(row.Position)),
		Event:  EventOf(change.Kind(row.Kind)), Trigger: row.Trigger, Revision: row.Revision, State: Pending,
		Attempts: int(row.Attempts), LastAttemptAt: utc(row.LastAttempt), LastStatus: toInt(row.LastStatus),
		LastFault: row.LastFault, LastError: row.LastError, CreatedAt: row.CreatedAt.UTC(),
		OccurredAt: utc(row.OccurredAt),
		position:   row.Position,
	}
	if row.WorkflowProfileID == nil {
		d.HookID = row.HookID
	}
	switch {
	case row.Claimed:
		d.WaitsFor = new(ForAnswer)
	case row.DueAt == nil:
		d.WaitsFor = new(ForEarlier)
	case row.DueAt.After(time.Now()):
		d.WaitsFor, d.NextAttemptAt = new(ForRetry), utc(row.DueAt)
	default:
		d.WaitsFor, d.NextAttemptAt = new(ForSlot), utc(row.DueAt)
	}
	return d
}

func (s *Service) toEnded(row store.EndedDeliveriesRow) Delivery {
	d := Delivery{
		ID: row.ID, hook: row.HookID, Task: change.DecodeTask(row.Task), ItemID: row.ItemID,
		Cursor: s.feed.Cursor(change.Position(row.Position)),
		Event:  EventOf(change.Kind(row.Kind)), Trigger: row.Trigger, Revision: row.Revision, State: State(row.Outcome),
		Attempts: int(row.Number), LastAttemptAt: utc(&row.At), LastStatus: toInt(row.Status), LastFault: row.Fault,
		LastError: row.Error, CreatedAt: row.CreatedAt.UTC(), OccurredAt: utc(row.OccurredAt), position: row.Position,
	}
	if row.WorkflowProfileID == nil {
		d.HookID = row.HookID
	}
	return d
}

func toAttempt(row store.AttemptsOfRow) Attempt {
	a := Attempt{
		Number: int(row.Number), At: row.At.UTC(), Trigger: row.Trigger, Succeeded: row.Outcome == string(Succeeded),
		Status: toInt(row.Status), Response: row.Response, Fault: row.Fault, Error: row.Error,
	}
	if row.Took != nil {
		a.Duration = new(time.Duration(*row.Took) * time.Microsecond)
	}
	return a
}

func toInt(n *int32) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}
