package graph

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"itemcast/graph/internal/model"
	"itemcast/internal/item"
	"itemcast/internal/optional"
	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
)

// Limits of a subscription's arguments. Every change is compared with them.
const (
	maxIDs           = 200
	maxChangedFields = 20
)

// itemJSON writes the input of createItem and replaceItem as REST clients send it. For all fields but one, null is the
// same as an absent field. It asks for no workflow profile, while an absent one asks for the default, or to keep it.
func itemJSON(ctx context.Context, input item.ItemInput) ([]byte, error) {
	operation := graphql.GetOperationContext(ctx)
	given, _ := graphql.GetFieldContext(ctx).Field.ArgumentMap(operation.Variables)["input"].(map[string]any)
	if profile, named := given["workflowProfileId"]; !named || profile != nil {
		return plainjson.Marshal(input)
	}
	return plainjson.Marshal(struct {
		item.ItemInput
		WorkflowProfileID *uuid.UUID `json:"workflow_profile_id"`
	}{ItemInput: input})
}

// paging turns a connection's arguments into the page to read. Error: INVALID_INPUT.
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
	p.After, p.Before = optional.OrZero(after), optional.OrZero(before)
	return p, nil
}

func toPageInfo(page item.Page) *model.PageInfo {
	info := &model.PageInfo{HasNextPage: page.HasNext, HasPreviousPage: page.HasPrevious}
	if n := len(page.Items); n > 0 {
		info.StartCursor, info.EndCursor = new(page.Items[0].PageToken()), new(page.Items[n-1].PageToken())
	}
	return info
}

func toFilter(f *model.ItemFilter) item.Filter {
	if f == nil {
		return item.Filter{}
	}
	filter := item.Filter{
		Search: optional.OrZero(f.Search), Tags: f.Tags, Types: f.Types, Privacies: f.Privacies,
		WorkflowStatuses: f.WorkflowStatuses,
		CreatedAfter:     f.CreatedAfter, CreatedBefore: f.CreatedBefore, UpdatedAfter: f.UpdatedAfter,
	}
	for _, criterion := range f.Metadata {
		if filter.Metadata == nil {
			filter.Metadata = map[string]string{}
		}
		filter.Metadata[criterion.Key] = criterion.Value
	}
	return filter
}

// toFields checks a subscription's arguments, and returns changedFields with the document's names. It refuses an empty
// list, because it could be meant as "nothing", and would select everything. Error: INVALID_INPUT.
func toFields(ids []uuid.UUID, changedFields []model.ItemField) ([]string, error) {
	var faults problem.Faults
	check := func(parameter string, given bool, n, limit int) {
		if given && (n < 1 || n > limit) {
			faults.Of(parameter, fmt.Sprintf("must have 1 to %d values; leave it out for all", limit))
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
