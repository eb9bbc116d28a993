package item

import (
	"context"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/page"
)

// HistoryToken returns the page token of a change's place in History.
func (s *Service) HistoryToken(c *change.Change) string {
	return page.Token("history", s.feed.SealID(c.ID))
}

// placeInHistory returns the id of a page token's change; "" is the place before the newest change. Error:
// INVALID_PAGE_TOKEN.
func (s *Service) placeInHistory(token string) (id int64, err error) {
	if token == "" {
		return 0, nil
	}
	var sealed uuid.UUID
	if err := page.Read(token, "history", &sealed); err != nil {
		return 0, err
	}
	id, ok := s.feed.OpenID(sealed)
	if !ok {
		return 0, page.ErrInvalid()
	}
	return id, nil
}

// maxHistoryBatch limits how many changes are read at once, with their documents.
const maxHistoryBatch = 500

// History returns up to limit changes of an item that the log retains, newest first, starting after a page token of an
// earlier call; next is empty on the last page. A deleted item has a history too. Changes from a time when the item was
// out of the actor's sight are omitted, and pages are cut after that: next leads to a change that the actor sees. The
// first change after such a time has no changed fields: they may be of then. Errors: INVALID_PAGE_TOKEN; NOT_FOUND
// when the actor sees neither the item nor a change of it, and when the item is out of sight now or was at its
// deletion.
func (s *Service) History(
	ctx context.Context, id uuid.UUID, limit int, after string,
) (changes []*change.Change, next string, err error) {
	sight, err := s.sightFrom(ctx)
	if err != nil {
		return nil, "", err
	}
	before, err := s.placeInHistory(after)
	if err != nil {
		return nil, "", err
	}
	if before > 0 {
		if err := s.checkNewest(ctx, sight, id); err != nil {
			return nil, "", err
		}
	}
	for size, more := limit+1, true; more && len(changes) <= limit; size = min(4*size, maxHistoryBatch) {
		read, err := change.History(ctx, db.Read(ctx, s.pool), sight.account, sight.role, id, before, size)
		if err != nil {
			return nil, "", err
		}
		if before == 0 && len(read) > 0 && !sight.shows(read[0].Document) {
			return nil, "", errNotFound // as checkNewest
		}
		if more = len(read) == size; more {
			before = read[size-1].ID
		}
		seen, err := s.visible(ctx, sight, read)
		if err != nil {
			return nil, "", err
		}
		changes = append(changes, seen...)
	}
	if len(changes) == 0 {
		_, err := s.document(ctx, sight, id)
		return nil, "", err
	}
	changes, next = page.Cut(changes, limit, s.HistoryToken)
	return changes, next, nil
}

// checkNewest returns NOT_FOUND if a token's filter hides an item's newest change, and with it the item. What a
// workflow profile hides, the statement leaves out.
func (s *Service) checkNewest(ctx context.Context, sight Sight, id uuid.UUID) error {
	if sight.isWhole() {
		return nil
	}
	newest, err := change.History(ctx, db.Read(ctx, s.pool), sight.account, sight.role, id, 0, 1)
	if err != nil {
		return err
	}
	if len(newest) == 1 && !sight.shows(newest[0].Document) {
		return errNotFound
	}
	return nil
}

// visible returns the changes after which the item was in sight, as the actor sees them.
func (s *Service) visible(ctx context.Context, sight Sight, changes []*change.Change) ([]*change.Change, error) {
	view, err := sight.View(ctx, s.pool, changes)
	if err != nil {
		return nil, err
	}
	visible := changes[:0]
	for _, c := range changes {
		seen, _, err := view.Of(c, func() *Versions { return VersionsOf(c, s.log) })
		if err != nil {
			return nil, err
		}
		switch seen {
		case Whole:
			visible = append(visible, c)
		case Entry:
			entry := *c // shared
			entry.ChangedFields, entry.Previous = []string{}, nil
			visible = append(visible, &entry)
		}
	}
	return visible, nil
}
