package item

import (
	"context"
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

const (
	renewBatch    = 500
	renewInterval = time.Hour
)

// renew renders an item's document again, because the renderer or the public URL has changed. This makes no new
// revision and no change in the log, unless the item has text that is not composed. It locks the item, so that no write
// intervenes.
func (s *Service) renew(ctx context.Context, accountID, id uuid.UUID) (document Document, err error) {
	err = s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		held, err := s.lock(ctx, store.New(tx), account.Actor{AccountID: accountID}, id, nil)
		if err != nil {
			return err
		}
		document, err = s.renewHeld(ctx, tx, accountID, held)
		return err
	})
	return document, err
}

// renewHeld stores the document of a locked item. If it composes text, this is a change by the system.
func (s *Service) renewHeld(ctx context.Context, tx pgx.Tx, accountID uuid.UUID, held Held) (Document, error) {
	after, err := held.composed()
	if err != nil {
		return Document{}, err
	}
	document, changed, err := s.storeRevision(ctx, tx, account.Actor{AccountID: accountID}, held, after)
	if err != nil || changed {
		return document, err
	}
	err = store.New(db.Deferred(tx)).RenewDocument(ctx, store.RenewDocumentParams{
		AccountID: accountID, ID: held.ID, Revision: held.Revision, Document: held.Document, DocumentVersion: s.version,
		Rendering: held.rendering,
	})
	if err != nil {
		return Document{}, fmt.Errorf("store document: %w", err)
	}
	return held.document(), nil
}

// RunRenewal renders every stale document again, at the start and once an hour, until ctx ends.
func (s *Service) RunRenewal(ctx context.Context) error {
	ticker := time.NewTicker(renewInterval)
	defer ticker.Stop()
	for {
		if n, err := s.renewAll(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot render stale documents; retrying later", "error", err)
		} else if n > 0 {
			s.log.Info("rendered stale documents", "items", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (s *Service) renewAll(ctx context.Context) (renewed int, err error) {
	for {
		stale, err := store.New(s.pool).StaleDocuments(ctx, store.StaleDocumentsParams{
			DocumentVersion: s.version, Batch: renewBatch,
		})
		if err != nil || len(stale) == 0 {
			return renewed, err
		}
		for _, row := range stale {
			if _, err := s.renew(ctx, row.AccountID, row.ID); err != nil && !problem.Is(err, problem.NotFound) {
				return renewed, errors.Join(err, ctx.Err())
			}
			renewed++
		}
	}
}
