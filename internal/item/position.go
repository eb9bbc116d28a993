package item

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
)

// listPosition is a place in a sorted list: the sort, and the sort's value and the id of the item there. Opaque to clients.
type listPosition struct {
	Sort string     `json:"s"`
	Time *time.Time `json:"t,omitempty"`
	Name *string    `json:"n,omitempty"`
	ID   uuid.UUID  `json:"i"`
}

func position(sort Sort, row *store.ListDocumentsRow) string {
	p := listPosition{Sort: string(sort), ID: row.ID}
	switch sort.key() {
	case ByName:
		p.Name = &row.NameKey
	case ByUpdated:
		p.Time = &row.UpdatedAt
	default:
		p.Time = &row.CreatedAt
	}
	raw, _ := json.Marshal(p) // cannot fail: strings, a time of this era, a uuid
	return base64.RawURLEncoding.EncodeToString(raw)
}

// readFrom sets the position to go on from; the empty cursor is the list's beginning. Error: INVALID_CURSOR.
func readFrom(params *store.ListDocumentsParams, sort Sort, cursor string) error {
	if cursor == "" {
		return nil
	}
	invalid := problem.New(problem.InvalidCursor, "The position is not one of this list in this order; take it from next, previous or an edge.")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return invalid
	}
	var p listPosition
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil || p.Sort != string(sort) || (p.Name != nil) != (sort.key() == ByName) || (p.Time == nil) == (p.Name == nil) {
		return invalid
	}
	if p.Name != nil && !db.IsText(*p.Name) {
		return invalid
	}
	if p.Time != nil && (p.Time.Year() < 1 || p.Time.Year() > 9999) {
		return invalid
	}
	params.FromID, params.FromTime, params.FromName = &p.ID, p.Time, p.Name
	return nil
}

// key is the sort without its direction.
func (s Sort) key() Sort { return Sort(strings.TrimPrefix(string(s), "-")) }

// compare orders rows as the statement chose them; the join that fetches the documents does not keep that order.
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
