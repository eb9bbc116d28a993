package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"itemcast/internal/bench/internal/store"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/plainjson"
)

const writers = 16

// revision identifies a change: an item has each revision once.
type revision struct {
	item uuid.UUID
	n    int64
}

// written is a change as its writer knows it.
type written struct {
	revision
	begun     time.Time // just before the transaction was sent, with its COMMIT
	committed time.Time // when the response to COMMIT came
	warmUp    bool      // is not measured
}

// writer renames its share of the items, as another node of Itemcast would: it updates the row and inserts the change
// in one transaction, and wakes a sequencer after the commit.
type writer struct {
	pool      *pgxpool.Pool
	sequencer *change.Sequencer
	items     []*store.WriterItemsRow
	n         int       // its number among the writers
	begun     time.Time // when all writers began
}

// write runs all writers. It returns when all their changes have positions in the log.
func (b *build) write(ctx context.Context, each func(ctx context.Context, w *writer) ([]written, error)) (
	all []written, perSecond float64, err error) {
	items, err := b.writerItems(ctx)
	if err != nil {
		return nil, 0, err
	}
	sequencer, stop := b.sequence(ctx)
	defer stop()
	group, writing := errgroup.WithContext(ctx)
	parts := make([][]written, writers)
	share := len(items) / writers
	begun := time.Now()
	for n := range writers {
		group.Go(func() (err error) {
			parts[n], err = each(writing, &writer{b.pool, sequencer, items[n*share : (n+1)*share], n, begun})
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

// sequence runs a sequencer of this build's code on the database.
func (b *build) sequence(ctx context.Context) (sequencer *change.Sequencer, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	log := slog.New(slog.NewTextHandler(logWriter{b.logf}, nil))
	sequencer = change.NewSequencer(b.pool, log)
	var sequencing errgroup.Group
	sequencing.Go(func() error { return sequencer.Run(ctx) })
	return sequencer, func() {
		cancel()
		_ = sequencing.Wait()
	}
}

// logWriter passes each line of a log to logf.
type logWriter struct{ logf logf }

func (w logWriter) Write(line []byte) (int, error) {
	w.logf("%s", bytes.TrimRight(line, "\n"))
	return len(line), nil
}

// writerItems reads all items but the one that leaveOpen locks.
func (b *build) writerItems(ctx context.Context) ([]*store.WriterItemsRow, error) {
	rows, err := store.New(b.pool).WriterItems(ctx, b.items[0].ID)
	if err != nil {
		return nil, fmt.Errorf("read the writer's items: %w", err)
	}
	items := make([]*store.WriterItemsRow, len(rows))
	for n := range rows {
		items[n] = &rows[n]
	}
	return items, nil
}

// next renames the writer's k-th item, counted round and round.
func (w *writer) next(ctx context.Context, k int) (written, error) {
	return w.rename(ctx, w.items[k%len(w.items)], fmt.Sprintf("Change %d of writer %d", k, w.n))
}

func (w *writer) rename(ctx context.Context, i *store.WriterItemsRow, name string) (done written, err error) {
	previous := fmt.Appendf(nil, `{"name":%q,"updated_at":%q}`, i.Name, i.UpdatedAt.UTC().Format(plainjson.TimeFormat))
	i.Name, i.Revision, i.UpdatedAt = name, i.Revision+1, time.Now().UTC().Truncate(time.Microsecond)
	if i.Document, err = editDocument(i.Document, i.Name, i.Revision, i.UpdatedAt); err != nil {
		return done, err
	}
	done.revision, done.begun = revision{i.ID, i.Revision}, time.Now()
	err = db.Write(ctx, w.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(db.Deferred(tx))
		if err := q.WriterRenameItem(ctx, store.WriterRenameItemParams{
			AccountID: i.AccountID, ID: i.ID,
			Name: i.Name, Revision: i.Revision, UpdatedAt: i.UpdatedAt, Document: i.Document,
		}); err != nil {
			return err
		}
		return q.WriterInsertChange(ctx, store.WriterInsertChangeParams{
			AccountID: i.AccountID, ItemID: i.ID, Revision: i.Revision,
			Previous: previous, Document: i.Document, OccurredAt: i.UpdatedAt,
		})
	})
	done.committed = time.Now()
	w.sequencer.Wake()
	return done, err
}

// editDocument returns a document with another name, revision and time. It edits the bytes, so that it depends on no
// build's renderer. In the items that seed makes, the edited member names occur once.
func editDocument(document []byte, name string, revision int64, updatedAt time.Time) ([]byte, error) {
	for _, edit := range []struct{ before, value, after string }{
		{`,"name":"`, name, `"`},
		{`,"updated_at":"`, updatedAt.UTC().Format(plainjson.TimeFormat), `"`},
		{`,"revision":`, strconv.FormatInt(revision, 10), `}`},
	} {
		head, rest, ok := bytes.Cut(document, []byte(edit.before))
		_, tail, closed := bytes.Cut(rest, []byte(edit.after))
		if !ok || !closed {
			return nil, fmt.Errorf("the document has no %s: %.200s", edit.before, document)
		}
		document = slices.Concat(head, []byte(edit.before), []byte(edit.value), []byte(edit.after), tail)
	}
	return document, nil
}

// checkWriter makes one change as the writer does, and fails unless the node publishes it.
func (b *build) checkWriter(ctx context.Context) error {
	start, err := b.api(ctx, http.MethodGet, "/api/v1/changes?limit=1", "")
	if err != nil {
		return err
	}
	items, err := b.writerItems(ctx)
	if err != nil {
		return err
	}
	w := writer{pool: b.pool, sequencer: change.NewSequencer(b.pool, slog.New(slog.DiscardHandler))}
	if _, err := w.rename(ctx, items[0], anyName(0)); err != nil {
		return err
	}
	if err := w.sequencer.Drain(ctx); err != nil {
		return fmt.Errorf("sequence: %w", err)
	}
	changes, err := b.api(ctx, http.MethodGet, "/api/v1/changes?wait=10&after="+between(start, `"cursor":"`, `"`), "")
	if err != nil {
		return err
	}
	if !bytes.Contains(changes, items[0].Document) {
		return errors.New("the build does not publish a change that the writer made")
	}
	return nil
}
