package item

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

// Filter says which items are meant; a zero criterion lets all pass, and several must all hold.
type Filter struct {
	Search           string // as websearch_to_tsquery reads it: words, "a phrase", or, -word
	Tags             []string
	Types            []ItemType
	Privacies        []Privacy
	WorkflowStatuses []string
	CreatedAfter     *time.Time
	CreatedBefore    *time.Time
	UpdatedAfter     *time.Time
	Metadata         map[string]string // values as text, read by the field's kind
}

// Sort is the order of a list; a leading - turns it round.
type Sort string

// The sorts.
const (
	ByCreated     Sort = "created_at"
	ByCreatedDesc Sort = "-created_at"
	ByUpdated     Sort = "updated_at"
	ByUpdatedDesc Sort = "-updated_at"
	ByName        Sort = "name"
	ByNameDesc    Sort = "-name"
)

func (s Sort) reverse() Sort {
	if base, ok := strings.CutPrefix(string(s), "-"); ok {
		return Sort(base)
	}
	return "-" + s
}

// maxLimit is of one page: sql/queries/item.sql reads one row more and no further.
const maxLimit = 500

// Paging asks for a page: the first Limit items, those after a position, or the last ones before a position. Before "" with Backward is
// the end of the list.
type Paging struct {
	Sort     Sort // "" is ByCreatedDesc
	Limit    int  // 500 at most
	After    string
	Before   string
	Backward bool
}

// Listed is an item of a page: its document, and its position in this order.
type Listed struct {
	ID       uuid.UUID
	Document []byte
	sort     Sort
	row      *store.ListDocumentsRow
}

// Cursor is the item's position, for Paging.
func (l Listed) Cursor() string { return pageToken(l.sort, l.row) }

// Page is a part of a list. HasPrevious and HasNext are exact in the direction that was read; in the other they say whether a position was
// given. ChangeCursor is where the log stood in the very snapshot that the page is of: the page knows of every change up to there, and of
// some that come after, again. Who reads several pages and then follows the log goes on from the first page's.
type Page struct {
	Items        []Listed
	HasPrevious  bool
	HasNext      bool
	ChangeCursor string
}

// List returns a page of the items that pass the filter. Errors: INVALID_CURSOR, INVALID_INPUT for metadata that is no field's.
func (s *Service) List(ctx context.Context, filter Filter, paging Paging) (Page, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return Page{}, err
	}
	return s.list(ctx, actor, filter, paging)
}

// Count counts the items that pass the filter.
func (s *Service) Count(ctx context.Context, filter Filter) (int64, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return 0, err
	}
	p, err := s.criteria(ctx, actor, filter)
	if err != nil {
		return 0, err
	}
	n, err := store.New(customPlans{db.Read(ctx, s.pool)}).CountItems(ctx, store.CountItemsParams{
		AccountID: p.AccountID, RoleID: p.RoleID, Search: p.Search, Tags: p.Tags, Types: p.Types, Privacies: p.Privacies, WorkflowStatuses: p.WorkflowStatuses,
		CreatedAfter: p.CreatedAfter, CreatedBefore: p.CreatedBefore, UpdatedAfter: p.UpdatedAfter, Metadata: p.Metadata,
	})
	if err != nil {
		return 0, fmt.Errorf("count items: %w", err)
	}
	return n, nil
}

func (s *Service) list(ctx context.Context, actor account.Actor, filter Filter, paging Paging) (Page, error) {
	if paging.Sort == "" {
		paging.Sort = ByCreatedDesc
	}
	paging.Limit = min(paging.Limit, maxLimit)
	from, backward := paging.After, paging.Backward || paging.Before != ""
	order := paging.Sort
	if backward {
		from, order = paging.Before, order.reverse()
	}
	params, err := s.criteria(ctx, actor, filter)
	if err != nil {
		return Page{}, err
	}
	params.Sort, params.MaxRows = string(order), int32(paging.Limit+1)
	if err := startAfter(from, &params, paging.Sort); err != nil {
		return Page{}, err
	}
	rows, head, err := s.rows(ctx, params, order)
	if err != nil {
		return Page{}, fmt.Errorf("list items: %w", err)
	}
	more := len(rows) > paging.Limit
	rows = rows[:min(len(rows), paging.Limit)]
	if backward {
		slices.Reverse(rows)
	}
	page := Page{Items: make([]Listed, 0, len(rows)), HasPrevious: more, HasNext: from != "", ChangeCursor: s.feed.Cursor(head)}
	if !backward {
		page.HasPrevious, page.HasNext = from != "", more
	}
	for n := range rows {
		row := &rows[n]
		if row.DocumentVersion != s.version {
			renewed, err := s.renew(ctx, actor.AccountID, row.ID)
			if problem.Is(err, problem.NotFound) {
				continue
			}
			if err != nil {
				return Page{}, err
			}
			row.Document = renewed.Bytes
		}
		page.Items = append(page.Items, Listed{ID: row.ID, Document: row.Document, sort: paging.Sort, row: row})
	}
	return page, nil
}

// rows reads a page's rows in order, and the log's head in the same snapshot.
func (s *Service) rows(ctx context.Context, p store.ListDocumentsParams, order Sort) (rows []store.ListDocumentsRow, head change.Position, err error) {
	if order.key() == ByCreated && unfiltered(p) {
		rows, err = s.rowsByCreation(ctx, p, order)
	} else {
		rows, err = store.New(customPlans{s.documents(ctx, p.MaxRows)}).ListDocuments(ctx, p)
	}
	if err != nil {
		return nil, 0, err
	}
	if len(rows) == 0 {
		return nil, 0, errors.New("the log has no head")
	}
	head = change.Position(rows[0].Position)
	if rows[0].ID == uuid.Nil {
		return nil, head, nil
	}
	slices.SortFunc(rows, order.compare)
	return rows, head, nil
}

func unfiltered(p store.ListDocumentsParams) bool {
	return p.Search == nil && p.Tags == nil && p.Types == nil && p.Privacies == nil && p.WorkflowStatuses == nil &&
		p.CreatedAfter == nil && p.CreatedBefore == nil && p.UpdatedAfter == nil && p.Metadata == nil
}

// usualDocument is how many bytes most documents have at most.
const usualDocument = 1536

// documents reads so many documents.
func (s *Service) documents(ctx context.Context, most int32) db.Querier {
	return db.WithArena(db.Read(ctx, s.pool), min(int(most)*usualDocument, 32<<10))
}

// The ends of the order of creation: before and after every item that there can be.
var (
	beginning = time.Unix(0, 0)
	end       = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

func (s *Service) rowsByCreation(ctx context.Context, p store.ListDocumentsParams, order Sort) (rows []store.ListDocumentsRow, err error) {
	q := store.New(s.documents(ctx, p.MaxRows))
	from := store.NewestDocumentsParams{AccountID: p.AccountID, RoleID: p.RoleID, FromTime: end, MaxRows: p.MaxRows}
	if order == ByCreated {
		from.FromTime = beginning
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
		rows[i] = store.ListDocumentsRow{Position: row.Position, ID: row.ID, Document: row.Document, DocumentVersion: row.DocumentVersion,
			CreatedAt: row.CreatedAt}
	}
	return rows, err
}

// criteria turns a filter into the statement's parameters; nil criteria vanish from its plan.
func (s *Service) criteria(ctx context.Context, actor account.Actor, f Filter) (store.ListDocumentsParams, error) {
	p := store.ListDocumentsParams{
		AccountID: actor.AccountID, RoleID: actor.RoleIn(), Tags: texts(f.Tags), Types: texts(f.Types), Privacies: texts(f.Privacies), WorkflowStatuses: texts(f.WorkflowStatuses),
		CreatedAfter: f.CreatedAfter, CreatedBefore: roundUp(f.CreatedBefore), UpdatedAfter: f.UpdatedAfter,
	}
	if err := f.faults().Err(problem.InvalidInput); err != nil {
		return p, err
	}
	if f.Search != "" {
		p.Search = &f.Search
	}
	if len(f.Metadata) == 0 {
		return p, nil
	}
	fields, err := store.New(db.Read(ctx, s.pool)).ListMetadataFields(ctx, actor.AccountID)
	if err != nil {
		return p, fmt.Errorf("list metadata fields: %w", err)
	}
	wanted, err := metadataCriteria(fields, f.Metadata)
	if err != nil {
		return p, err
	}
	p.Metadata, err = json.Marshal(wanted)
	return p, err
}

// faults checks the texts that Postgres is to compare with.
func (f *Filter) faults() (faults problem.Faults) {
	faults.Of("search", validate.Text(f.Search, 0, maxSearch))
	if idleDashes(f.Search) > maxIdleDashes {
		faults.Of("search", "has too many dashes that stand before no word")
	}
	check := func(parameter string, texts ...string) {
		for _, text := range texts {
			faults.Of(parameter, validate.Storable(text))
		}
	}
	check("tags", f.Tags...)
	check("workflow_status", f.WorkflowStatuses...)
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		check("metadata."+key, f.Metadata[key])
	}
	return faults
}

const (
	maxSearch     = 500 // characters, as in the contract
	maxIdleDashes = 16  // Postgres stacks up 32 of them and then fails (websearch_to_tsquery: "tsquery stack too small")
)

// idleDashes counts the dashes that exclude nothing.
func idleDashes(search string) (n int) {
	idle := false
	for _, r := range search + " " {
		if idle && r != '"' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			n++
		}
		idle = r == '-'
	}
	return n
}

// roundUp rounds to Postgres's microseconds: what is before a time is before the next of them. A time that others are to be after is
// rounded down, as pgx does.
func roundUp(t *time.Time) *time.Time {
	if t == nil || t.Nanosecond()%1000 == 0 {
		return t
	}
	up := t.Truncate(time.Microsecond).Add(time.Microsecond)
	return &up
}

func metadataCriteria(fields []store.MetadataField, wanted map[string]string) (map[string]any, error) {
	var faults problem.Faults
	values := make(map[string]any, len(wanted))
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		at := slices.IndexFunc(fields, func(f store.MetadataField) bool { return f.Key == key })
		if at < 0 {
			faults.Of("metadata."+key, "is no metadata field of this account")
			continue
		}
		var value any = wanted[key]
		switch fields[at].Kind {
		case "number":
			if isNumber(wanted[key]) {
				value = json.Number(wanted[key])
			}
		case "bool":
			value = map[string]any{"true": true, "false": false}[wanted[key]]
		}
		value, detail := checkValue(fields[at], value)
		faults.Of("metadata."+key, detail)
		values[key] = value
	}
	return values, faults.Err(problem.InvalidInput)
}

func texts[T ~string](values []T) []string {
	if len(values) == 0 {
		return nil
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// customPlans has each statement planned for its own parameters: a statement of CASEs and optional criteria has no good plan that serves
// them all, and an excellent one for each.
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
