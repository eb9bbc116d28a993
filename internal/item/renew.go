package item

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
	"itemcast/internal/wake"
)

const (
	renewBatch    = 100 // items that a transaction locks, for some 50 ms
	renewInterval = time.Hour
	renewRetry    = 5 * time.Second // after an error, such as a timeout on a busy machine
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
	return held.document(), s.storeRenderings(ctx, tx, []Held{held})
}

// storeRenderings stores the documents of locked items, without a new revision.
func (s *Service) storeRenderings(ctx context.Context, tx pgx.Tx, all []Held) error {
	p := store.RenewDocumentsParams{DocumentVersion: s.version}
	for _, held := range all {
		p.Ids, p.Documents = append(p.Ids, held.ID), append(p.Documents, held.Document)
		p.Renderings, p.Searches = append(p.Renderings, held.rendering), append(p.Searches, held.words().String())
	}
	if err := store.New(db.Deferred(tx)).RenewDocuments(ctx, p); err != nil {
		return fmt.Errorf("store documents: %w", err)
	}
	return nil
}

// renewMany renders stale documents again in one transaction. It returns those that it rendered; it leaves out items
// that somebody else has locked, and those whose text it would have to compose, because that makes a change.
func (s *Service) renewMany(ctx context.Context, ids []uuid.UUID) (renewed map[uuid.UUID]Document, err error) {
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		renewed = make(map[uuid.UUID]Document, len(ids))
		q := store.New(tx)
		locked, err := q.LockStaleItems(ctx, store.LockStaleItemsParams{Ids: ids, DocumentVersion: s.version})
		if err != nil || len(locked) == 0 {
			return err
		}
		items, err := s.loadMany(ctx, q, locked)
		if err != nil {
			return err
		}
		var all []Held
		for _, row := range locked {
			held := Held{Item: items[row.ID]}
			if held.Document, err = Encode(held.Item); err != nil {
				return err
			}
			composed, err := held.composed()
			if err != nil {
				return err
			}
			if !reflect.DeepEqual(composed, held.Item) {
				continue
			}
			held.rendering = rerendered(row.Rendering, row.Document, held.Document)
			all = append(all, held)
			renewed[row.ID] = held.document()
		}
		if len(all) == 0 {
			return nil
		}
		return s.storeRenderings(ctx, tx, all)
	})
	return renewed, err
}

// renewListed is renewMany for a list, often of nothing.
func (s *Service) renewListed(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Document, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.renewMany(ctx, ids)
}

// loadMany reads locked items from their columns, by id.
func (s *Service) loadMany(
	ctx context.Context, q *store.Queries, locked []store.LockStaleItemsRow,
) (map[uuid.UUID]*Item, error) {
	ids := make([]uuid.UUID, len(locked))
	for n, row := range locked {
		ids[n] = row.ID
	}
	rows, err := q.GetItems(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	assetRows, err := q.AssetsOfItems(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	snapshotRows, err := q.SnapshotsOfItems(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read snapshots: %w", err)
	}
	assets, snapshots := map[uuid.UUID][]store.Asset{}, map[uuid.UUID][]store.Snapshot{}
	for _, row := range assetRows {
		assets[row.ItemID] = append(assets[row.ItemID], row)
	}
	for _, row := range snapshotRows {
		snapshots[row.ItemID] = append(snapshots[row.ItemID], row)
	}
	items := make(map[uuid.UUID]*Item, len(rows))
	for _, row := range rows {
		if items[row.ID], err = s.itemOf(store.GetItemRow(row), assets[row.ID], snapshots[row.ID]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// RunRenewal renders every stale document again, at the start and once an hour, until ctx ends. After an error it
// resumes soon: searches find less while documents are stale. Each batch is a transaction of its own, so it resumes
// after any interruption, and several nodes share the work.
func (s *Service) RunRenewal(ctx context.Context) error {
	for {
		began, pause := time.Now(), renewInterval
		if n, err := s.renewAll(ctx); err != nil && ctx.Err() == nil {
			pause = renewRetry
			s.log.Warn("cannot render stale documents; retrying", "error", err)
		} else if n > 0 {
			s.log.Info("rendered stale documents", "items", n, "seconds", time.Since(began).Seconds())
		}
		if !wake.Pause(ctx, pause) {
			return nil
		}
	}
}

// maxPasses bounds the passes in a row: nodes of two versions would render each other's documents for ever.
const maxPasses = 3

// renewAll renders stale documents again until a pass finds none.
func (s *Service) renewAll(ctx context.Context) (renewed int, err error) {
	for range maxPasses {
		n, err := s.renewPass(ctx)
		renewed += n
		if err != nil {
			return renewed, err
		}
		s.allRenewed.Store(n == 0)
		if n == 0 {
			break
		}
	}
	return renewed, nil
}

// renewPass renders the stale documents again that it finds in one pass, in the order of the index.
func (s *Service) renewPass(ctx context.Context) (renewed int, err error) {
	next := store.StaleDocumentsParams{DocumentVersion: s.version, AfterVersion: math.MinInt32, Batch: renewBatch}
	for {
		stale, err := store.New(s.pool).StaleDocuments(ctx, next)
		if err != nil || len(stale) == 0 {
			return renewed, err
		}
		ids := make([]uuid.UUID, len(stale))
		for n, row := range stale {
			ids[n] = row.ID
		}
		done, err := s.renewMany(ctx, ids)
		if err != nil {
			return renewed, err
		}
		for _, row := range stale {
			if _, ok := done[row.ID]; !ok {
				if _, err := s.renew(ctx, row.AccountID, row.ID); err != nil && !problem.Is(err, problem.NotFound) {
					return renewed, err
				}
			}
		}
		renewed += len(stale)
		last := stale[len(stale)-1]
		next.AfterVersion, next.AfterID = last.DocumentVersion, last.ID
	}
}
