package graph

import (
	"context"

	"github.com/google/uuid"

	"itemcast/graph/internal/model"
	"itemcast/internal/optional"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

func toRun(r workflow.Run) *model.WorkflowRun {
	shown := &model.WorkflowRun{
		ID: r.ID, ItemID: r.ItemID, ProfileID: r.ProfileID, ProfileVersion: int64(r.ProfileVersion),
		Status: toEnum[model.WorkflowStatus](string(r.Status)), CurrentAction: r.CurrentAction,
		Explanation: r.Explanation, Error: r.Error, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt,
		Actions: each(r.Actions, toRunAction), Tasks: each(r.Tasks, toRunTask),
	}
	return shown
}

func toRunAction(a workflow.RunAction) *model.WorkflowRunAction {
	return &model.WorkflowRunAction{
		Key: a.Key, Kind: toEnum[model.WorkflowActionKind](string(a.Kind)), Name: a.Name,
		Status: toEnum[model.WorkflowActionStatus](string(a.Status)), Progress: int64(a.Progress),
		Attempt: int64(a.Attempt), StartedAt: a.StartedAt, FinishedAt: a.FinishedAt, UserID: a.UserID,
		Comment: a.Comment, Error: a.Error,
	}
}

func toRunTask(t workflow.RunTask) *model.WorkflowRunTask {
	return &model.WorkflowRunTask{
		Key: t.Key, At: toEnum[model.WorkflowTaskTime](string(t.At)), Action: t.Action, DeliveryID: t.DeliveryID,
		State: toEnum[model.WorkflowTaskState](string(t.State)),
	}
}

func toRunFilter(f *model.WorkflowFilter) workflow.RunFilter {
	if f == nil {
		return workflow.RunFilter{}
	}
	status := func(s model.WorkflowStatus) machine.Status { return machine.Status(fromEnum(s)) }
	return workflow.RunFilter{
		Statuses: eachOrNil(f.Statuses, status), Action: f.Action, ProfileID: f.ProfileID, ForMe: optional.OrZero(f.ForMe),
	}
}

// lastRun returns the last run of an item; nil for none.
func (r *Resolver) lastRun(ctx context.Context, itemID uuid.UUID) (*model.WorkflowRun, error) {
	return loadersFrom(ctx).runs.Load(ctx, itemID)
}

func (r *Resolver) loadRuns(ctx context.Context, itemIDs []uuid.UUID) (map[uuid.UUID]*model.WorkflowRun, error) {
	last, err := r.Workflows.LastRuns(ctx, itemIDs)
	if err != nil {
		return nil, err
	}
	runs := make(map[uuid.UUID]*model.WorkflowRun, len(itemIDs))
	for _, id := range itemIDs {
		runs[id] = nil // an item without a run is no error
		if run, ok := last[id]; ok {
			runs[id] = toRun(run)
		}
	}
	return runs, nil
}

func toWorkflowEvent(e workflow.Event) *model.WorkflowEvent {
	shown := &model.WorkflowEvent{
		ID: e.ID, RunID: e.RunID, At: e.At, Event: string(e.Event), Action: e.Action, Task: e.Task, UserID: e.UserID,
		Comment: e.Comment, Error: e.Error, DeliveryID: e.DeliveryID,
	}
	if e.Took != nil {
		shown.Seconds = new(e.Took.Seconds())
	}
	return shown
}
