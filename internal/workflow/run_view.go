package workflow

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/optional"
	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

// view is a run with what is read for it.
type view struct {
	row        *store.WorkflowRun
	definition machine.Definition
	state      machine.State
	answers    map[string]store.AnswersOfRow // the last end of each task's delivery
	roles      map[uuid.UUID]string          // of all runs that are read together
	sending    map[string]openDelivery       // by task: what is known of the deliveries that the run waits for
}

// toRuns returns runs as their readers see them.
func (s *Service) toRuns(
	ctx context.Context, q db.Querier, actor account.Actor, rows []store.WorkflowRun,
) ([]Run, error) {
	views := make([]view, len(rows))
	for n := range rows {
		v := view{row: &rows[n], answers: map[string]store.AnswersOfRow{}}
		var err error
		if v.state, err = decodeState(rows[n].State); err != nil {
			return nil, err
		}
		v.definition, err = s.definition(ctx, q, actor.AccountID, versionKey{rows[n].ProfileID, rows[n].ProfileVersion})
		if err != nil {
			return nil, err
		}
		views[n] = v
	}
	if err := readAnswers(ctx, q, actor, views); err != nil {
		return nil, err
	}
	if err := readRoles(ctx, q, actor, views); err != nil {
		return nil, err
	}
	if err := s.readSending(ctx, q, actor, views); err != nil {
		return nil, err
	}
	list := make([]Run, len(views))
	for n := range views {
		list[n] = views[n].run()
	}
	return list, nil
}

// readAnswers reads the ends of the deliveries of runs with tasks.
func readAnswers(ctx context.Context, q db.Querier, actor account.Actor, views []view) error {
	p := store.AnswersOfParams{AccountID: actor.AccountID}
	byRun := map[uuid.UUID]*view{}
	for n := range views {
		if len(views[n].definition.Tasks) > 0 {
			p.ItemIds, p.RunIds = append(p.ItemIds, views[n].row.ItemID), append(p.RunIds, views[n].row.ID)
			byRun[views[n].row.ID] = &views[n]
		}
	}
	if len(byRun) == 0 {
		return nil
	}
	rows, err := store.New(q).AnswersOf(ctx, p)
	if err != nil {
		return fmt.Errorf("read the answers of tasks: %w", err)
	}
	for _, row := range rows {
		byRun[row.RunID].answers[optional.OrZero(row.Task)] = row
	}
	return nil
}

// readRoles reads the names of the roles that runs wait for.
func readRoles(ctx context.Context, q db.Querier, actor account.Actor, views []view) error {
	var ids []uuid.UUID
	for n := range views {
		ids = append(ids, views[n].row.WaitingRoles...)
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := store.New(q).RoleNames(ctx, store.RoleNamesParams{AccountID: actor.AccountID, Ids: ids})
	if err != nil {
		return fmt.Errorf("read the names of roles: %w", err)
	}
	names := make(map[uuid.UUID]string, len(rows))
	for _, row := range rows {
		names[row.ID] = row.Name
	}
	for n := range views {
		views[n].roles = names
	}
	return nil
}

func (v *view) run() Run {
	row := v.row
	r := Run{ID: row.ID, ItemID: row.ItemID, ProfileID: row.ProfileID, ProfileVersion: int(row.ProfileVersion),
		Status: machine.Status(row.Status), CurrentAction: row.CurrentAction, Error: row.Error, StartedBy: row.StartedBy,
		StartedAt: row.StartedAt.UTC(), MovedAt: row.MovedAt.UTC(), FinishedAt: utc(row.FinishedAt),
		Actions: make([]RunAction, len(v.definition.Actions)), Tasks: make([]RunTask, len(v.definition.Tasks))}
	if !r.Status.HasEnded() {
		r.Explanation = new(v.explain())
	}
	for n := range r.Actions {
		r.Actions[n] = v.action(n)
	}
	for n := range r.Tasks {
		r.Tasks[n] = v.task(n)
	}
	return r
}

func (v *view) action(n int) RunAction {
	d, s := &v.definition.Actions[n], &v.state.Actions[n]
	a := RunAction{Key: d.Key, Kind: d.Kind, Name: d.Name, Status: s.Status, Attempt: s.Attempt,
		StartedAt: utc(s.StartedAt), FinishedAt: utc(s.FinishedAt),
		UserID: s.UserID, Comment: optional.OrNil(s.Comment), Error: optional.OrNil(s.Error)}
	switch {
	case v.row.ProcessAction != nil && *v.row.ProcessAction == d.Key:
		a.Progress, a.Attempt = int(v.row.ProcessProgress), int(v.row.ProcessAttempt)
	case s.Status == machine.ActionSucceeded:
		a.Progress = 100
	}
	return a
}

func (v *view) task(n int) RunTask {
	d := &v.definition.Tasks[n]
	t := RunTask{Key: d.Key, At: d.At, Action: d.Action, State: TaskPending}
	answer, answered := v.answers[d.Key]
	switch {
	case answered:
		t.DeliveryID, t.State = answer.DeliveryID, TaskSucceeded
		if answer.Event == string(machine.TaskFailed) {
			t.State = TaskFailed
		}
	case v.state.Tasks[n].RecordedAt != nil:
		t.DeliveryID, t.State = v.sending[d.Key].id, TaskSending
	case v.state.HasMissed(v.definition, n):
		t.State = TaskSkipped
	}
	return t
}
