package bench

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/bench/internal/store"
)

func (b *baseline) get(w http.ResponseWriter, r *http.Request) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		fail(w, err)
		return
	}
	var document []byte
	var revision int64
	const query = "SELECT document, revision FROM item WHERE id = $1 AND account_id = $2"
	err = b.items.QueryRow(r.Context(), query, id, b.account).Scan(&document, &revision)
	if err != nil {
		fail(w, err)
		return
	}
	writeDocument(w, document, revision)
}

// newest is Itemcast's statement.
const newest = `SELECT head.position, coalesce(i.id, '00000000-0000-0000-0000-000000000000')::uuid AS id,
    coalesce(i.document, '')::bytea AS document, coalesce(i.document_version, 0)::integer AS document_version,
    coalesce(i.created_at, 'epoch')::timestamptz AS created_at
FROM (SELECT h.position FROM feed_head h ORDER BY h.step DESC LIMIT 1) head LEFT JOIN (SELECT page.* FROM (
    SELECT s.id, s.document, s.document_version, s.created_at FROM item s
    WHERE s.account_id = $1 AND (s.created_at, s.id) < ($2::timestamptz, $3::uuid)
    ORDER BY s.created_at DESC, s.id DESC LIMIT 501
) page LIMIT $4) i ON true`

var theEnd = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func (b *baseline) list(w http.ResponseWriter, r *http.Request) {
	const limit = 50
	rows, err := b.items.Query(r.Context(), newest, b.account, theEnd, uuid.UUID{}, limit+1)
	if err != nil {
		fail(w, err)
		return
	}
	defer rows.Close()
	body := bytes.NewBuffer(make([]byte, 0, 96<<10))
	body.WriteString(`{"results":[`)
	for n := 0; rows.Next() && n < limit; n++ {
		if n > 0 {
			body.WriteByte(',')
		}
		body.Write(rows.RawValues()[2]) // pgx reads the binary format, in which a bytea is its bytes
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		fail(w, err)
		return
	}
	body.WriteString(b.tail)
	w.Header().Set("Link", b.link)
	w.Header().Set("Itemcast-Change-Cursor", b.cursor)
	writeJSON(w, body.Bytes())
}

func (b *baseline) patch(w http.ResponseWriter, r *http.Request) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		fail(w, err)
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		fail(w, err)
		return
	}
	item, ok := b.rows[id]
	if !ok {
		fail(w, errors.New("no such item"))
		return
	}
	columns := item.columns
	columns.Name, columns.UpdatedAt, columns.Revision = anyName(b.patches.Add(1)), time.Now(), item.revision.Add(1)
	err = pgx.BeginFunc(r.Context(), b.copies, func(tx pgx.Tx) error {
		q := store.New(tx) // Itemcast's own statements, so that they stay the same
		if err := q.UpdateItem(r.Context(), columns); err != nil {
			return err
		}
		return q.InsertChange(r.Context(), store.InsertChangeParams{
			AccountID: b.account, ItemID: id, Revision: columns.Revision, Kind: "UPDATED", ChangedFields: []string{"name"},
			Previous: []byte(`{"name":"Keynote 000000, main stage","updated_at":"2026-01-31T12:00:00.123456Z"}`),
			Actor:    &b.account, Trigger: "hook", Document: columns.Document, OccurredAt: columns.UpdatedAt,
		})
	})
	if err != nil {
		fail(w, err)
		return
	}
	writeDocument(w, columns.Document, columns.Revision)
}

// setTail receives the end of Itemcast's list (next, previous and the closing brace) and its headers.
func (b *baseline) setTail(w http.ResponseWriter, r *http.Request) {
	tail, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, err)
		return
	}
	b.link, b.cursor, b.tail = r.Header.Get("Link"), r.Header.Get("Itemcast-Change-Cursor"), string(tail)
	w.Header().Set("Content-Length", "0")
}

func writeDocument(w http.ResponseWriter, document []byte, revision int64) {
	w.Header().Set("ETag", `"`+strconv.FormatInt(revision, 10)+`"`)
	writeJSON(w, document)
}

func writeJSON(w http.ResponseWriter, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Referrer-Policy", "same-origin")
	h["Vary"] = []string{"Origin", "Accept, Sec-Fetch-Mode"}
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body)
}

func fail(w http.ResponseWriter, err error) {
	http.Error(w, err.Error(), http.StatusInternalServerError)
}
