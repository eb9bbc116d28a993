package core

import (
	"context"
	"net/http"

	"itemcast/internal/change"
	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
)

// ListItemHistory lists an item's changes, newest first.
func (a *API) ListItemHistory(
	ctx context.Context, request oapi.ListItemHistoryRequestObject,
) (oapi.ListItemHistoryResponseObject, error) {
	p := request.Params
	changes, next, err := a.Items.History(ctx, request.ID, pageSize(p.Limit), optional.OrZero(p.After))
	if err != nil {
		return nil, err
	}
	list := changeList{oapi.ChangeList{Results: make([]oapi.Change, len(changes)), Next: a.nextURL(ctx, next)}}
	for i, c := range changes {
		list.Results[i] = a.toChange(c)
	}
	return list, nil
}

type changeList struct{ oapi.ChangeList }

func (l changeList) VisitListItemHistoryResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.ChangeList)
}

func (a *API) toChange(c *change.Change) oapi.Change {
	return oapi.Change{
		Cursor: a.Cursor(c.Position), Kind: oapi.ChangeKind(c.Kind), Revision: c.Revision,
		ChangedFields: c.ChangedFields, OccurredAt: c.OccurredAt, Actor: c.Actor, Trigger: c.Trigger,
		Document: c.Document,
	}
}
