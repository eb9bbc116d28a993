package graph

import (
	"itemcast/graph/internal/model"
	"itemcast/internal/optional"
	"itemcast/internal/token"
)

func toAccessToken(t token.Token) *model.AccessToken {
	return &model.AccessToken{
		ID: t.ID, Name: t.Name, UserID: t.UserID, User: t.User, Permissions: t.Permissions,
		Filter: shownFilter(t.Filter), Origins: t.Origins, RequestsPerMinute: int64(t.RequestsPerMinute),
		ExpiresAt: t.ExpiresAt, OldSecretUntil: t.OldSecretUntil, LastUsedOn: optional.OrNil(t.LastUsedOn),
		LastUsedFrom: optional.OrNil(t.LastUsedFrom), RequestsLastDay: t.RequestsLastDay, CreatedBy: t.CreatedBy,
		CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, Revision: t.Revision,
	}
}
