package item

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db/dbsqlc"
	"itemcast/internal/problem"
)

const (
	renewBatch = 500
	renewEvery = time.Hour
)

// renew renders an item's document anew, because the stored one is of another renderer or another public URL, and stores it: no new
// revision, no change in the log.
func (s *Service) renew(ctx context.Context, account, id uuid.UUID) (Document, error) {
	var i *Item
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly} // the item and its assets of one revision
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) (err error) {
		i, err = s.load(ctx, dbsqlc.New(tx), account, id)
		return err
	})
	if err != nil {
		return Document{}, err
	}
	document, err := Encode(i)
	if err != nil {
		return Document{}, err
	}
	err = dbsqlc.New(s.pool).RenewDocument(ctx, dbsqlc.RenewDocumentParams{AccountID: account, ID: id, Revision: i.Revision, Document: document, DocumentVersion: s.version})
	if err != nil {
		return Document{}, fmt.Errorf("store document: %w", err)
	}
	return Document{Bytes: document, Revision: i.Revision}, nil
}

// RunRenewal renders every stale document anew, at start and once an hour, until ctx ends.
func (s *Service) RunRenewal(ctx context.Context) error {
	every := time.NewTicker(renewEvery)
	defer every.Stop()
	for {
		if n, err := s.renewAll(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot render stale documents anew; trying again later", "err", err)
		} else if n > 0 {
			s.log.Info("rendered stale documents anew", "items", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}

func (s *Service) renewAll(ctx context.Context) (renewed int, err error) {
	for {
		stale, err := dbsqlc.New(s.pool).StaleDocuments(ctx, dbsqlc.StaleDocumentsParams{DocumentVersion: s.version, Batch: renewBatch})
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
