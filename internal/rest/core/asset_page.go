package core

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"itemcast/internal/item"
)

// Receive adds the file of a form to an item while the client sends it, as AddItemAsset and AddItemSnapshot do, for a
// page that answers by itself.
func (a *API) Receive(w http.ResponseWriter, r *http.Request, id uuid.UUID, isSnapshot bool) error {
	_, err := a.received(w, r, id, func(ctx context.Context, r *http.Request) (item.Document, error) {
		if isSnapshot {
			return a.addSnapshotOf(ctx, r, id)
		}
		return a.addAssetOf(ctx, r, id)
	})
	return err
}
