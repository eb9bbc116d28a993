package web

import (
	"hash/maphash"
	"html/template"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"itemcast/internal/item"
)

// rowCache has the rows that were rendered last. A row depends on the item's document alone, beside what its key names.
// Of a list's 50 rows nearly all are as they were: without the cache, rendering them takes three times as long as
// reading them.
type rowCache struct {
	seed maphash.Seed
	rows *lru.Cache[rowKey, *cachedRow]
}

type rowKey struct {
	id       uuid.UUID
	document uint64 // its hash; the seed is secret, so nobody can make two documents of an item that have one
	language string
	mayAct   bool
}

// cachedRow is a row with each mark that it may have.
type cachedRow struct {
	created, updated time.Time
	html             [markKinds]atomic.Pointer[template.HTML]
}

// maxRows is the number of rows that a node keeps, of 1 kB each.
const maxRows = 4096

func newRowCache() rowCache {
	return rowCache{maphash.MakeSeed(), newCache[rowKey, *cachedRow](maxRows)}
}

// row returns the row of a document, and whether it is marked.
func (c *call) row(id uuid.UUID, document []byte, mayAct bool, mark func(created, updated time.Time) markKind) (
	row template.HTML, marked bool, err error,
) {
	cache := &c.pages.rows
	key := rowKey{id, maphash.Bytes(cache.seed, document), c.text.Tag, mayAct}
	known, ok := cache.rows.Get(key)
	var i *item.Item
	if !ok {
		if i, err = item.Decode(document); err != nil {
			return "", false, err
		}
		known = &cachedRow{created: i.CreatedAt, updated: i.UpdatedAt}
		cache.rows.Add(key, known)
	}
	kind := mark(known.created, known.updated)
	if html := known.html[kind].Load(); html != nil {
		return *html, kind != unmarked, nil
	}
	if i == nil {
		if i, err = item.Decode(document); err != nil {
			return "", false, err
		}
	}
	shown := c.itemRow(i, mayAct)
	if key := markKeys[kind]; key != "" {
		shown.Mark = c.text.Get(key)
	}
	row = template.HTML(itemsScreen.renderPart(c.text, "row", shown)) // html/template has escaped it
	known.html[kind].Store(&row)
	return row, kind != unmarked, nil
}
