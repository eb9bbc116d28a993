package core

import (
	"context"
	"net/http"
	"strconv"

	"itemcast/internal/change"
	"itemcast/internal/problem"
	"itemcast/internal/rest/core/internal/oapi"
)

// ListItemHistory lists an item's changes, newest first.
func (a *API) ListItemHistory(ctx context.Context, request oapi.ListItemHistoryRequestObject) (oapi.ListItemHistoryResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	before := int64(0)
	if after := request.Params.After; after != nil {
		var err error
		if before, err = strconv.ParseInt(*after, 10, 64); err != nil || before < 1 {
			return nil, problem.New(problem.InvalidCursor, "The position is not one of this history; take it from next.")
		}
	}
	changes, more, err := a.Items.History(ctx, request.ID, before, limit)
	if err != nil {
		return nil, err
	}
	list := changeList{ChangeList: oapi.ChangeList{Results: make([]oapi.Change, len(changes))}}
	for i, c := range changes {
		list.Results[i] = a.toChange(c)
	}
	if more {
		list.Next = a.pageURL(requestFrom(ctx), "after", strconv.FormatInt(changes[len(changes)-1].ID, 10))
	}
	return list, nil
}

type changeList struct{ oapi.ChangeList }

func (l changeList) VisitListItemHistoryResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.ChangeList)
}

func (a *API) toChange(c *change.Change) oapi.Change {
	return oapi.Change{Cursor: a.Cursor(c.Position), Kind: oapi.ChangeKind(c.Kind), Revision: c.Revision, ChangedFields: c.ChangedFields,
		OccurredAt: c.OccurredAt, Actor: c.Actor, Trigger: c.Trigger, Document: c.Document}
}
