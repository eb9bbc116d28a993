package item

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/google/uuid"

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
)

func (s Sort) reverse() Sort {
	if key, ok := strings.CutPrefix(string(s), "-"); ok {
		return Sort(key)
	}
	return "-" + s
}

// key returns the sort without its direction.
func (s Sort) key() Sort { return Sort(strings.TrimPrefix(string(s), "-")) }

// compare compares rows as the statement ordered them. The join that fetches the documents does not preserve the order.
func (s Sort) compare(a, b store.ListDocumentsRow) int {
	var order int
	switch s.key() {
	case ByName:
		order = strings.Compare(a.NameKey, b.NameKey)
	case ByUpdated:
		order = a.UpdatedAt.Compare(b.UpdatedAt)
	default:
		order = a.CreatedAt.Compare(b.CreatedAt)
	}
	order = cmp.Or(order, bytes.Compare(a.ID[:], b.ID[:]))
	if strings.HasPrefix(string(s), "-") {
		return -order
	}
	return order
}

// pageToken returns the token of an item's place in the list. Its key is the sort's value and the id.
func pageToken(sort Sort, row *store.ListDocumentsRow) string {
	list := "items " + string(sort)
	switch sort.key() {
	case ByName:
		return page.Token(list, row.NameKey, row.ID)
	case ByUpdated:
		return page.Token(list, row.UpdatedAt, row.ID)
	default:
		return page.Token(list, row.CreatedAt, row.ID)
	}
}

// startAfter makes a statement start after a page token; "" stands for the start of the list. Error:
// INVALID_PAGE_TOKEN.
func startAfter(token string, params *store.ListDocumentsParams, sort Sort) error {
	if token == "" {
		return nil
	}
	var id uuid.UUID
	list := "items " + string(sort)
	if sort.key() == ByName {
		params.FromID, params.FromName = &id, new("")
		return page.Read(token, list, params.FromName, &id)
	}
	params.FromID, params.FromTime = &id, new(time.Time{})
	return page.Read(token, list, params.FromTime, &id)
}
