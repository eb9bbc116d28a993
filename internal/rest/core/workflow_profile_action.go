package core

import (
	"context"
	"net/http"

	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/workflow"
)

// ListWorkflowProfileVersions lists the versions of a workflow profile, newest first.
func (a *API) ListWorkflowProfileVersions(
	ctx context.Context, request oapi.ListWorkflowProfileVersionsRequestObject,
) (oapi.ListWorkflowProfileVersionsResponseObject, error) {
	limit := pageSize(request.Params.Limit)
	versions, next, err := a.Workflows.Versions(ctx, request.ID, limit, optional.OrZero(request.Params.After))
	if err != nil {
		return nil, err
	}
	list := workflowProfileVersionList{oapi.WorkflowProfileVersionList{
		Results: make([]oapi.WorkflowProfileVersion, len(versions)), Next: a.nextURL(ctx, next),
	}}
	for i, v := range versions {
		list.Results[i] = oapi.WorkflowProfileVersion(v)
	}
	return list, nil
}

type workflowProfileVersionList struct {
	oapi.WorkflowProfileVersionList
}

func (l workflowProfileVersionList) VisitListWorkflowProfileVersionsResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.WorkflowProfileVersionList)
}

// GetWorkflowProfileVersion reads a version of a workflow profile.
func (a *API) GetWorkflowProfileVersion(
	ctx context.Context, request oapi.GetWorkflowProfileVersionRequestObject,
) (oapi.GetWorkflowProfileVersionResponseObject, error) {
	v, err := a.Workflows.Version(ctx, request.ID, request.Version)
	return oapi.GetWorkflowProfileVersion200JSONResponse(v), err
}

// CopyWorkflowProfile creates a workflow profile like another.
func (a *API) CopyWorkflowProfile(
	ctx context.Context, request oapi.CopyWorkflowProfileRequestObject,
) (oapi.CopyWorkflowProfileResponseObject, error) {
	p, err := a.Workflows.CopyProfile(ctx, request.ID, request.Body.Name)
	return oapi.CopyWorkflowProfile201JSONResponse{
		Body: oapi.WorkflowProfile(p),
		Headers: oapi.CopyWorkflowProfile201ResponseHeaders{
			ETag: etag(p.Revision), Location: a.location("workflow-profiles", p.ID),
		},
	}, err
}

// RotateWorkflowSecret gives a workflow profile a new secret. Only this response shows it.
func (a *API) RotateWorkflowSecret(
	ctx context.Context, request oapi.RotateWorkflowSecretRequestObject,
) (oapi.RotateWorkflowSecretResponseObject, error) {
	secret, until, err := a.Workflows.RotateSecret(ctx, request.ID, workflow.Secret(request.Body.Secret),
		optional.OrZero(request.Body.Revoke))
	return oapi.RotateWorkflowSecret200JSONResponse{Secret: secret, OldSecretUntil: until}, err
}

// CheckWorkflowProfile tells what would happen to an item with a workflow profile, and what is wrong.
func (a *API) CheckWorkflowProfile(
	ctx context.Context, request oapi.CheckWorkflowProfileRequestObject,
) (oapi.CheckWorkflowProfileResponseObject, error) {
	d, err := a.Workflows.CheckProfile(ctx, request.ID)
	if err != nil {
		return nil, err
	}
	shown := oapi.WorkflowCheck{
		Version: d.Version, Steps: make([]oapi.WorkflowStep, len(d.Steps)),
		Problems: make([]oapi.WorkflowProblem, len(d.Problems)),
	}
	for i, s := range d.Steps {
		shown.Steps[i] = oapi.WorkflowStep{
			Pointer: s.Pointer, Key: s.Key, Name: s.Name, ActionKind: optional.OrNil(s.Action),
			TaskAt: optional.OrNil(s.Task), Roles: s.Roles, URL: optional.OrNil(s.URL), Waits: s.Waits, Effect: s.Effect,
		}
	}
	for i, p := range d.Problems {
		shown.Problems[i] = oapi.WorkflowProblem{
			Pointer: p.Pointer, Severity: oapi.WorkflowProblemSeverity(p.Severity), Detail: p.Detail,
		}
	}
	return oapi.CheckWorkflowProfile200JSONResponse(shown), nil
}
