package item

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

// Media is a change of an item's files.
type Media struct {
	// Add and AddSnapshots are files that Itemcast holds. The URL of each is a path, /media/ID/NAME, with its own id. One
	// with the id of an entry that the item has replaces that entry.
	Add          []Asset
	AddSnapshots []Snapshot

	// Remove has ids of assets and snapshots, also of external ones. An id that the item does not have is ignored: it may
	// have been removed meanwhile.
	Remove []uuid.UUID

	Set    MediaFields
	Poster *uuid.UUID // of the snapshots, the one that a client wants to represent the item; nil: leaves it to Set
}

// Files are the files that Itemcast holds. Package media implements it: it imports this package, never the reverse.
type Files interface {
	// Drop ends the files of assets and snapshots that tx takes out of an item. It ignores unknown ids.
	Drop(ctx context.Context, tx pgx.Tx, account uuid.UUID, assets ...uuid.UUID) error
}

// newMedia are the files that a new item gets.
type newMedia struct {
	of        func(ctx context.Context, tx pgx.Tx, item uuid.UUID) (Media, error)
	typeGiven bool // the client has set the type
}

// CreateWithMedia is Create for an item that gets files in the same transaction. It calls media for them, with the
// item's id, before it inserts the item. An error of media rolls the transaction back.
func (s *Service) CreateWithMedia(
	ctx context.Context, raw []byte, media func(ctx context.Context, tx pgx.Tx, item uuid.UUID) (Media, error),
) (Document, error) {
	return s.create(ctx, raw, &newMedia{of: media, typeGiven: hasMember(raw, "type")})
}

// ChangeMedia changes the files of an item, as one revision and one change. It locks the item and calls change in that
// transaction, which is the caller's if ctx has one. It drops the files of what it removes. If nothing differs, it
// writes nothing. An error of change rolls the transaction back. Other errors: NOT_FOUND; FORBIDDEN without
// items.edit; RULE_VIOLATED if the item would have too many assets or snapshots.
func (s *Service) ChangeMedia(
	ctx context.Context, id uuid.UUID, change func(ctx context.Context, tx pgx.Tx, held Held) (Media, error),
) (Document, error) {
	return s.changeMedia(ctx, id, nil, change)
}

// DeleteAsset removes an asset from an item, and its files if Itemcast holds them. Errors: those of ChangeMedia,
// REVISION_MISMATCH.
func (s *Service) DeleteAsset(
	ctx context.Context, id, asset uuid.UUID, condition revision.Condition,
) (Document, error) {
	return s.changeMedia(ctx, id, condition, func(_ context.Context, _ pgx.Tx, held Held) (Media, error) {
		if !slices.ContainsFunc(held.Assets, func(a Asset) bool { return a.ID == asset }) {
			return Media{}, errNoAsset
		}
		return Media{Remove: []uuid.UUID{asset}}, nil
	})
}

// DeleteSnapshot removes a snapshot from an item, and its file if Itemcast holds it. If it represents the item, no
// snapshot does afterwards. Errors: those of DeleteAsset.
func (s *Service) DeleteSnapshot(
	ctx context.Context, id, snapshot uuid.UUID, condition revision.Condition,
) (Document, error) {
	return s.changeMedia(ctx, id, condition, func(_ context.Context, _ pgx.Tx, held Held) (Media, error) {
		if !hasSnapshot(held.Snapshots, snapshot) {
			return Media{}, errNoSnapshot
		}
		return Media{Remove: []uuid.UUID{snapshot}}, nil
	})
}

var (
	errNoAsset    = problem.New(problem.NotFound, "The item has no asset with this id.")
	errNoSnapshot = problem.New(problem.NotFound, "The item has no snapshot with this id.")
)

func (s *Service) changeMedia(
	ctx context.Context, id uuid.UUID, condition revision.Condition,
	change func(ctx context.Context, tx pgx.Tx, held Held) (Media, error),
) (document Document, err error) {
	actor, err := account.Authorize(ctx, account.ItemsEdit)
	if err != nil {
		return Document{}, err
	}
	err = s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		held, err := s.lock(ctx, store.New(tx), actor, id, condition)
		if err != nil {
			return err
		}
		media, err := change(ctx, tx, held)
		if err != nil {
			return err
		}
		document, err = s.reviseMedia(ctx, tx, actor, held, media)
		return err
	})
	return document, err
}

// reviseMedia stores the revision of a locked item that a change of its files makes.
func (s *Service) reviseMedia(
	ctx context.Context, tx pgx.Tx, actor account.Actor, before Held, m Media,
) (Document, error) {
	set, err := loadSet(ctx, tx, actor.AccountID, before.ID, m.Set)
	if err != nil {
		return Document{}, err
	}
	after, known := *before.Item, set
	ended, err := s.applyMedia(&after, m, &set)
	if err != nil {
		return Document{}, err
	}
	if len(ended) > 0 && s.files != nil {
		if err := s.files.Drop(ctx, tx, actor.AccountID, ended...); err != nil {
			return Document{}, fmt.Errorf("drop files: %w", err)
		}
	}
	document, _, err := s.storeRevision(ctx, tx, actor, before, &after)
	if err != nil || set.equal(known) {
		return document, err
	}
	return document, storeSet(ctx, tx, actor.AccountID, before.ID, set)
}

// attach gives a new item its files. It returns the fields that this sets.
func (s *Service) attach(ctx context.Context, tx pgx.Tx, i *Item, media *newMedia) (set mediaSet, err error) {
	if media == nil {
		return mediaSet{}, nil
	}
	m, err := media.of(ctx, tx, i.ID)
	if err != nil {
		return mediaSet{}, err
	}
	set.TypeGiven = media.typeGiven
	_, err = s.applyMedia(i, m, &set)
	return set, err
}

// applyMedia applies a change of files to an item. It returns the ids whose files Itemcast held for the item and holds
// no longer.
func (s *Service) applyMedia(i *Item, m Media, set *mediaSet) (ended []uuid.UUID, err error) {
	for _, a := range m.Add {
		if !a.Kind.Valid() {
			return nil, fmt.Errorf("add an asset of the unknown kind %q", a.Kind)
		}
	}
	assets, endedAssets, err := changeList(s, assetList, i.Assets, m.Add, m.Remove)
	if err != nil {
		return nil, err
	}
	snapshots, endedSnapshots, err := changeList(s, snapshotList, i.Snapshots, m.AddSnapshots, m.Remove)
	if err != nil {
		return nil, err
	}
	i.Assets, i.Snapshots = assets, snapshots
	if i.SnapshotID != nil && !hasSnapshot(i.Snapshots, *i.SnapshotID) {
		i.SnapshotID = nil
	}
	if m.Poster != nil {
		if !hasSnapshot(i.Snapshots, *m.Poster) {
			return nil, fmt.Errorf("set the poster: the item has no snapshot %s", m.Poster)
		}
		i.SnapshotID = m.Poster
	}
	return append(endedAssets, endedSnapshots...), m.Set.apply(i, set)
}

// changeList returns a list without the entries to remove and with those to add, held ones first, and the ids of the
// held entries that it removes.
func changeList[Input, Entry any](
	s *Service, of list[Input, Entry], present, add []Entry, remove []uuid.UUID,
) (after []Entry, ended []uuid.UUID, err error) {
	held, external := splitHeld(s, of, slices.Clone(present))
	isRemoved := func(e Entry) bool {
		id, _ := of.has(&e)
		return slices.Contains(remove, id)
	}
	for n := range held {
		if isRemoved(held[n]) {
			id, _ := of.has(&held[n])
			ended = append(ended, id)
		}
	}
	held, external = slices.DeleteFunc(held, isRemoved), slices.DeleteFunc(external, isRemoved)
	for _, e := range add {
		id, path := of.has(&e)
		if heldName(id, path) == "" {
			return nil, nil, fmt.Errorf("add to %s: %q is no path %s%s/NAME", of.field, path, MediaPath, id)
		}
		*of.url(&e) = s.publicURL + path
		hasID := func(other Entry) bool {
			otherID, _ := of.has(&other)
			return otherID == id
		}
		external = slices.DeleteFunc(external, hasID)
		if at := slices.IndexFunc(held, hasID); at >= 0 {
			held[at] = e
		} else {
			held = append(held, e)
		}
	}
	if len(add) > 0 && len(held)+len(external) > maxMedia {
		return nil, nil, problem.New(problem.RuleViolated, "The item would have %d %s, and may have %d. Remove some first.",
			len(held)+len(external), of.field, maxMedia)
	}
	return append(append([]Entry{}, held...), external...), ended, nil
}
