package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/bench/internal/store"
	"itemcast/internal/db"
)

// baselineConfig is what the baseline reads from its standard input.
type baselineConfig struct {
	DatabaseURL string
	Account     uuid.UUID
	Folder      string // of uploads
}

// baseline is a hand-written server: a handler, a statement, the bytes. It has no users and validates nothing.
type baseline struct {
	account uuid.UUID
	items   *pgxpool.Pool
	copies  *pgxpool.Pool // finds the tables of the schema bench first
	rows    map[uuid.UUID]*patched
	patches atomic.Int64

	broadcast broadcast
	folder    string
	tus       http.Handler

	link, cursor, tail string // of the list: its headers, and the JSON after its results (setTail)
}

// patched is an item with all its columns, so that a PATCH needs only to write.
type patched struct {
	columns  store.UpdateItemParams
	revision atomic.Int64
}

// RunBaseline runs the baseline until stdin ends: when the process that started it closes it, or dies. It prints its
// address to stdout.
func RunBaseline(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
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
	defer b.broadcast.close()
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
	opened := &baseline{
		account: c.Account, folder: c.Folder, rows: map[uuid.UUID]*patched{}, broadcast: broadcast{url: c.DatabaseURL},
	}
	b = opened
	defer func() {
		if err != nil {
			opened.close()
		}
	}()
	if b.tus, err = newTus(c.Folder); err != nil {
		return nil, err
	}
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
	rows, err := b.copies.Query(ctx, "SELECT "+patchedColumns+" FROM item")
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
	mux.HandleFunc("POST /upload", b.upload)
	mux.Handle(tusPath, b.tus)
	return mux
}
