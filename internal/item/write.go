package item

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/revision"
)

// Create creates an item from an input's JSON. An input that does not name a workflow profile gets the actor's default
// (see account.Actor.DefaultProfiles). Errors: INVALID_INPUT, RULE_VIOLATED, FORBIDDEN. It is FORBIDDEN, too,
// to make an item of which the actor's token would not see the result, by any write.
func (s *Service) Create(ctx context.Context, raw []byte) (Document, error) {
	return s.create(ctx, raw, nil)
}

func (s *Service) create(ctx context.Context, raw []byte, media *newMedia) (Document, error) {
	actor, err := account.Authorize(ctx, account.ItemsCreate)
	if err != nil {
		return Document{}, err
	}
	input, err := s.decodeChecked(raw)
	if err != nil {
		return Document{}, s.withRuleFaults(ctx, actor, nil, raw, replacement, err)
	}
	d := newDraft(actor, input, raw)
	d.media = media
	var document Document
	err = s.write(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		document, err = s.insert(ctx, tx, actor, uuid.Must(uuid.NewV7()), 0, d)
		return err
	})
	return document, err
}

// Replace sets every field of an item. Fields that the input's JSON leaves out get their defaults, but for the workflow
// profile, which stays. Errors: those of Create, NOT_FOUND, REVISION_MISMATCH.
func (s *Service) Replace(
	ctx context.Context, id uuid.UUID, raw []byte, condition revision.Condition,
) (Document, error) {
	actor, err := account.Authorize(ctx, account.ItemsEdit)
	if err != nil {
		return Document{}, err
	}
	input, err := s.decodeChecked(raw)
	if err != nil {
		return Document{}, s.withRuleFaults(ctx, actor, &id, raw, replacement, err)
	}
	return s.update(ctx, actor, id, condition, func(i *Item) (draft, error) {
		d := draft{ItemInput: input}
		d.keepProfile(i, raw)
		return d, nil
	})
}

// Patch applies a merge patch (RFC 7396) to the item's input. Errors: those of Replace.
func (s *Service) Patch(
	ctx context.Context, id uuid.UUID, patch []byte, condition revision.Condition,
) (Document, error) {
	actor, err := account.Authorize(ctx, account.ItemsEdit)
	if err != nil {
		return Document{}, err
	}
	if err := s.checkPatch(patch); err != nil {
		return Document{}, s.withRuleFaults(ctx, actor, &id, patch, uncheckedPatch, err)
	}
	return s.update(ctx, actor, id, condition, func(i *Item) (draft, error) {
		return applyPatch(i, patch, s.decodeChecked)
	})
}

func (s *Service) update(
	ctx context.Context, actor account.Actor, id uuid.UUID, condition revision.Condition,
	build func(*Item) (draft, error),
) (document Document, err error) {
	err = s.write(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		document, _, err = s.revise(ctx, tx, actor, id, condition, build)
		return err
	})
	return document, err
}

// Delete removes an item. The change that it records has the last document, and the revision after the last. Errors:
// NOT_FOUND, REVISION_MISMATCH.
func (s *Service) Delete(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	actor, err := account.Authorize(ctx, account.ItemsDelete)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		held, err := s.lock(ctx, store.New(tx), actor, id, condition)
		if err != nil {
			return err
		}
		deferred := store.New(db.Deferred(tx))
		if err := deferred.DeleteItem(ctx, store.DeleteItemParams{AccountID: actor.AccountID, ID: id}); err != nil {
			return fmt.Errorf("delete item: %w", err)
		}
		if ended := s.heldFiles(held.Item); len(ended) > 0 && s.files != nil {
			if err := s.files.Drop(ctx, tx, actor.AccountID, ended...); err != nil {
				return fmt.Errorf("drop files: %w", err)
			}
		}
		return change.Record(ctx, tx, change.Change{
			AccountID: actor.AccountID, ItemID: id, Revision: held.Revision + 1, Kind: change.Deleted,
			Actor: actor.UserParam(), Trigger: change.TriggerWrite, Document: held.Document, OccurredAt: held.At,
		})
	})
}

// Held is an item that a transaction has locked.
type Held struct {
	*Item
	Document []byte
	At       time.Time // the database's time at the lock

	rendering int32
	stale     bool     // the stored row has another renderer's document, and its words
	sight     Sight    // of the actor who locked it
	unstored  []string // the fields in which the stored row differs, because revisions were recorded since
}

func (h Held) document() Document {
	return Document{Bytes: h.Document, Revision: h.Revision, Rendering: h.rendering}
}

// Hold locks an item and calls fn in that transaction, which is the caller's if ctx has one. The lock orders changes
// that fn records for the item after its earlier revisions. After the commit Hold wakes the sequencer. An error of fn
// rolls the transaction back. Other errors: NOT_FOUND, FORBIDDEN without items.edit.
func (s *Service) Hold(
	ctx context.Context, id uuid.UUID, fn func(ctx context.Context, tx pgx.Tx, held Held) error,
) error {
	actor, err := account.Authorize(ctx, account.ItemsEdit)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		held, err := s.lock(ctx, store.New(tx), actor, id, nil)
		if err != nil {
			return err
		}
		return fn(ctx, tx, held)
	})
}

// write runs fn in a transaction, the caller's if ctx has one, and wakes the sequencer after the commit.
func (s *Service) write(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx) error) error {
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		db.AfterCommit(ctx, s.sequencer.Wake)
		return fn(ctx, tx)
	})
}
