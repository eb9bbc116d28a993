package item

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/page"
)

// Sort is the order of a list. A leading - reverses it.
type Sort string

// The sorts.
const (
	ByCreated     Sort = "created_at"
	ByCreatedDesc Sort = "-created_at"
	ByUpdated     Sort = "updated_at"
	ByUpdatedDesc Sort = "-updated_at"
	ByName        Sort = "name"
	ByNameDesc    Sort = "-name"

	// ByRelevance is for lists with a search: items with the words in the name come first (search.Query.Ranks), and
	// among equals the newest.
	ByRelevance Sort = "relevance"
)

func (s Sort) reverse() Sort {
	if key, ok := strings.CutPrefix(string(s), "-"); ok {
		return Sort(key)
	}
	return "-" + s
}

// key returns the sort without its direction.
func (s Sort) key() Sort { return Sort(strings.TrimPrefix(string(s), "-")) }

// statement returns the order of the statement that reads a list.
func (s Sort) statement() Sort {
	switch s {
	case ByRelevance:
		return ByCreatedDesc
	case ByRelevance.reverse():
		return ByCreated
	default:
		return s
	}
}

// compareTimes compares rows by creation. The join that fetches the documents does not preserve the order.
func (s Sort) compareTimes(a, b store.ListDocumentsRow) int {
	order := cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.ID[:], b.ID[:]))
	if s == ByCreatedDesc {
		return -order
	}
	return order
}

// pageToken returns the token of an item's place in the list. Its key is the sort's value and the id.
func pageToken(sort Sort, row *listRow) string {
	list := "items " + string(sort)
	switch sort.key() {
	case ByRelevance:
		return page.Token(list, int64(row.rank+1), row.CreatedAt, row.ID)
	case ByName:
		return page.Token(list, row.NameKey, row.ID)
	case ByUpdated:
		return page.Token(list, row.UpdatedAt, row.ID)
	default:
		return page.Token(list, row.CreatedAt, row.ID)
	}
}

// startAfter makes a statement start after a page token; "" stands for the start of the list. With ByRelevance, it
// returns the rank of the token's item. Error: INVALID_PAGE_TOKEN.
func (s *Service) startAfter(
	ctx context.Context, sight Sight, token string, params *store.ListDocumentsParams, sort Sort,
) (rank int, err error) {
	if token == "" {
		return 0, nil
	}
	var id uuid.UUID
	list := "items " + string(sort)
	params.FromID, params.FromTime = &id, new(time.Time{})
	switch sort.key() {
	case ByName:
		var name page.Text
		if err := page.Read(token, list, &name, &id); err != nil {
			return 0, err
		}
		key, err := s.nameKey(ctx, sight, id, name)
		params.FromName = &key
		return 0, err
	case ByRelevance:
		var number int64
		err := page.Read(token, list, &number, params.FromTime, &id)
		return int(min(number, maxRanks)) - 1, err
	default:
		return 0, page.Read(token, list, params.FromTime, &id)
	}
}

// nameKey returns the text of a page token by name. A token has only the digest of a long one. The item still has that
// name, or the log has it: the change that removed it is younger than any token that clients still follow. Names that
// the actor could not see do not count, or the answer would tell whether a hidden item has a name. Error:
// INVALID_PAGE_TOKEN if the log has dropped that change.
func (s *Service) nameKey(ctx context.Context, sight Sight, id uuid.UUID, name page.Text) (string, error) {
	if !name.IsLong() {
		return name.Whole, nil
	}
	q := db.Read(ctx, s.pool)
	row, err := store.New(q).NameKey(ctx, store.NameKeyParams{AccountID: sight.account, RoleID: sight.role, ID: id})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
	case err != nil:
		return "", fmt.Errorf("read an item's name: %w", err)
	case name.Is(row.NameKey) && sight.shows(row.Document):
		return row.NameKey, nil
	}
	names, err := s.formerNames(ctx, sight, id)
	if err != nil {
		return "", err
	}
	keys, err := store.New(q).NameKeys(ctx, names)
	if err != nil {
		return "", fmt.Errorf("read former names: %w", err)
	}
	if at := slices.IndexFunc(keys, name.Is); at >= 0 {
		return keys[at], nil
	}
	return "", page.ErrForgotten()
}

// formerNames returns the names that the log has of an item in sight, newest first.
func (s *Service) formerNames(ctx context.Context, sight Sight, id uuid.UUID) (names []string, err error) {
	q := db.Read(ctx, s.pool)
	if sight.isWhole() {
		former, err := change.FormerValues(ctx, q, sight.account, sight.role, id, "name")
		if err != nil {
			return nil, err
		}
		names = make([]string, len(former))
		for n, value := range former {
			if err := json.Unmarshal(value, &names[n]); err != nil {
				return nil, fmt.Errorf("decode a former name: %w", err)
			}
		}
		return names, nil
	}
	changes, err := change.History(ctx, q, sight.account, sight.role, id, 0, maxFormerNames)
	if err != nil {
		return nil, err
	}
	view, err := sight.View(ctx, s.pool, changes)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		versions := VersionsOf(c, s.log)
		sees, err := view.shows(c, func() *Versions { return versions })
		if err != nil {
			return nil, err
		}
		if sees {
			names = append(names, versions.After().Name)
		}
		if before := versions.Before; c.Kind == change.Updated && view.saw(before()) {
			names = append(names, before().Name)
		}
	}
	return names, nil
}

// maxFormerNames is the number of changes in which formerNames looks, with their documents.
const maxFormerNames = 100
