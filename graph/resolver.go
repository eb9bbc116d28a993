// Package graph is the GraphQL API: its schema, thin resolvers over the services, and the handler that serves it.
//
// A resolver decodes, calls one service method, and encodes. The package promises what the REST API promises, through
// the same services. It must not know SQL, nor decide who may do what. Package transport carries operations over HTTP,
// event streams and WebSockets; package rendered answers selections of items from their documents' bytes.
package graph

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"itemcast/graph/internal/model"
	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/media"
	"itemcast/internal/mergepatch"
	"itemcast/internal/token"
	"itemcast/internal/upload"
	"itemcast/internal/upload/attach"
	"itemcast/internal/workflow"
)

// Resolver holds the services that the resolvers call.
type Resolver struct {
	Accounts  *account.Service
	SignIn    *signin.Service
	Items     *item.Service
	Media     *media.Service
	Hooks     *hook.Service
	Tokens    *token.Service
	Workflows *workflow.Service
	Attach    *attach.Service
	Uploads   *upload.Service
	Users     *account.Directory
	Hub       *live.Hub
	Feed      *change.Feed
}

// user returns the user of an id; nil for none.
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

// readPatch decodes an update input whose fields are plain values. Error: INVALID_INPUT.
func readPatch[T any](input map[string]any) (T, error) {
	raw, err := mergepatch.FromInput(input)
	if err != nil {
		var none T
		return none, err
	}
	return mergepatch.Read[T](raw)
}

// nestedPatch returns an input object within another one as a part of the patch; nil for null.
func nestedPatch(input map[string]any) (any, error) {
	if input == nil {
		return nil, nil
	}
	raw, err := mergepatch.FromInput(input)
	return json.RawMessage(raw), err
}
