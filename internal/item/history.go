package item

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/page"
)

// HistoryToken returns the page token of a change's place in History.
func HistoryToken(c *change.Change) string { return page.Token("history", c.ID) }

// History returns up to limit changes of an item that the log retains, newest first, starting after a page token of an
// earlier call; next is empty on the last page. A deleted item has a history too. Changes from a time when a workflow
// profile hid the item from the actor's role are omitted, so a page may be short. Errors: INVALID_PAGE_TOKEN;
// NOT_FOUND when the actor sees neither the item nor a change of it.
func (s *Service) History(
	ctx context.Context, id uuid.UUID, limit int, after string,
) (changes []*change.Change, next string, err error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, "", err
	}
	var before int64 // 0: from the newest
	if after != "" {
		if err := page.Read(after, "history", &before); err != nil {
			return nil, "", err
		}
	}
	for more := true; more && len(changes) == 0; more = next != "" {
		read, err := change.History(ctx, db.Read(ctx, s.pool), actor.AccountID, actor.RoleParam(), id, before, limit+1)
		if err != nil {
			return nil, "", err
		}
		read, next = page.Cut(read, limit, HistoryToken)
		if next != "" {
			before = read[limit-1].ID
		}
		if changes, err = s.visible(ctx, actor, read); err != nil {
			return nil, "", err
		}
	}
	if len(changes) == 0 {
		_, err := s.Get(ctx, id)
		return nil, "", err
	}
	return changes, next, nil
}

// visible returns the changes that are not hidden from the actor.
func (s *Service) visible(
	ctx context.Context, actor account.Actor, changes []*change.Change,
) ([]*change.Change, error) {
	if !slices.ContainsFunc(changes, func(c *change.Change) bool { return account.MayHaveProfile(c.Document) }) {
		return changes, nil
	}
	hidden, err := account.HiddenFrom(ctx, db.Read(ctx, s.pool), actor.AccountID, actor.RoleParam())
	if err != nil {
		return nil, err
	}
	visible := changes[:0]
	for _, c := range changes {
		hides, err := hidden.Hides(c.Document)
		if err != nil {
			return nil, err
		}
		if !hides {
			visible = append(visible, c)
		}
	}
	return visible, nil
}
