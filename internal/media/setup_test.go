package media

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/media/blob"
)

// bundle is a Service over a folder and a database with one account.
type bundle struct {
	*Service
	t       *testing.T
	pool    *pgxpool.Pool
	account uuid.UUID
	dir     string
	clock   time.Time
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	b := &bundle{t: t, pool: dbtest.New(t), dir: t.TempDir(), clock: time.Now()}
	b.account = b.addAccount()
	bucket, err := blob.Open(t.Context(), "file://"+b.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bucket.Close() })
	b.Service = NewService(Config{Pool: b.pool, Bucket: bucket, PublicURL: "https://items.example",
		Now: func() time.Time { return b.clock }, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	return b
}

func (b *bundle) addAccount() uuid.UUID {
	b.t.Helper()
	id := uuid.New()
	if err := dbtest.InsertAccount(b.t.Context(), b.pool, id, "test"); err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *bundle) exec(statement string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(b.t.Context(), statement, args...); err != nil {
		b.t.Fatal(err)
	}
}

// item inserts a public item with assets.
func (b *bundle) item(assets ...uuid.UUID) uuid.UUID {
	b.t.Helper()
	id := uuid.New()
	b.exec(`INSERT INTO item (id, account_id, name, description, type, privacy, tags, metadata, client_data, created_at,
		updated_at, revision, document, document_version, search)
		VALUES ($1, $2, '', '', 'video', 'public', '{}', '{}', '{}', now(), now(), 1, '', 1, '')`, id, b.account)
	for n, asset := range assets {
		b.exec(`INSERT INTO asset (account_id, item_id, id, position, kind, url, content_type)
			VALUES ($1, $2, $3, $4, 'source', '', 'video/mp4')`, b.account, id, asset, n)
	}
	return id
}

// stage stages a file of a new asset.
func (b *bundle) stage(name, text string) uuid.UUID {
	b.t.Helper()
	asset := uuid.New()
	b.stageOf(asset, name, text)
	return asset
}

func (b *bundle) stageOf(asset uuid.UUID, name, text string) {
	b.t.Helper()
	_, err := b.Stage(b.t.Context(), b.account, File{Asset: asset, Name: name, ContentType: "video/mp4"}, 1<<30,
		strings.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
}

// published publishes a file of a new item.
func (b *bundle) published(name, text string) (item, asset uuid.UUID) {
	b.t.Helper()
	asset = b.stage(name, text)
	item = b.item(asset)
	b.write(func(ctx context.Context, tx pgx.Tx) error { return b.Publish(ctx, tx, b.account, item, asset) })
	return item, asset
}

func (b *bundle) write(fn func(ctx context.Context, tx pgx.Tx) error) {
	b.t.Helper()
	if err := db.Write(b.t.Context(), b.pool, fn); err != nil {
		b.t.Fatal(err)
	}
}

// fetched returns the bytes that anybody gets; "" and the error for none.
func (b *bundle) fetched(asset uuid.UUID, name string) (string, error) {
	b.t.Helper()
	f, err := b.Fetch(b.t.Context(), Request{Asset: asset, Name: name,
		Identify: func() (context.Context, error) { return b.t.Context(), nil }})
	if err != nil {
		return "", err
	}
	content, err := b.Content(b.t.Context(), f)
	if err != nil {
		return "", err
	}
	defer content.Close()
	all, err := io.ReadAll(content)
	return string(all), err
}

// left returns the numbers of rows and of stored files.
func (b *bundle) left() (rows, files int) {
	b.t.Helper()
	if err := b.pool.QueryRow(b.t.Context(), "SELECT count(*) FROM media_file").Scan(&rows); err != nil {
		b.t.Fatal(err)
	}
	err := filepath.WalkDir(b.dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != blob.MarkName {
			files++
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return rows, files
}

func (b *bundle) wantLeft(what string, want int) {
	b.t.Helper()
	if rows, files := b.left(); rows != want || files != want {
		b.t.Errorf("%s: %d rows and %d files are left, want %d of each", what, rows, files, want)
	}
}

// after sweeps at a later time.
func (b *bundle) after(later time.Duration) {
	b.t.Helper()
	b.clock = time.Now().Add(later)
	if err := b.sweep(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}
