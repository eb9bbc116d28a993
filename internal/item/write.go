package item

import (
	"context"
	"errors"
	"fmt"
	"reflect"
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

// Create makes an item of an input's JSON. Errors: INVALID_INPUT, RULE_VIOLATED, FORBIDDEN.
func (s *Service) Create(ctx context.Context, raw []byte) (Document, error) {
	actor, err := account.Authorize(ctx, account.ItemsCreate)
	if err != nil {
		return Document{}, err
	}
	input, err := s.checked(raw)
	if err != nil {
		return Document{}, s.withRules(ctx, actor, nil, raw, readInput, err)
	}
	var document Document
	err = s.write(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		document, err = s.create(ctx, tx, actor, uuid.Must(uuid.NewV7()), 0, input)
		return err
	})
	return document, err
}

// Replace sets every field of an item, by default those that the input's JSON leaves out. Errors: as Create, NOT_FOUND, REVISION_MISMATCH.
func (s *Service) Replace(ctx context.Context, id uuid.UUID, raw []byte, condition revision.Condition) (Document, error) {
	actor, err := account.Authorize(ctx, account.ItemsEdit)
	if err != nil {
		return Document{}, err
	}
	input, err := s.checked(raw)
	if err != nil {
		return Document{}, s.withRules(ctx, actor, &id, raw, readInput, err)
	}
	return s.edit(ctx, actor, id, condition, func(*Item) (draft, error) { return draft{ItemInput: input}, nil })
}

// Patch applies a merge patch (RFC 7396) to the item's input. Errors: as Replace.
func (s *Service) Patch(ctx context.Context, id uuid.UUID, patch []byte, condition revision.Condition) (Document, error) {
	actor, err := account.Authorize(ctx, account.ItemsEdit)
	if err != nil {
		return Document{}, err
	}
	if err := s.checkPatch(patch); err != nil {
		return Document{}, s.withRules(ctx, actor, &id, patch, readPatch, err)
	}
	return s.edit(ctx, actor, id, condition, func(i *Item) (draft, error) { return patched(i, patch, s.checked) })
}

// Delete removes an item. The change that it records carries the last document, and the revision after the last.
func (s *Service) Delete(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	actor, err := account.Authorize(ctx, account.ItemsDelete)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		i, now, document, err := s.lock(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		if err := store.New(db.Deferred(tx)).DeleteItem(ctx, store.DeleteItemParams{AccountID: actor.AccountID, ID: id}); err != nil {
			return fmt.Errorf("delete item: %w", err)
		}
		return change.Record(ctx, tx, change.Change{
			AccountID: actor.AccountID, ItemID: id, Revision: i.Revision + 1, Kind: change.Deleted, Actor: actor.User(),
			Trigger: change.TriggerWrite, Document: document, OccurredAt: now,
		})
	})
}

// Held is an item that a transaction holds.
type Held struct {
	*Item
	Document []byte
	At       time.Time // the transaction's time
}

// Hold locks an item and calls fn in that transaction, the caller's if ctx has one. What fn records in the log about the item is
// in the order of its revisions. After the commit the sequencer is woken. An error of fn rolls the transaction back. Errors besides:
// NOT_FOUND, FORBIDDEN without items.edit.
func (s *Service) Hold(ctx context.Context, id uuid.UUID, fn func(ctx context.Context, tx pgx.Tx, held Held) error) error {
	actor, err := account.Authorize(ctx, account.ItemsEdit)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		i, now, document, err := s.lock(ctx, store.New(tx), actor, id, nil)
		if err != nil {
			return err
		}
		return fn(ctx, tx, Held{Item: i, Document: document, At: now})
	})
}

// write runs fn in a transaction, the caller's if there is one, and wakes the sequencer after the commit.
func (s *Service) write(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx) error) error {
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		db.AfterCommit(ctx, s.sequencer.Wake)
		return fn(ctx, tx)
	})
}

// create makes an item whose revisions go on after one that there was: 0 unless one of this id was deleted.
func (s *Service) create(ctx context.Context, tx pgx.Tx, actor account.Actor, id uuid.UUID, after int64, input ItemInput) (Document, error) {
	q := store.New(tx)
	now, err := q.Now(ctx)
	if err != nil {
		return Document{}, fmt.Errorf("read the clock: %w", err)
	}
	i := &Item{ID: id, URL: s.url(id), CreatedBy: actor.User(), CreatedAt: now}
	if err := s.apply(ctx, q, actor, i, input); err != nil {
		return Document{}, err
	}
	if err := publish(actor, PrivacyPrivate, i, now); err != nil {
		return Document{}, err
	}
	i.UpdatedAt, i.Revision = now, after+1
	document, err := Encode(i)
	if err != nil {
		return Document{}, err
	}
	if err := s.insert(ctx, tx, actor.AccountID, i, document); err != nil {
		return Document{}, err
	}
	return Document{Bytes: document, Revision: i.Revision}, change.Record(ctx, tx, change.Change{
		AccountID: actor.AccountID, ItemID: id, Revision: i.Revision, Kind: change.Created, Actor: actor.User(), Trigger: change.TriggerWrite,
		Document: document, OccurredAt: now,
	})
}

// edit changes an item to the draft that build makes of it.
func (s *Service) edit(ctx context.Context, actor account.Actor, id uuid.UUID, condition revision.Condition, build func(*Item) (draft, error)) (Document, error) {
	var document Document
	err := s.write(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		document, _, err = s.become(ctx, tx, actor, id, condition, build)
		return err
	})
	return document, err
}

// editIn is edit within an import's transaction: a replacement, but that what was exported can be imported again.
func (s *Service) editIn(ctx context.Context, tx pgx.Tx, actor account.Actor, id uuid.UUID, condition revision.Condition, build func(*Item) (ItemInput, error)) (document Document, changed bool, err error) {
	return s.become(ctx, tx, actor, id, condition, func(i *Item) (draft, error) {
		input, err := build(i)
		return draft{ItemInput: input, metadataMayStay: true}, err
	})
}

func (s *Service) become(ctx context.Context, tx pgx.Tx, actor account.Actor, id uuid.UUID, condition revision.Condition, build func(*Item) (draft, error)) (document Document, changed bool, err error) {
	q := store.New(tx)
	before, now, bytes, err := s.lock(ctx, q, actor, id, condition)
	if err != nil {
		return Document{}, false, err
	}
	input, err := build(before)
	if err != nil {
		return Document{}, false, err
	}
	after := *before
	if err := s.applyDraft(ctx, q, actor, &after, input); err != nil {
		return Document{}, false, err
	}
	if err := publish(actor, before.Privacy, &after, now); err != nil {
		return Document{}, false, err
	}
	fields, previous, err := changedFields(before, &after)
	if err != nil {
		return Document{}, false, err
	}
	if len(fields) == 0 {
		return Document{Bytes: bytes, Revision: before.Revision}, false, nil
	}
	after.UpdatedAt, after.Revision = now, before.Revision+1
	if bytes, err = Encode(&after); err != nil {
		return Document{}, false, err
	}
	media := !reflect.DeepEqual(before.Assets, after.Assets) || !reflect.DeepEqual(before.Snapshots, after.Snapshots)
	if err := s.update(ctx, tx, actor.AccountID, &after, bytes, media); err != nil {
		return Document{}, false, err
	}
	return Document{Bytes: bytes, Revision: after.Revision}, true, change.Record(ctx, tx, change.Change{
		AccountID: actor.AccountID, ItemID: id, Revision: after.Revision, Kind: change.Updated, ChangedFields: fields, Previous: previous,
		Actor: actor.User(), Trigger: change.TriggerWrite, Document: bytes, OccurredAt: now,
	})
}

// lock holds the item's row, if the actor may see it, until the transaction ends, and returns the item, the time that the database has, and the document.
func (s *Service) lock(ctx context.Context, q *store.Queries, actor account.Actor, id uuid.UUID, condition revision.Condition) (*Item, time.Time, []byte, error) {
	row, err := q.LockItem(ctx, store.LockItemParams{AccountID: actor.AccountID, ID: id, RoleID: actor.RoleIn()})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, time.Time{}, nil, errNotFound
	}
	if err != nil {
		return nil, time.Time{}, nil, fmt.Errorf("lock item: %w", err)
	}
	document := row.Document
	var i *Item
	if row.DocumentVersion == s.version {
		i, err = Decode(document)
	} else if i, err = s.load(ctx, q, actor.AccountID, id); err == nil {
		document, err = Encode(i)
	}
	if err != nil {
		return nil, time.Time{}, nil, err
	}
	if err := condition.Check(i.Revision); err != nil {
		return nil, time.Time{}, nil, err
	}
	return i, row.Now, document, nil
}

// publish keeps published_at, and refuses a change of privacy to those who may not publish.
func publish(actor account.Actor, before Privacy, i *Item, now time.Time) error {
	if before == i.Privacy {
		return nil
	}
	if !actor.Permissions.Has(account.ItemsPublish) {
		return problem.New(problem.Forbidden, "Your role lacks the permission %s, which a change of privacy needs.", account.ItemsPublish)
	}
	switch {
	case i.Privacy == PrivacyPrivate:
		i.PublishedAt = nil
	case before == PrivacyPrivate:
		i.PublishedAt = &now
	}
	return nil
}
