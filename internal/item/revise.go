package item

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

// insert creates an item and records the change. Its first revision follows lastRevision, which is above 0 if the log
// knows a deleted item with this id.
func (s *Service) insert(
	ctx context.Context, tx pgx.Tx, actor account.Actor, id uuid.UUID, lastRevision int64, d draft,
) (Document, error) {
	q := store.New(tx)
	now, err := q.Now(ctx)
	if err != nil {
		return Document{}, fmt.Errorf("read the clock: %w", err)
	}
	i := &Item{ID: id, URL: s.url(id), CreatedBy: actor.UserParam(), CreatedAt: now}
	version, err := s.apply(ctx, q, actor, i, d)
	if err != nil {
		return Document{}, err
	}
	if d.takesDefault {
		if i.Workflow, version, err = withDefault(ctx, q, actor); err != nil {
			return Document{}, err
		}
	}
	if err := setPublishedAt(actor, PrivacyPrivate, i, now); err != nil {
		return Document{}, err
	}
	i.UpdatedAt, i.Revision = now, lastRevision+1
	d.restored.onNew(i)
	set, err := s.attach(ctx, tx, i, d.media)
	if err != nil {
		return Document{}, err
	}
	s.setPlayer(i, nil)
	sight, err := s.sights.of(ctx, actor)
	if err != nil {
		return Document{}, err
	}
	if err := sight.admit(i); err != nil {
		return Document{}, err
	}
	document, err := Encode(i)
	if err != nil {
		return Document{}, err
	}
	if err := s.insertRow(ctx, tx, actor.AccountID, i, document); err != nil {
		return Document{}, err
	}
	if err := storeSet(ctx, tx, actor.AccountID, id, set); err != nil {
		return Document{}, err
	}
	err = change.Record(ctx, tx, change.Change{
		AccountID: actor.AccountID, ItemID: id, Revision: i.Revision, Kind: change.Created, Actor: actor.UserParam(),
		Trigger: change.TriggerWrite, Document: document, OccurredAt: now,
	})
	if err != nil {
		return Document{}, err
	}
	return Document{Bytes: document, Revision: i.Revision}, s.beginRun(ctx, tx, actor, nil, i, version, now)
}

// revise applies the draft that build returns to an item, and records the change. If no field differs, it writes
// nothing and changed is false.
func (s *Service) revise(
	ctx context.Context, tx pgx.Tx, actor account.Actor, id uuid.UUID, condition revision.Condition,
	build func(*Item) (draft, error),
) (document Document, changed bool, err error) {
	q := store.New(tx)
	before, err := s.lock(ctx, q, actor, id, condition)
	if err != nil {
		return Document{}, false, err
	}
	d, err := build(before.Item)
	if err != nil {
		return Document{}, false, err
	}
	after := *before.Item
	version, err := s.apply(ctx, q, actor, &after, d)
	if err != nil {
		return Document{}, false, err
	}
	if err := setPublishedAt(actor, before.Privacy, &after, before.At); err != nil {
		return Document{}, false, err
	}
	d.restored.onExisting(&after, before.Item)
	if err := s.mayLeaveProfile(ctx, tx, actor, before.Item, &after); err != nil {
		return Document{}, false, err
	}
	document, changed, err = s.storeRevision(ctx, tx, actor, before, &after)
	if err != nil {
		return Document{}, false, err
	}
	return document, changed, s.beginRun(ctx, tx, actor, before.profile(), &after, version, before.At)
}

// storeRevision stores the next revision of a locked item, and records the change. If no field differs, it writes
// nothing and changed is false.
func (s *Service) storeRevision(
	ctx context.Context, tx pgx.Tx, actor account.Actor, before Held, after *Item,
) (document Document, changed bool, err error) {
	held, err := s.recordRevision(ctx, tx, actor, before, after)
	if err != nil {
		return Document{}, false, err
	}
	return held.document(), len(held.unstored) > 0, s.storeHeld(ctx, tx, actor, held)
}

// recordRevision records the change to the next revision of a locked item, and returns the item as it is then. Its row
// is for storeHeld. If no field differs, it records nothing and returns the item as it was.
func (s *Service) recordRevision(
	ctx context.Context, tx pgx.Tx, actor account.Actor, before Held, after *Item,
) (Held, error) {
	s.setPlayer(after, before.Item)
	fields, previous, err := changedFields(before.Item, after)
	if err != nil || len(fields) == 0 {
		return before, err
	}
	after.UpdatedAt, after.Revision = before.At, max(before.Revision, after.Revision)+1
	if err := before.sight.admit(after); err != nil {
		return Held{}, err
	}
	held := before
	held.Item, held.rendering, held.unstored = after, 0, slices.Concat(before.unstored, fields)
	if held.Document, err = Encode(after); err != nil {
		return Held{}, err
	}
	return held, change.Record(ctx, tx, change.Change{
		AccountID: actor.AccountID, ItemID: after.ID, Revision: after.Revision, Kind: change.Updated,
		ChangedFields: fields, Previous: previous, Actor: actor.UserParam(), Trigger: change.TriggerWrite,
		Document: held.Document, OccurredAt: before.At,
	})
}

// storeHeld stores the row of a locked item, if revisions of it were recorded.
func (s *Service) storeHeld(ctx context.Context, tx pgx.Tx, actor account.Actor, held Held) error {
	if len(held.unstored) == 0 {
		return nil
	}
	words := held.changedWords(held.unstored)
	if held.stale {
		words = new(held.words().String())
	}
	media := slices.Contains(held.unstored, "assets") || slices.Contains(held.unstored, "snapshots")
	if err := s.updateRow(ctx, tx, actor.AccountID, held.Item, held.Document, media, words); err != nil {
		return err
	}
	if !slices.Contains(held.unstored, "created_at") {
		return nil
	}
	err := store.New(db.Deferred(tx)).SetCreatedAt(ctx, store.SetCreatedAtParams{
		AccountID: actor.AccountID, ID: held.ID, CreatedAt: held.CreatedAt,
	})
	if err != nil {
		return fmt.Errorf("restore created_at: %w", err)
	}
	return nil
}

// lock locks an item that the actor may see until the transaction ends. Errors: NOT_FOUND, REVISION_MISMATCH.
func (s *Service) lock(
	ctx context.Context, q *store.Queries, actor account.Actor, id uuid.UUID, condition revision.Condition,
) (Held, error) {
	sight, err := s.sights.of(ctx, actor)
	if err != nil {
		return Held{}, err
	}
	row, err := q.LockItem(ctx, store.LockItemParams{AccountID: sight.account, ID: id, RoleID: sight.role})
	if errors.Is(err, pgx.ErrNoRows) {
		return Held{}, errNotFound
	}
	if err != nil {
		return Held{}, fmt.Errorf("lock item: %w", err)
	}
	held := Held{Document: row.Document, At: row.Now, rendering: row.Rendering, sight: sight}
	if row.DocumentVersion == s.version {
		held.Item, err = Decode(held.Document)
	} else if held.Item, err = s.load(ctx, q, actor.AccountID, id); err == nil {
		held.Document, err = Encode(held.Item)
		held.rendering, held.stale = rerendered(row.Rendering, row.Document, held.Document), true
	}
	switch {
	case err != nil:
		return Held{}, err
	case !sight.includes(held.Item):
		return Held{}, errNotFound
	}
	return held, condition.Check(held.Revision)
}

// setPublishedAt sets published_at when a change makes the item public or private. Error: FORBIDDEN if the actor may
// not publish.
func setPublishedAt(actor account.Actor, before Privacy, i *Item, now time.Time) error {
	if before == i.Privacy {
		return nil
	}
	if !actor.Permissions.Has(account.ItemsPublish) {
		return problem.New(problem.Forbidden,
			"%s lacks the permission %s, which a change of privacy needs.", actor.Holder(), account.ItemsPublish)
	}
	switch {
	case i.Privacy == PrivacyPrivate:
		i.PublishedAt = nil
	case before == PrivacyPrivate:
		i.PublishedAt = &now
	}
	return nil
}
