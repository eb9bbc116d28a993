package core

import (
	"context"
	"net/http"

	"itemcast/internal/account"
	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
)

// ListAudit lists the account's audit log, newest first.
func (a *API) ListAudit(
	ctx context.Context, request oapi.ListAuditRequestObject,
) (oapi.ListAuditResponseObject, error) {
	p := request.Params
	entries, next, err := a.Account.AuditLog(ctx, account.AuditFilter{
		Actor: p.Actor, Actions: convert[string](optional.OrZero(p.Action)), Subject: optional.OrZero(p.Subject),
		AtAfter: p.AtAfter, AtBefore: p.AtBefore,
	}, pageSize(p.Limit), optional.OrZero(p.After))
	if err != nil {
		return nil, err
	}
	list := auditList{oapi.AuditList{Results: make([]oapi.AuditEntry, len(entries)), Next: a.nextURL(ctx, next)}}
	for i, e := range entries {
		list.Results[i] = oapi.AuditEntry(e)
	}
	return list, nil
}

type auditList struct{ oapi.AuditList }

func (l auditList) VisitListAuditResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.AuditList)
}
