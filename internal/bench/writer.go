package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"itemcast/internal/bench/internal/store"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item"
)

const (
	changesPerSecond = 1000
	writers          = 16
	writingFor       = 10 * time.Second
)

// written is a change as its writer knows it. One of the warm-up is followed but not measured.
type written struct {
	revision
	begun     time.Time // the transaction was about to be sent, which goes with its COMMIT
	committed time.Time // COMMIT was answered
	warmUp    bool
}

// allColumns are those of store.UpdateItemParams, in its order.
const allColumns = `name, description, type, privacy, language, producer, duration, tags, metadata, client_data, snapshot_id, embed_code, player_url,
	workflow_profile_id, workflow_status, workflow_action, updated_at, published_at, revision, document, document_version, account_id, id`

// kept is an item with all that its next change needs.
type kept struct {
	item    *item.Item
	columns store.UpdateItemParams
}

// writer changes items of its own.
type writer struct {
	pool      *pgxpool.Pool
	sequencer *change.Sequencer
	items     []*kept
	n         int       // of the writers
	begun     time.Time // when all of them did
}

// pace is how fast to write in all, and how long.
type pace struct {
	perSecond int
	lasting   time.Duration
	until     <-chan struct{} // ends it before its time; nil: nothing does
}

// writeSteadily changes items at a fixed rate, after a warm-up at the same. A writer that falls behind catches up, so that the rate holds.
func (s *stage) writeSteadily(ctx context.Context, p pace) (all []written, perSecond float64, err error) {
	return s.write(ctx, func(ctx context.Context, w *writer) ([]written, error) { return w.steadily(ctx, p) })
}

// writeAtOnce makes so many changes as fast as can be, or a few more.
func (s *stage) writeAtOnce(ctx context.Context, changes int) (all []written, err error) {
	all, _, err = s.write(ctx, func(ctx context.Context, w *writer) (done []written, err error) {
		for k := 0; k < (changes+writers-1)/writers && err == nil; k++ {
			var one written
			one, err = w.next(ctx, k)
			done = append(done, one)
		}
		return done, err
	})
	return all, err
}

// write changes items as another node of Itemcast would: by the product's statements in one transaction, and a wake-up of its own sequencer
// after the commit. It returns when all that was written has its place in the log.
func (s *stage) write(ctx context.Context, each func(ctx context.Context, w *writer) ([]written, error)) (
	all []written, perSecond float64, err error) {
	items, err := s.keepItems(ctx)
	if err != nil {
		return nil, 0, err
	}
	sequencer, stop := s.sequence(ctx)
	defer stop()
	group, writing := errgroup.WithContext(ctx)
	parts := make([][]written, writers)
	share := len(items) / writers
	begun := time.Now()
	for n := range writers {
		group.Go(func() (err error) {
			parts[n], err = each(writing, &writer{s.pool, sequencer, items[n*share : (n+1)*share], n, begun})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, 0, fmt.Errorf("write: %w", err)
	}
	all = slices.Concat(parts...)
	perSecond = float64(len(all)) / time.Since(begun).Seconds()
	return all, perSecond, sequencer.Drain(ctx)
}

// sequence runs a sequencer of our own.
func (s *stage) sequence(ctx context.Context) (sequencer *change.Sequencer, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	sequencer = change.NewSequencer(s.pool, slog.New(slog.NewTextHandler(s.Progress, nil)))
	var sequencing errgroup.Group
	sequencing.Go(func() error { return sequencer.Run(ctx) })
	return sequencer, func() {
		cancel()
		_ = sequencing.Wait()
	}
}

// keepItems reads every item but the one that the open transaction holds.
func (s *stage) keepItems(ctx context.Context) ([]*kept, error) {
	rows, err := s.pool.Query(ctx, "SELECT "+allColumns+" FROM item WHERE id <> $1 ORDER BY created_at, id", s.items[0].ID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*kept, error) {
		columns, err := pgx.RowToStructByPos[store.UpdateItemParams](row)
		if err != nil {
			return nil, err
		}
		i, err := item.Decode(columns.Document)
		return &kept{i, columns}, err
	})
}

func (w *writer) steadily(ctx context.Context, p pace) (done []written, err error) {
	interval := time.Second / time.Duration(p.perSecond) * writers
	for k := 0; ; k++ {
		due := interval*time.Duration(k) + interval*time.Duration(w.n)/writers
		if due >= warmUp+p.lasting || isClosed(p.until) {
			return done, nil
		}
		if err := sleepUntil(ctx, w.begun.Add(due)); err != nil {
			return nil, err
		}
		one, err := w.next(ctx, k)
		if err != nil {
			return nil, err
		}
		one.warmUp = due < warmUp
		done = append(done, one)
	}
}

// next changes the writer's k-th item, over and over from the first.
func (w *writer) next(ctx context.Context, k int) (written, error) {
	return w.change(ctx, w.items[k%len(w.items)], fmt.Sprintf("Change %d of writer %d", k, w.n))
}

// change gives an item another name, and does what belongs to it.
func (w *writer) change(ctx context.Context, k *kept, name string) (done written, err error) {
	i, columns := k.item, &k.columns
	previous, err := json.Marshal(map[string]any{"name": i.Name, "updated_at": i.UpdatedAt})
	if err != nil {
		return done, err
	}
	i.Name, i.Revision, i.UpdatedAt = name, i.Revision+1, time.Now()
	if columns.Document, err = item.Encode(i); err != nil {
		return done, err
	}
	columns.Name, columns.Revision, columns.UpdatedAt = i.Name, i.Revision, i.UpdatedAt

	done.revision, done.begun = revision{columns.ID, i.Revision}, time.Now()
	err = db.Write(ctx, w.pool, func(ctx context.Context, tx pgx.Tx) error {
		if err := store.New(db.Deferred(tx)).UpdateItem(ctx, *columns); err != nil {
			return err
		}
		return change.Record(ctx, tx, change.Change{
			AccountID: columns.AccountID, ItemID: columns.ID, Revision: i.Revision, Kind: change.Updated, ChangedFields: []string{"name"},
			Previous: previous, Trigger: change.TriggerWrite, Document: columns.Document, OccurredAt: i.UpdatedAt,
		})
	})
	done.committed = time.Now()
	w.sequencer.Wake()
	return done, err
}

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
