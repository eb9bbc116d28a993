package workflow

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/optional"
	"itemcast/internal/page"
	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

// History returns up to limit entries of the history of an item's runs, newest first, that follow a page token. Needs
// items.view. Errors: NOT_FOUND; INVALID_PAGE_TOKEN.
func (s *Service) History(
	ctx context.Context, itemID uuid.UUID, limit int, after string,
) (events []Event, next string, err error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, history)
	if err != nil {
		return nil, "", err
	}
	if _, err := s.items.Get(ctx, itemID); err != nil {
		return nil, "", err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ItemHistory(ctx, store.ItemHistoryParams{AccountID: actor.AccountID,
		ItemID: itemID, BeforeID: before, RoleID: actor.RoleParam(), MaxRows: int32(limit + 1)})
	if err != nil {
		return nil, "", fmt.Errorf("read a workflow's history: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.WorkflowEvent) string { return Event{ID: row.ID}.PageToken() })
	events = make([]Event, len(rows))
	for n, row := range rows {
		events[n] = Event{ID: row.ID, RunID: row.RunID, At: row.At.UTC(), Event: machine.EntryKind(row.Event),
			Action: row.Action, Task: row.Task, UserID: row.UserID, Comment: row.Comment, Error: row.Error,
			DeliveryID: row.DeliveryID, Took: optional.Map(row.Took, func(seconds float64) time.Duration {
				return time.Duration(math.Round(seconds*1e6)) * time.Microsecond
			})}
	}
	return events, next, s.nameDeliveries(ctx, actor, itemID, events)
}

// nameDeliveries sets the deliveries of recorded tasks, whose ids are not known when the tasks are recorded.
func (s *Service) nameDeliveries(ctx context.Context, actor account.Actor, itemID uuid.UUID, events []Event) error {
	type taskOfRun struct {
		run  uuid.UUID
		task string
	}
	unnamed := map[taskOfRun]*Event{}
	runs := []uuid.UUID{}
	for n := range events {
		if e := &events[n]; e.Event == machine.TaskRecorded && e.DeliveryID == nil && e.Task != nil {
			unnamed[taskOfRun{e.RunID, *e.Task}] = e
			runs = append(runs, e.RunID)
		}
	}
	if len(unnamed) == 0 {
		return nil
	}
	name := func(run uuid.UUID, task string, delivery *uuid.UUID) {
		if e := unnamed[taskOfRun{run, task}]; e != nil && delivery != nil {
			e.DeliveryID = delivery
			delete(unnamed, taskOfRun{run, task})
		}
	}
	q := db.Read(ctx, s.pool)
	ended, err := store.New(q).AnswersOf(ctx, store.AnswersOfParams{
		AccountID: actor.AccountID, ItemIds: []uuid.UUID{itemID}, RunIds: unique(runs)})
	if err != nil {
		return fmt.Errorf("read the answers of tasks: %w", err)
	}
	for _, row := range ended {
		name(row.RunID, optional.OrZero(row.Task), row.DeliveryID)
	}
	if len(unnamed) == 0 {
		return nil
	}
	open, err := hook.TaskDeliveries(ctx, q, actor.AccountID, []uuid.UUID{itemID}, unique(runs))
	if err != nil {
		return err
	}
	for _, d := range open {
		name(d.Task.RunID, d.Task.Task, d.DeliveryID)
	}
	return nil
}
