package item

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/search"
)

// maxLimit is the largest page: the statements in sql/queries/item/item.sql read one row more, and no further.
const maxLimit = 500

// Paging selects a page: the first Limit items, those after a page token, or the last ones before a page token.
// Backward without Before selects the last items of the list.
type Paging struct {
	Sort     Sort // "" is ByCreatedDesc
	Limit    int  // at most 500
	After    string
	Before   string
	Backward bool
	Count    bool // count all items that match the filter, too
}

// Listed is an item of a page.
type Listed struct {
	ID       uuid.UUID
	Document []byte
	sort     Sort
	row      *listRow
}

// PageToken returns the token of the item's place in the list, for Paging.
func (l Listed) PageToken() string { return pageToken(l.sort, l.row) }

// Page is a part of a list. HasPrevious and HasNext are exact in the direction of reading. In the other direction, they
// say whether a page token was given.
//
// ChangeCursor is the end of the log in the snapshot that the page was read from. The page reflects every change up to
// there. A client that reads several pages and then follows the log starts from the first page's cursor, and ignores
// changes that it already has.
type Page struct {
	Items        []Listed
	HasPrevious  bool
	HasNext      bool
	ChangeCursor string
	Count        *int64 // nil unless Paging asks for it
}

// List returns a page of the items that match the filter. Errors: INVALID_PAGE_TOKEN; INVALID_INPUT for metadata
// without a field.
func (s *Service) List(ctx context.Context, filter Filter, paging Paging) (Page, error) {
	sight, err := s.sightFrom(ctx)
	if err != nil {
		return Page{}, err
	}
	page, err := s.list(ctx, sight, filter, paging)
	if err != nil || !paging.Count {
		return page, err
	}
	count, err := s.Count(ctx, filter)
	page.Count = &count
	return page, err
}

// Count returns the number of items that match the filter. Error: INVALID_INPUT for metadata without a field.
func (s *Service) Count(ctx context.Context, filter Filter) (int64, error) {
	sight, err := s.sightFrom(ctx)
	if err != nil {
		return 0, err
	}
	p, err := s.listParams(ctx, sight, filter)
	if err != nil {
		return 0, err
	}
	n, err := store.New(customPlans{db.Read(ctx, s.pool)}).CountItems(ctx, store.CountItemsParams{
		AccountID: p.AccountID, RoleID: p.RoleID, Search: p.Search, Tags: p.Tags, Types: p.Types, Privacies: p.Privacies,
		WorkflowStatuses: p.WorkflowStatuses, CreatedAfter: p.CreatedAfter, CreatedBefore: p.CreatedBefore,
		UpdatedAfter: p.UpdatedAfter, Metadata: p.Metadata, DocumentVersion: p.DocumentVersion,
		StaleSearch: p.StaleSearch, AlsoTags: p.AlsoTags, AlsoStaleSearch: p.AlsoStaleSearch,
	})
	if err != nil {
		return 0, fmt.Errorf("count items: %w", err)
	}
	return n, nil
}

func (s *Service) list(ctx context.Context, sight Sight, filter Filter, paging Paging) (Page, error) {
	if paging.Sort == "" {
		paging.Sort = ByCreatedDesc
	}
	paging.Limit = min(paging.Limit, maxLimit)
	from, backward := paging.After, paging.Backward || paging.Before != ""
	order := paging.Sort
	if backward {
		from, order = paging.Before, order.reverse()
	}
	params, err := s.listParams(ctx, sight, filter)
	if err != nil {
		return Page{}, err
	}
	params.Sort, params.MaxRows = string(order.statement()), int32(paging.Limit+1)
	rank, err := s.startAfter(ctx, sight, from, &params, paging.Sort)
	if err != nil {
		return Page{}, err
	}
	var rows []listRow
	var head change.Position
	if order.key() == ByRelevance && filter.Search != "" {
		query := search.Parse(filter.composed().Search)
		rows, head, err = s.rowsByRelevance(ctx, sight, params, query, rank, backward)
	} else {
		rows, head, err = s.rows(ctx, params)
	}
	if err != nil {
		return Page{}, fmt.Errorf("list items: %w", err)
	}
	more := len(rows) > paging.Limit
	rows = rows[:min(len(rows), paging.Limit)]
	if backward {
		slices.Reverse(rows)
	}
	page := Page{HasPrevious: more, HasNext: from != "", ChangeCursor: s.feed.Checkpoint(head)}
	if !backward {
		page.HasPrevious, page.HasNext = from != "", more
	}
	page.Items, err = s.listed(ctx, sight, rows, paging.Sort)
	return page, err
}

// listed returns a page's items. It renders stale documents again, and omits items that were deleted or went out of
// sight meanwhile.
func (s *Service) listed(
	ctx context.Context, sight Sight, rows []listRow, sort Sort,
) ([]Listed, error) {
	items := make([]Listed, 0, len(rows))
	var stale []uuid.UUID
	for n := range rows {
		if rows[n].DocumentVersion != s.version {
			stale = append(stale, rows[n].ID)
		}
	}
	renewed, err := s.renewListed(ctx, stale)
	if err != nil {
		return nil, err
	}
	for n := range rows {
		row := &rows[n]
		document, ok := renewed[row.ID].Bytes, true
		if document == nil {
			document, ok, err = s.current(ctx, sight.account, row.ID, row.DocumentVersion, row.Document)
			if err != nil {
				return nil, err
			}
		}
		if ok && (row.DocumentVersion == s.version || sight.shows(document)) {
			items = append(items, Listed{ID: row.ID, Document: document, sort: sort, row: row})
		}
	}
	return items, nil
}
