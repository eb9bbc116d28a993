package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/bench/internal/store"
	"itemcast/internal/db"
)

// baselineConfig is what the baseline's process reads from its standard input.
type baselineConfig struct {
	DatabaseURL string
	Account     uuid.UUID
}

// baseline is what one would write by hand: a handler, a statement, the bytes. It signs nobody in and checks nothing.
type baseline struct {
	account uuid.UUID
	items   *pgxpool.Pool
	copies  *pgxpool.Pool // sees the tables of the schema bench
	rows    map[uuid.UUID]*patched
	patches atomic.Int64

	broadcast broadcast

	link, cursor, tail string // what follows a list's results: the page after them does not change while a list is measured
}

// patched is an item with its columns at hand, so that a PATCH only has to write.
type patched struct {
	columns  store.UpdateItemParams
	revision atomic.Int64
}

// RunBaseline serves until stdin ends, which is when the process that started it stops it, or dies.
func RunBaseline(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var c baselineConfig
	decoder := json.NewDecoder(stdin)
	if err := decoder.Decode(&c); err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	b, err := openBaseline(ctx, c)
	if err != nil {
		return err
	}
	defer b.close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: b.routes()}
	var following sync.WaitGroup
	following.Go(func() {
		if err := b.broadcast.run(ctx, c.DatabaseURL); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "the baseline's broadcast ended:", err)
		}
	})
	defer func() { cancel(); following.Wait() }()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		_ = server.Close()
	}()
	fmt.Fprintln(stdout, listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func openBaseline(ctx context.Context, c baselineConfig) (b *baseline, err error) {
	opened := &baseline{account: c.Account, rows: map[uuid.UUID]*patched{}}
	b = opened
	defer func() {
		if err != nil {
			opened.close()
		}
	}()
	if b.items, err = db.Open(ctx, c.DatabaseURL); err != nil {
		return nil, err
	}
	separator := "?"
	if strings.Contains(c.DatabaseURL, "?") {
		separator = "&"
	}
	if b.copies, err = db.Open(ctx, c.DatabaseURL+separator+"search_path=bench,public"); err != nil {
		return nil, err
	}
	rows, err := b.copies.Query(ctx, "SELECT "+allColumns+" FROM item")
	if err != nil {
		return nil, err
	}
	items, err := pgx.CollectRows(rows, pgx.RowToStructByPos[store.UpdateItemParams])
	if err != nil {
		return nil, err
	}
	for _, columns := range items {
		p := &patched{columns: columns}
		p.revision.Store(columns.Revision)
		b.rows[columns.ID] = p
	}
	return b, nil
}

func (b *baseline) close() {
	for _, pool := range []*pgxpool.Pool{b.items, b.copies} {
		if pool != nil {
			pool.Close()
		}
	}
}

func (b *baseline) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", b.get)
	mux.HandleFunc("GET /items", b.list)
	mux.HandleFunc("PATCH /items/{id}", b.patch)
	mux.HandleFunc("PUT /tail", b.setTail)
	mux.HandleFunc("GET /broadcast", b.broadcast.join)
	mux.HandleFunc("POST /post", b.post)
	return mux
}

func (b *baseline) get(w http.ResponseWriter, r *http.Request) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		fail(w, err)
		return
	}
	var document []byte
	var revision int64
	err = b.items.QueryRow(r.Context(), "SELECT document, revision FROM item WHERE id = $1 AND account_id = $2", id, b.account).Scan(&document, &revision)
	if err != nil {
		fail(w, err)
		return
	}
	writeDocument(w, document, revision)
}

// newest is the product's statement.
const newest = `SELECT head.position, coalesce(i.id, '00000000-0000-0000-0000-000000000000')::uuid AS id, coalesce(i.document, '')::bytea AS document,
    coalesce(i.document_version, 0)::integer AS document_version, coalesce(i.created_at, 'epoch')::timestamptz AS created_at
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
		body.Write(rows.RawValues()[2]) // a bytea comes as its bytes in the binary format, which pgx asks for
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
	columns.Name, columns.UpdatedAt, columns.Revision = takeName(b.patches.Add(1)), time.Now(), item.revision.Add(1)
	err = pgx.BeginFunc(r.Context(), b.copies, func(tx pgx.Tx) error {
		q := store.New(tx) // the product's statements, so that they are the same for good
		if err := q.UpdateItem(r.Context(), columns); err != nil {
			return err
		}
		return q.InsertChange(r.Context(), store.InsertChangeParams{
			AccountID: b.account, ItemID: id, Revision: columns.Revision, Kind: "UPDATED", ChangedFields: []string{"name"},
			Previous: []byte(`{"name":"Keynote 000000, main stage","updated_at":"2026-01-31T12:00:00.123456Z"}`), Actor: &b.account, Trigger: "hook", Document: columns.Document,
			OccurredAt: columns.UpdatedAt,
		})
	})
	if err != nil {
		fail(w, err)
		return
	}
	writeDocument(w, columns.Document, columns.Revision)
}

// setTail takes what the product's list ends with: next, previous and the closing brace; and its headers.
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
	h.Set("Vary", "Accept")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body)
}

func fail(w http.ResponseWriter, err error) {
	http.Error(w, err.Error(), http.StatusInternalServerError)
}
