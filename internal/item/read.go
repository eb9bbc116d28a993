package item

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
)

// Get returns an item's document. Errors: NOT_FOUND, and those of account.Authorize.
func (s *Service) Get(ctx context.Context, id uuid.UUID) (Document, error) {
	sight, err := s.sightFrom(ctx)
	if err != nil {
		return Document{}, err
	}
	return s.document(ctx, sight, id)
}

// document returns an item's document, unless the item is out of sight. Error: NOT_FOUND.
func (s *Service) document(ctx context.Context, sight Sight, id uuid.UUID) (Document, error) {
	row, err := store.New(db.Read(ctx, s.pool)).GetDocument(ctx, store.GetDocumentParams{
		AccountID: sight.account, ID: id, RoleID: sight.role,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Document{}, errNotFound
	}
	if err != nil {
		return Document{}, fmt.Errorf("read document: %w", err)
	}
	document := Document{Bytes: row.Document, Revision: row.Revision, Rendering: row.Rendering}
	if row.DocumentVersion != s.version {
		if document, err = s.renew(ctx, sight.account, id); err != nil {
			return Document{}, err
		}
	}
	if !sight.shows(document.Bytes) {
		return Document{}, errNotFound
	}
	return document, nil
}

// current returns a stored document, or renders it again if its version is stale. ok is false if the item has been
// deleted meanwhile.
func (s *Service) current(
	ctx context.Context, accountID, id uuid.UUID, version int32, stored []byte,
) (document []byte, ok bool, err error) {
	if version == s.version {
		return stored, true, nil
	}
	renewed, err := s.renew(ctx, accountID, id)
	if problem.Is(err, problem.NotFound) {
		return nil, false, nil
	}
	return renewed.Bytes, err == nil, err
}

// GetMany returns the documents of those ids that exist and are in sight, in one statement.
func (s *Service) GetMany(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]byte, error) {
	sight, err := s.sightFrom(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).DocumentsByID(ctx, store.DocumentsByIDParams{
		AccountID: sight.account, Ids: ids, RoleID: sight.role,
	})
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	documents := make(map[uuid.UUID][]byte, len(rows))
	for _, row := range rows {
		document, ok, err := s.current(ctx, sight.account, row.ID, row.DocumentVersion, row.Document)
		if err != nil {
			return nil, err
		}
		if ok && sight.shows(document) {
			documents[row.ID] = document
		}
	}
	return documents, nil
}

// Sample returns a document to test a hook with: that of the given item, else the newest item's, else that of an
// invented item. Hooks, and users who manage them, see every item of the account. Error: NOT_FOUND.
func (s *Service) Sample(ctx context.Context, id *uuid.UUID) (Document, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Document{}, err
	}
	all := Sight{account: actor.AccountID}
	if id != nil {
		return s.document(ctx, all, *id)
	}
	newest, err := s.list(ctx, all, Filter{}, Paging{Limit: 1})
	if err != nil {
		return Document{}, err
	}
	if len(newest.Items) == 1 {
		return s.document(ctx, all, newest.Items[0].ID)
	}
	invented, now := uuid.Must(uuid.NewV7()), time.Now()
	document, err := Encode(&Item{
		ID: invented, URL: s.url(invented), Name: "A sample item", Description: "Made up, to try a hook with.",
		Type: ItemTypeVideo, Privacy: PrivacyPrivate, Tags: []string{"sample"}, Metadata: json.RawMessage("{}"),
		ClientData: json.RawMessage("{}"), Assets: []Asset{}, Snapshots: []Snapshot{}, CreatedAt: now, UpdatedAt: now,
		Revision: 1,
	})
	return Document{Bytes: document, Revision: 1}, err
}
