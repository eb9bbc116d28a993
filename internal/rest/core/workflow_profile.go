package core

import (
	"context"
	"net/http"

	"itemcast/internal/mergepatch"
	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/revision"
	"itemcast/internal/workflow"
)

// ListWorkflowProfiles lists the account's workflow profiles, newest first.
func (a *API) ListWorkflowProfiles(
	ctx context.Context, request oapi.ListWorkflowProfilesRequestObject,
) (oapi.ListWorkflowProfilesResponseObject, error) {
	limit := pageSize(request.Params.Limit)
	profiles, next, err := a.Workflows.Profiles(ctx, limit, optional.OrZero(request.Params.After))
	if err != nil {
		return nil, err
	}
	list := workflowProfileList{oapi.WorkflowProfileList{
		Results: make([]oapi.WorkflowProfile, len(profiles)), Next: a.nextURL(ctx, next),
	}}
	for i, p := range profiles {
		list.Results[i] = oapi.WorkflowProfile(p)
	}
	return list, nil
}

type workflowProfileList struct{ oapi.WorkflowProfileList }

func (l workflowProfileList) VisitListWorkflowProfilesResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.WorkflowProfileList)
}

// CreateWorkflowProfile creates a workflow profile.
func (a *API) CreateWorkflowProfile(
	ctx context.Context, request oapi.CreateWorkflowProfileRequestObject,
) (oapi.CreateWorkflowProfileResponseObject, error) {
	p, err := a.Workflows.CreateProfile(ctx, workflow.ProfileInput(*request.Body))
	return oapi.CreateWorkflowProfile201JSONResponse{
		Body: oapi.WorkflowProfile(p),
		Headers: oapi.CreateWorkflowProfile201ResponseHeaders{
			ETag: etag(p.Revision), Location: a.location("workflow-profiles", p.ID),
		},
	}, err
}

// GetWorkflowProfile reads a workflow profile.
func (a *API) GetWorkflowProfile(
	ctx context.Context, request oapi.GetWorkflowProfileRequestObject,
) (oapi.GetWorkflowProfileResponseObject, error) {
	p, err := a.Workflows.Profile(ctx, request.ID)
	return oapi.GetWorkflowProfile200JSONResponse{
		Body: oapi.WorkflowProfile(p), Headers: oapi.GetWorkflowProfile200ResponseHeaders{ETag: etag(p.Revision)},
	}, err
}

// PatchWorkflowProfile applies a merge patch to a workflow profile.
func (a *API) PatchWorkflowProfile(
	ctx context.Context, request oapi.PatchWorkflowProfileRequestObject,
) (oapi.PatchWorkflowProfileResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	patch, err := mergepatch.Read[workflow.ProfilePatch](*request.Body)
	if err != nil {
		return nil, err
	}
	p, err := a.Workflows.PatchProfile(ctx, request.ID, patch, condition)
	return oapi.PatchWorkflowProfile200JSONResponse{
		Body: oapi.WorkflowProfile(p), Headers: oapi.PatchWorkflowProfile200ResponseHeaders{ETag: etag(p.Revision)},
	}, err
}

// DeleteWorkflowProfile deletes a workflow profile.
func (a *API) DeleteWorkflowProfile(
	ctx context.Context, request oapi.DeleteWorkflowProfileRequestObject,
) (oapi.DeleteWorkflowProfileResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	return oapi.DeleteWorkflowProfile204Response{}, a.Workflows.DeleteProfile(ctx, request.ID, condition)
}
