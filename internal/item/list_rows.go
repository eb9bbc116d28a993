package item

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/search"
)

// listRow is a row of a list, and its rank in a list by relevance.
type listRow struct {
	store.ListDocumentsRow
	rank int
}

// rows reads a page's rows in order, and the log's head in the same snapshot.
func (s *Service) rows(
	ctx context.Context, p store.ListDocumentsParams,
) (rows []listRow, head change.Position, err error) {
	var found []store.ListDocumentsRow
	if order := Sort(p.Sort); order.key() == ByCreated && isUnfiltered(p) {
		if found, err = s.rowsByCreation(ctx, p, order); err == nil && len(found) > 1 {
			slices.SortFunc(found, order.compareTimes)
		}
	} else {
		found, err = s.rowsFiltered(ctx, p)
		slices.SortFunc(found, func(a, b store.ListDocumentsRow) int { return cmp.Compare(a.Place, b.Place) })
	}
	if err != nil {
		return nil, 0, err
	}
	if len(found) == 0 {
		return nil, 0, errors.New("the log has no head")
	}
	head = change.Position(found[0].Position)
	if found[0].ID == uuid.Nil { // the row of an empty list
		return nil, head, nil
	}
	rows = make([]listRow, len(found))
	for n, row := range found {
		rows[n].ListDocumentsRow = row
	}
	return rows, head, nil
}

// maxRanks is the largest number of search.Query.Ranks.
const maxRanks = 4

// rowsByRelevance reads a page's rows, rank after rank, with a statement for each. An item that has a better rank is
// left out of the others. The head is that of the first snapshot, so the page reflects every change up to there.
func (s *Service) rowsByRelevance(
	ctx context.Context, sight Sight, p store.ListDocumentsParams, query search.Query, rank int, backward bool,
) (rows []listRow, head change.Position, err error) {
	ranks := query.Ranks()
	step, end := 1, len(ranks)
	if backward {
		step, end = -1, -1
	}
	if rank = min(rank, len(ranks)-1); backward && p.FromID == nil {
		rank = len(ranks) - 1
	}
	stale, missing := p.StaleSearch, p.MaxRows
	for first := true; rank != end && missing > 0; rank += step {
		p.Search, p.Without, p.StaleSearch, p.MaxRows = new(sight.within(ranks[rank])), nil, nil, missing
		if rank > 0 {
			p.Without = &ranks[rank-1]
		}
		if rank == len(ranks)-1 {
			p.StaleSearch = stale // words of an earlier version do not tell names from other texts
		}
		found, at, err := s.rows(ctx, p)
		if err != nil {
			return nil, 0, err
		}
		if first {
			head, first = at, false
		}
		for _, row := range found {
			row.rank = rank
			rows = append(rows, row)
		}
		missing = p.MaxRows - int32(len(found))
		p.FromID, p.FromTime = nil, nil // the next rank is read from its start
	}
	return rows, head, nil
}

func (s *Service) rowsFiltered(
	ctx context.Context, p store.ListDocumentsParams,
) ([]store.ListDocumentsRow, error) {
	reader := s.documentReader(ctx, p.MaxRows)
	if p.Search == nil && p.Tags == nil && p.Metadata == nil && !isUnfiltered(p) { // no index finds the items
		return store.New(customPlans{reader}).ListDocuments(ctx, p)
	}
	found, err := store.New(reader).FindDocuments(ctx, store.FindDocumentsParams(p))
	rows := make([]store.ListDocumentsRow, len(found))
	for n, row := range found {
		rows[n] = store.ListDocumentsRow(row)
	}
	return rows, err
}

func isUnfiltered(p store.ListDocumentsParams) bool {
	return p.Search == nil && p.Tags == nil && p.Types == nil && p.Privacies == nil && p.WorkflowStatuses == nil &&
		p.CreatedAfter == nil && p.CreatedBefore == nil && p.UpdatedAfter == nil && p.Metadata == nil
}

// typicalDocument is the size that most documents do not exceed, in bytes.
const typicalDocument = 1536

// documentReader returns what to read up to n documents with.
func (s *Service) documentReader(ctx context.Context, n int32) db.Querier {
	return db.WithArena(db.Read(ctx, s.pool), min(int(n)*typicalDocument, 32<<10))
}

// Times before and after every item's creation, which an import may restore within the years 1 to 9999.
var (
	beforeAll = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	afterAll  = time.Date(10001, 1, 1, 0, 0, 0, 0, time.UTC)
)

func (s *Service) rowsByCreation(
	ctx context.Context, p store.ListDocumentsParams, order Sort,
) (rows []store.ListDocumentsRow, err error) {
	q := store.New(s.documentReader(ctx, p.MaxRows))
	from := store.NewestDocumentsParams{AccountID: p.AccountID, RoleID: p.RoleID, FromTime: afterAll, MaxRows: p.MaxRows}
	if order == ByCreated {
		from.FromTime = beforeAll
	}
	if p.FromID != nil {
		from.FromID, from.FromTime = *p.FromID, *p.FromTime
	}
	var found []store.NewestDocumentsRow
	if order == ByCreatedDesc {
		found, err = q.NewestDocuments(ctx, from)
	} else {
		var oldest []store.OldestDocumentsRow
		oldest, err = q.OldestDocuments(ctx, store.OldestDocumentsParams(from))
		for _, row := range oldest {
			found = append(found, store.NewestDocumentsRow(row))
		}
	}
	rows = make([]store.ListDocumentsRow, len(found))
	for i, row := range found {
		rows[i] = store.ListDocumentsRow{
			Position: row.Position, ID: row.ID, Document: row.Document, DocumentVersion: row.DocumentVersion,
			CreatedAt: row.CreatedAt,
		}
	}
	return rows, err
}

// customPlans makes Postgres plan a statement anew for each set of parameters. A statement of CASEs and optional
// criteria has no plan that is good for all of them.
type customPlans struct{ db.Querier }

func (c customPlans) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return c.Querier.Query(ctx, sql, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
}

func (c customPlans) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return c.Querier.QueryRow(ctx, sql, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
}

func (c customPlans) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return c.Querier.Exec(ctx, sql, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
}
