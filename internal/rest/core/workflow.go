package core

import (
	"context"
	"net/http"

	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

// ListWorkflows lists runs, newest first.
func (a *API) ListWorkflows(
	ctx context.Context, request oapi.ListWorkflowsRequestObject,
) (oapi.ListWorkflowsResponseObject, error) {
	p := request.Params
	filter := workflow.RunFilter{Action: p.Action, ProfileID: p.ProfileID, ForMe: optional.OrZero(p.ForMe)}
	if p.Status != nil {
		filter.Statuses = convert[machine.Status](*p.Status)
	}
	runs, next, err := a.Workflows.Runs(ctx, filter, pageSize(p.Limit), optional.OrZero(p.After))
	if err != nil {
		return nil, err
	}
	list := runList{oapi.WorkflowRunList{Results: make([]oapi.WorkflowRun, len(runs)), Next: a.nextURL(ctx, next)}}
	for i, run := range runs {
		list.Results[i] = toRun(run)
	}
	return list, nil
}

type runList struct{ oapi.WorkflowRunList }

func (l runList) VisitListWorkflowsResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.WorkflowRunList)
}

// GetItemWorkflow reads the last run of an item.
func (a *API) GetItemWorkflow(
	ctx context.Context, request oapi.GetItemWorkflowRequestObject,
) (oapi.GetItemWorkflowResponseObject, error) {
	run, err := a.Workflows.RunOf(ctx, request.ID)
	return oapi.GetItemWorkflow200JSONResponse(toRun(run)), err
}

// StartWorkflow starts a run of an item.
func (a *API) StartWorkflow(
	ctx context.Context, request oapi.StartWorkflowRequestObject,
) (oapi.StartWorkflowResponseObject, error) {
	var in workflow.StartInput
	if request.Body != nil {
		in = workflow.StartInput{ProfileID: request.Body.ProfileID, From: request.Body.From}
	}
	run, err := a.Workflows.Start(ctx, request.ID, in)
	return oapi.StartWorkflow202JSONResponse(toRun(run)), err
}

// CancelWorkflow ends the run of an item.
func (a *API) CancelWorkflow(
	ctx context.Context, request oapi.CancelWorkflowRequestObject,
) (oapi.CancelWorkflowResponseObject, error) {
	run, err := a.Workflows.CancelRun(ctx, request.ID)
	return oapi.CancelWorkflow200JSONResponse(toRun(run)), err
}

// CompleteAction ends an edit that waits.
func (a *API) CompleteAction(
	ctx context.Context, request oapi.CompleteActionRequestObject,
) (oapi.CompleteActionResponseObject, error) {
	run, err := a.Workflows.Act(ctx, request.ID, request.Key, machine.VerbComplete, comment(request.Body))
	return oapi.CompleteAction200JSONResponse(toRun(run)), err
}

// ApproveAction approves an action that waits.
func (a *API) ApproveAction(
	ctx context.Context, request oapi.ApproveActionRequestObject,
) (oapi.ApproveActionResponseObject, error) {
	run, err := a.Workflows.Act(ctx, request.ID, request.Key, machine.VerbApprove, comment(request.Body))
	return oapi.ApproveAction200JSONResponse(toRun(run)), err
}

// RejectAction rejects an action that waits.
func (a *API) RejectAction(
	ctx context.Context, request oapi.RejectActionRequestObject,
) (oapi.RejectActionResponseObject, error) {
	run, err := a.Workflows.Act(ctx, request.ID, request.Key, machine.VerbReject, comment(request.Body))
	return oapi.RejectAction200JSONResponse(toRun(run)), err
}

// ListWorkflowHistory lists what happened in an item's runs, newest first.
func (a *API) ListWorkflowHistory(
	ctx context.Context, request oapi.ListWorkflowHistoryRequestObject,
) (oapi.ListWorkflowHistoryResponseObject, error) {
	p := request.Params
	events, next, err := a.Workflows.History(ctx, request.ID, pageSize(p.Limit), optional.OrZero(p.After))
	if err != nil {
		return nil, err
	}
	list := workflowEventList{oapi.WorkflowEventList{
		Results: make([]oapi.WorkflowEvent, len(events)), Next: a.nextURL(ctx, next),
	}}
	for i, e := range events {
		list.Results[i] = toWorkflowEvent(e)
	}
	return list, nil
}

type workflowEventList struct{ oapi.WorkflowEventList }

func (l workflowEventList) VisitListWorkflowHistoryResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.WorkflowEventList)
}

// comment returns the comment of a step; "" for none.
func comment(in *oapi.WorkflowComment) string {
	if in == nil {
		return ""
	}
	return optional.OrZero(in.Comment)
}

func toRun(r workflow.Run) oapi.WorkflowRun {
	shown := oapi.WorkflowRun{
		ID: r.ID, ItemID: r.ItemID, ItemName: r.ItemName, ProfileID: r.ProfileID, ProfileVersion: int32(r.ProfileVersion),
		Status: oapi.WorkflowRunStatus(r.Status), CurrentAction: r.CurrentAction, Explanation: r.Explanation, Error: r.Error,
		StartedAt: r.StartedAt, FinishedAt: r.FinishedAt,
		Actions: make([]oapi.WorkflowRunAction, len(r.Actions)), Tasks: make([]oapi.WorkflowRunTask, len(r.Tasks)),
	}
	for i, one := range r.Actions {
		shown.Actions[i] = oapi.WorkflowRunAction{
			Key: one.Key, Kind: one.Kind, Name: one.Name, Status: oapi.WorkflowRunActionStatus(one.Status),
			Progress: int32(one.Progress), Attempt: int32(one.Attempt), StartedAt: one.StartedAt,
			FinishedAt: one.FinishedAt, UserID: one.UserID, Comment: one.Comment, Error: one.Error,
		}
	}
	for i, one := range r.Tasks {
		shown.Tasks[i] = oapi.WorkflowRunTask{
			Key: one.Key, At: one.At, Action: one.Action, DeliveryID: one.DeliveryID,
			State: oapi.WorkflowRunTaskState(one.State),
		}
	}
	return shown
}

func toWorkflowEvent(e workflow.Event) oapi.WorkflowEvent {
	shown := oapi.WorkflowEvent{
		ID: e.ID, RunID: e.RunID, At: e.At, Event: string(e.Event), Action: e.Action, Task: e.Task, UserID: e.UserID,
		Comment: e.Comment, Error: e.Error, DeliveryID: e.DeliveryID,
	}
	if e.Took != nil {
		shown.Seconds = new(e.Took.Seconds())
	}
	return shown
}
