// Package graph is the GraphQL API: its schema, thin resolvers over the services, and the handler that serves it.
//
// A resolver decodes, calls one service method, and encodes. The package promises what the REST API promises, through
// the same services, and answers as the GraphQL-over-HTTP specification says. It must not know SQL, nor decide who may
// do what.
package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"itemcast/graph/internal/model"
	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/problem"
	"itemcast/internal/workflow"
)

const (
	defaultPage = 50
	maxPage     = 200

	// What a subscription is narrowed to is looked through for every change.
	maxIDs           = 200
	maxChangedFields = 20
)

// Resolver holds the services that the resolvers call.
type Resolver struct {
	Account   *account.Service
	SignIn    *signin.Service
	Items     *item.Service
	Hooks     *hook.Service
	Workflows *workflow.Service
	Users     *account.Directory
	Hub       *live.Hub
	Feed      *change.Feed
}

// paging turns a connection's arguments into a page to ask for. Error: INVALID_INPUT.
func paging(sort item.Sort, first *int64, after *string, last *int64, before *string) (item.Paging, error) {
	p := item.Paging{Sort: sort, Limit: defaultPage}
	var faults problem.Faults
	if first != nil && last != nil {
		faults.Of("last", "must not be given together with first")
	}
	if after != nil && (last != nil || before != nil) {
		faults.Of("after", "goes with first, not with last or before")
	}
	if before != nil && first != nil {
		faults.Of("before", "goes with last, not with first")
	}
	for name, n := range map[string]*int64{"first": first, "last": last} {
		if n == nil {
			continue
		}
		if *n < 1 || *n > maxPage {
			faults.Of(name, "must be from 1 to 200")
		}
		p.Limit = int(*n)
	}
	if err := faults.Err(problem.InvalidInput); err != nil {
		return p, err
	}
	p.Backward = last != nil || before != nil
	if after != nil {
		p.After = *after
	}
	if before != nil {
		p.Before = *before
	}
	return p, nil
}

func toPageInfo(page item.Page) *model.PageInfo {
	info := &model.PageInfo{HasNextPage: page.HasNext, HasPreviousPage: page.HasPrevious}
	if n := len(page.Items); n > 0 {
		start, end := page.Items[0].Cursor(), page.Items[n-1].Cursor()
		info.StartCursor, info.EndCursor = &start, &end
	}
	return info
}

func toFilter(f *model.ItemFilter) item.Filter {
	if f == nil {
		return item.Filter{}
	}
	filter := item.Filter{
		Tags: f.Tags, Types: f.Types, Privacies: f.Privacies, WorkflowStatuses: f.WorkflowStatuses,
		CreatedAfter: f.CreatedAfter, CreatedBefore: f.CreatedBefore, UpdatedAfter: f.UpdatedAfter,
	}
	if f.Search != nil {
		filter.Search = *f.Search
	}
	for _, criterion := range f.Metadata {
		if filter.Metadata == nil {
			filter.Metadata = map[string]string{}
		}
		filter.Metadata[criterion.Key] = criterion.Value
	}
	return filter
}

// toFields turns changedFields into the document's names, and checks what a subscription is narrowed to. None given
// lets all pass; an empty list, which a program made that has none to follow, is refused. Error: INVALID_INPUT.
func toFields(ids []uuid.UUID, changedFields []model.ItemField) ([]string, error) {
	var faults problem.Faults
	check := func(parameter string, given bool, n, most int) {
		if given && (n < 1 || n > most) {
			faults.Of(parameter, fmt.Sprintf("must have 1 to %d values; leave it out for all", most))
		}
	}
	check("ids", ids != nil, len(ids), maxIDs)
	check("changedFields", changedFields != nil, len(changedFields), maxChangedFields)
	if err := faults.Err(problem.InvalidInput); err != nil {
		return nil, err
	}
	var fields []string
	for _, field := range changedFields {
		fields = append(fields, fromEnum(field))
	}
	return fields, nil
}

// patchNames are the fields of UpdateItemInput whose names the contract spells otherwise.
var patchNames = map[string]string{"clientData": "client_data", "snapshotId": "snapshot_id", "embedCode": "embed_code", "playerUrl": "player_url",
	"workflowProfileId": "workflow_profile_id"}

// mergePatch writes what was given of an UpdateItemInput as the merge patch that REST clients send.
func mergePatch(input map[string]any) ([]byte, error) {
	patch := make(map[string]any, len(input))
	for name, value := range input {
		if spelled, ok := patchNames[name]; ok {
			name = spelled
		}
		patch[name] = value
	}
	return json.Marshal(patch)
}

func (r *Resolver) user(ctx context.Context, id *uuid.UUID) (*model.User, error) {
	if id == nil {
		return nil, nil
	}
	name, err := loadersFrom(ctx).users.Load(ctx, *id)
	if err != nil {
		return nil, err
	}
	return &model.User{ID: *id, Name: name}, nil
}

// Enums of REST are lower-case, with dots; GraphQL's are names.
func toEnum[T ~string](text string) T { return T(strings.ToUpper(strings.ReplaceAll(text, ".", "_"))) }

func fromEnum[T ~string](value T) string { return strings.ToLower(string(value)) }

func toEvent(value model.HookEvent) string { return strings.ReplaceAll(fromEnum(value), "_", ".") }
