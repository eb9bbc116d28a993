package hook

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/page"
	"itemcast/internal/problem"
)

// State is how far a delivery has come.
type State string

// The states of a delivery.
const (
	Pending   State = "pending"
	Succeeded State = "succeeded"
	Failed    State = "failed"
)

// Waits is what a pending delivery waits for.
type Waits string

// What there is to wait for.
const (
	ForSlot    Waits = "slot"    // it is due: for a free slot
	ForAnswer  Waits = "answer"  // it is being sent
	ForRetry   Waits = "retry"   // until NextAttemptAt
	ForEarlier Waits = "earlier" // for an earlier change of its item to this hook
)

// Delivery is a change on its way to a hook, or what became of it. Neither the document nor any header of the request is part of it.
type Delivery struct {
	ID            uuid.UUID // the webhook-id of its requests
	HookID        uuid.UUID
	ItemID        uuid.UUID
	Cursor        string
	Event         string
	Trigger       string
	Revision      int64
	State         State
	WaitsFor      *Waits // nil unless it is pending
	NextAttemptAt *time.Time
	Attempts      int
	LastAttemptAt *time.Time
	LastStatus    *int    // HTTP; nil: there was no answer
	LastFault     *string // the class of the last failure
	LastError     *string // and what it was, in words
	CreatedAt     time.Time
	OccurredAt    *time.Time // of the change; nil: the log no longer keeps it
	position      int64
	change        int64 // its id; of one that is done with
}

// Attempt is one request of a delivery.
type Attempt struct {
	Number    int
	At        time.Time
	Duration  *time.Duration // nil: it was given up without a request
	Trigger   string
	Succeeded bool
	Status    *int
	Response  *string // how the answer began: 4 KiB at most
	Fault     *string
	Error     *string
}

// DeliveryFilter says which deliveries are meant; a zero criterion lets all pass.
type DeliveryFilter struct {
	Hook           *uuid.UUID
	Item           *uuid.UUID
	State          State
	OccurredAfter  *time.Time // of their changes, as far as the log is in the order of its times
	OccurredBefore *time.Time
}

// Deliveries returns up to limit deliveries of the account's hooks, those of the newest changes first, from after on, which is empty or what
// an earlier call gave as next. Errors: NOT_FOUND for a hook that there is not, INVALID_CURSOR.
func (s *Service) Deliveries(ctx context.Context, filter DeliveryFilter, limit int, after string) (deliveries []Delivery, next string, err error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return nil, "", err
	}
	q := store.New(db.Read(ctx, s.pool))
	if filter.Hook != nil {
		if _, err := get(ctx, q, actor.AccountID, *filter.Hook); err != nil {
			return nil, "", err
		}
	}
	p, err := s.between(ctx, filter, after)
	if err != nil {
		return nil, "", err
	}
	p.AccountID, p.HookID, p.ItemID, p.MaxRows = actor.AccountID, filter.Hook, filter.Item, int32(limit+1)
	var pending []Delivery
	if filter.State == "" || filter.State == Pending {
		rows, err := q.PendingDeliveries(ctx, p)
		if err != nil {
			return nil, "", fmt.Errorf("list pending deliveries: %w", err)
		}
		for _, row := range rows {
			pending = append(pending, s.pending(row))
		}
	}
	if filter.State != Pending {
		rows, err := ended(ctx, q, p, filter)
		if err != nil {
			return nil, "", fmt.Errorf("list deliveries: %w", err)
		}
		for _, row := range rows {
			deliveries = append(deliveries, s.ended(row))
		}
	}
	deliveries = append(deliveries, pending...)
	slices.SortStableFunc(deliveries, newestFirst)
	deliveries = slices.CompactFunc(deliveries, func(a, b Delivery) bool { return newestFirst(a, b) == 0 }) // what ended between the two reads
	deliveries, next = page.Cut(deliveries, limit, func(d Delivery) string { return page.Token("deliveries", d.position, d.HookID) })
	return deliveries, next, nil
}

func newestFirst(a, b Delivery) int {
	if a.position != b.position {
		return int(b.position - a.position)
	}
	return slices.Compare(b.HookID[:], a.HookID[:])
}

// between is between which places of the log to look.
func (s *Service) between(ctx context.Context, filter DeliveryFilter, after string) (p store.PendingDeliveriesParams, err error) {
	p.BeforePosition = math.MaxInt64
	if after != "" {
		if err = page.Read(after, "deliveries", &p.BeforePosition, &p.BeforeHook); err != nil {
			return p, err
		}
	}
	if filter.OccurredAfter != nil {
		position, err := s.feed.PositionAt(ctx, *filter.OccurredAfter)
		if err != nil {
			return p, err
		}
		p.AfterPosition = int64(position)
	}
	if filter.OccurredBefore != nil {
		position, err := s.feed.PositionAt(ctx, *filter.OccurredBefore)
		if err != nil {
			return p, err
		}
		if int64(position) < p.BeforePosition {
			p.BeforePosition, p.BeforeHook = int64(position), lastHook
		}
	}
	return p, nil
}

// lastHook is above every id: with it a place is after all deliveries of its position.
var lastHook = uuid.Max

func ended(ctx context.Context, q *store.Queries, p store.PendingDeliveriesParams, filter DeliveryFilter) (rows []store.EndedDeliveriesRow, err error) {
	var outcome *string
	if filter.State != "" {
		outcome = new(string(filter.State))
	}
	switch {
	case filter.Item != nil:
		of, err := q.EndedDeliveriesOfItem(ctx, store.EndedDeliveriesOfItemParams{AccountID: p.AccountID, ItemID: *p.ItemID, HookID: p.HookID,
			Outcome: outcome, BeforePosition: p.BeforePosition, AfterPosition: p.AfterPosition, BeforeHook: p.BeforeHook, MaxRows: p.MaxRows})
		for _, row := range of {
			rows = append(rows, store.EndedDeliveriesRow{ID: row.ID, HookID: row.HookID, ItemID: row.ItemID, Position: row.Position,
				Revision: row.Revision, Kind: row.Kind, Trigger: row.Trigger, Number: row.Number, At: row.At, Took: row.Took, Outcome: row.Outcome,
				Status: row.Status, Fault: row.Fault, Error: row.Error, CreatedAt: row.CreatedAt, OccurredAt: &row.OccurredAt})
		}
		return rows, err
	case filter.State == Failed:
		of, err := q.FailedDeliveries(ctx, store.FailedDeliveriesParams{AccountID: p.AccountID, HookID: p.HookID,
			BeforePosition: p.BeforePosition, AfterPosition: p.AfterPosition, BeforeHook: p.BeforeHook, MaxRows: p.MaxRows})
		for _, row := range of {
			rows = append(rows, store.EndedDeliveriesRow(row))
		}
		return rows, err
	default:
		return q.EndedDeliveries(ctx, store.EndedDeliveriesParams{AccountID: p.AccountID, HookID: p.HookID, Outcome: outcome,
			BeforePosition: p.BeforePosition, AfterPosition: p.AfterPosition, BeforeHook: p.BeforeHook, MaxRows: p.MaxRows})
	}
}

// Delivery returns a delivery with its attempts, the last hundred of them. Error: NOT_FOUND.
func (s *Service) Delivery(ctx context.Context, id uuid.UUID) (Delivery, []Attempt, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Delivery{}, nil, err
	}
	return s.delivery(ctx, store.New(db.Read(ctx, s.pool)), actor.AccountID, id)
}

var errNoDelivery = problem.New(problem.NotFound, "There is no such delivery, or the log no longer keeps it.")

func (s *Service) delivery(ctx context.Context, q *store.Queries, accountID, id uuid.UUID) (d Delivery, attempts []Attempt, err error) {
	pending, err := q.PendingDelivery(ctx, store.PendingDeliveryParams{AccountID: accountID, Position: PositionOf(id), ID: id})
	isPending := err == nil
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return d, nil, fmt.Errorf("read delivery: %w", err)
	}
	rows, err := q.AttemptsOf(ctx, store.AttemptsOfParams{AccountID: accountID, Position: PositionOf(id), ID: id})
	if err != nil {
		return d, nil, fmt.Errorf("read attempts: %w", err)
	}
	for _, row := range rows {
		attempts = append(attempts, toAttempt(row))
	}
	switch {
	case isPending && (len(rows) == 0 || !rows[len(rows)-1].Closes): // else it has ended between the two reads
		return s.pending(store.PendingDeliveriesRow(pending)), attempts, nil
	case len(rows) == 0:
		return d, nil, errNoDelivery
	}
	last := rows[len(rows)-1]
	d = s.ended(store.EndedDeliveriesRow{ID: last.DeliveryID, HookID: last.HookID, ItemID: last.ItemID, Position: last.Position,
		Revision: last.Revision, Kind: last.Kind, Trigger: last.Trigger, Number: last.Number, At: last.At, Took: last.Took, Outcome: last.Outcome,
		Status: last.Status, Fault: last.Fault, Error: last.Error, CreatedAt: last.CreatedAt, OccurredAt: last.OccurredAt})
	d.change = last.ChangeID
	return d, attempts, nil
}

// Redeliver has a delivery made again, whatever became of it: with the same id and, unless the hook asks for another body now, the same
// bytes. Its schedule begins anew. One that waits for a retry is due at once. Errors: NOT_FOUND; CONFLICT when it is being sent, when it waits
// for an earlier one, when the hook is inactive, and when the log no longer keeps the change.
func (s *Service) Redeliver(ctx context.Context, id uuid.UUID) (Delivery, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Delivery{}, err
	}
	var again Delivery
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		if err := q.LockGroups(ctx); err != nil {
			return fmt.Errorf("lock lines: %w", err)
		}
		d, _, err := s.delivery(ctx, q, actor.AccountID, id)
		if err != nil {
			return err
		}
		h, err := get(ctx, q, actor.AccountID, d.HookID)
		if err != nil {
			return err
		}
		if !h.Active {
			return problem.New(problem.Conflict, "The hook is inactive; make it active first.")
		}
		if d.State == Pending {
			err = s.hasten(ctx, q, actor.AccountID, d)
		} else {
			err = s.resend(ctx, q, actor.AccountID, h, d)
		}
		if err != nil {
			return err
		}
		db.AfterCommit(ctx, func() { s.wake(d.HookID) })
		again, _, err = s.delivery(ctx, q, actor.AccountID, id)
		return err
	})
	return again, err
}

func (s *Service) hasten(ctx context.Context, q *store.Queries, accountID uuid.UUID, d Delivery) error {
	switch *d.WaitsFor {
	case ForAnswer:
		return problem.New(problem.Conflict, "The delivery is being sent just now.")
	case ForEarlier:
		return problem.New(problem.Conflict, "The delivery waits for an earlier one of its item, or one that is under way already; redeliver that one.")
	}
	_, err := q.RetryDeliveryNow(ctx, store.RetryDeliveryNowParams{AccountID: accountID, HookID: d.HookID, Position: d.position, Trigger: change.TriggerManual})
	if err != nil {
		return fmt.Errorf("hasten delivery: %w", err)
	}
	return nil
}

func (s *Service) resend(ctx context.Context, q *store.Queries, accountID uuid.UUID, h Hook, d Delivery) error {
	if d.OccurredAt == nil {
		return problem.New(problem.Conflict, "The log no longer keeps the change, and so there is nothing to send.")
	}
	_, err := q.ResendDeliveries(ctx, store.ResendDeliveriesParams{Trigger: change.TriggerManual, HookIds: []uuid.UUID{h.ID}, Positions: []int64{d.position},
		Ids: []uuid.UUID{d.ID}, AccountIds: []uuid.UUID{accountID}, ItemIds: []uuid.UUID{d.ItemID}, ChangeIds: []int64{d.change},
		Revisions: []int64{d.Revision}, Kinds: []string{string(kinds[d.Event])}, Thins: []bool{h.Body == ThinBody}, Firsts: []bool{true}})
	if err != nil {
		return fmt.Errorf("insert delivery: %w", err)
	}
	return nil
}

func (s *Service) pending(row store.PendingDeliveriesRow) Delivery {
	d := Delivery{ID: row.ID, HookID: row.HookID, ItemID: row.ItemID, Cursor: s.feed.Cursor(change.Position(row.Position)),
		Event: events[change.Kind(row.Kind)], Trigger: row.Trigger, Revision: row.Revision, State: Pending, Attempts: int(row.Attempts),
		LastAttemptAt: utc(row.LastAttempt), LastStatus: toInt(row.LastStatus), LastFault: row.LastFault, LastError: row.LastError,
		CreatedAt: row.CreatedAt.UTC(), OccurredAt: utc(row.OccurredAt), position: row.Position}
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

func (s *Service) ended(row store.EndedDeliveriesRow) Delivery {
	return Delivery{ID: row.ID, HookID: row.HookID, ItemID: row.ItemID, Cursor: s.feed.Cursor(change.Position(row.Position)),
		Event: events[change.Kind(row.Kind)], Trigger: row.Trigger, Revision: row.Revision, State: State(row.Outcome), Attempts: int(row.Number),
		LastAttemptAt: utc(&row.At), LastStatus: toInt(row.Status), LastFault: row.Fault, LastError: row.Error,
		CreatedAt: row.CreatedAt.UTC(), OccurredAt: utc(row.OccurredAt), position: row.Position}
}

func toAttempt(row store.AttemptsOfRow) Attempt {
	a := Attempt{Number: int(row.Number), At: row.At.UTC(), Trigger: row.Trigger, Succeeded: row.Outcome == string(Succeeded),
		Status: toInt(row.Status), Response: row.Response, Fault: row.Fault, Error: row.Error}
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
