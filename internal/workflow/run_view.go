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
	row        *store.ListRunsRow
	definition machine.Definition
	state      machine.State
	answers    map[string]store.AnswersOfRow       // the last end of each task's delivery
	roles      map[uuid.UUID]store.WaitingRolesRow // of all runs that are read together
	sending    map[string]openDelivery             // by task: what is known of the deliveries that the run waits for
	full       string                              // the limit of parallel jobs that keeps the run waiting; "": none
}

// toRuns returns runs as their readers see them. Its number of statements does not depend on that of the runs.
func (s *Service) toRuns(
	ctx context.Context, q db.Querier, actor account.Actor, rows []store.ListRunsRow,
) ([]Run, error) {
	versions := make([]versionKey, len(rows))
	for n := range rows {
		versions[n] = versionKey{rows[n].ProfileID, rows[n].ProfileVersion}
	}
	definitions, err := s.definitionsOf(ctx, q, actor.AccountID, versions)
	if err != nil {
		return nil, err
	}
	views := make([]view, len(rows))
	for n := range rows {
		v := view{row: &rows[n], answers: map[string]store.AnswersOfRow{}, definition: definitions[versions[n]]}
		if v.state, err = decodeState(rows[n].State); err != nil {
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
	if err := readLimits(ctx, q, actor, views); err != nil {
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

// readRoles reads the roles that runs wait for.
func readRoles(ctx context.Context, q db.Querier, actor account.Actor, views []view) error {
	var ids, profiles []uuid.UUID
	for n := range views {
		if row := views[n].row; len(row.WaitingRoles) > 0 {
			ids, profiles = append(ids, row.WaitingRoles...), append(profiles, row.ProfileID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := store.New(q).WaitingRoles(ctx, store.WaitingRolesParams{
		AccountID: actor.AccountID, Ids: unique(ids), ProfileIds: unique(profiles)})
	if err != nil {
		return fmt.Errorf("read roles: %w", err)
	}
	roles := make(map[uuid.UUID]store.WaitingRolesRow, len(rows))
	for _, row := range rows {
		roles[row.ID] = row
	}
	for n := range views {
		views[n].roles = roles
	}
	return nil
}

func (v *view) run() Run {
	row := v.row
	r := Run{ID: row.ID, ItemID: row.ItemID, ItemName: row.ItemName, ProfileID: row.ProfileID,
		ProfileVersion: int(row.ProfileVersion), Status: machine.Status(row.Status), CurrentAction: row.CurrentAction,
		Error: row.Error, StartedBy: row.StartedBy, StartedAt: row.StartedAt.UTC(), MovedAt: row.MovedAt.UTC(),
		FinishedAt: utc(row.FinishedAt), Actions: make([]RunAction, len(v.definition.Actions)),
		Tasks: make([]RunTask, len(v.definition.Tasks))}
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
