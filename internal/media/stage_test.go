package media

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/problem"
)

func TestPublish_AFileCanBeFetchedFromTheCommitOfItsItemOn(t *testing.T) {
	b := setup(t)
	asset := b.stage("clip.mp4", "the bytes")
	item := b.item(asset)
	wantNone := func(when string) {
		t.Helper()
		if got, err := b.fetched(asset, "clip.mp4"); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %q %v", when, got, err)
		}
	}
	wantNone("staged")
	broken := errors.New("the item cannot be written")
	err := db.Write(t.Context(), b.pool, func(ctx context.Context, tx pgx.Tx) error {
		if err := b.Publish(ctx, tx, b.account, item, asset); err != nil {
			return err
		}
		wantNone("not committed")
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	wantNone("rolled back")
	b.write(func(ctx context.Context, tx pgx.Tx) error { return b.Publish(ctx, tx, b.account, item, asset) })
	if got, err := b.fetched(asset, "clip.mp4"); got != "the bytes" || err != nil {
		t.Errorf("published: %q %v", got, err)
	}
	for _, name := range []string{"other.mp4", "", "clip.mp4/", "../clip.mp4"} {
		if _, err := b.fetched(asset, name); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.exec("DELETE FROM item")
	wantNone("its item is deleted")
}

func TestPublish_EveryAssetNeedsItsOwnAccountsFile(t *testing.T) {
	b := setup(t)
	asset := b.stage("clip.mp4", "x")
	other := b.addAccount()
	for name, publish := range map[string]func(ctx context.Context, tx pgx.Tx) error{
		"one of two": func(ctx context.Context, tx pgx.Tx) error {
			return b.Publish(ctx, tx, b.account, uuid.New(), asset, uuid.New())
		},
		"another account's": func(ctx context.Context, tx pgx.Tx) error {
			return b.Publish(ctx, tx, other, uuid.New(), asset)
		},
	} {
		if db.Write(t.Context(), b.pool, publish) == nil {
			t.Errorf("%s was published", name)
		}
	}
}

// An asset may grow: a playlist is published with its first rendition, and the others follow.
func TestPublish_AnAssetMayGetFurtherFiles(t *testing.T) {
	b := setup(t)
	item, asset := b.published("1.m3u8", "one rendition")
	b.stageOf(asset, "720/seg 1.m4s", "a segment")
	b.write(func(ctx context.Context, tx pgx.Tx) error { return b.Publish(ctx, tx, b.account, item, asset) })
	for name, want := range map[string]string{"1.m3u8": "one rendition", "720/seg 1.m4s": "a segment"} {
		if got, err := b.fetched(asset, name); got != want || err != nil {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if got := b.Path(asset, "720/seg 1.m4s"); got != "/media/"+asset.String()+"/720/seg%201.m4s" {
		t.Errorf("its path is %s", got)
	}
}

func TestStage_RefusesWhatIsNotAsAnnounced(t *testing.T) {
	b := setup(t)
	broken := errors.New("the client is gone")
	for name, c := range map[string]struct {
		file   File
		source io.Reader
		max    int64
		want   problem.Code
	}{
		"too long":          {File{Name: "a"}, strings.NewReader("0123456789"), 9, problem.TooLarge},
		"announced as such": {File{Name: "a", Size: 10}, strings.NewReader("0123456789"), 9, problem.TooLarge},
		"shorter":           {File{Name: "a", Size: 11}, strings.NewReader("0123456789"), 100, problem.BadRequest},
		"longer":            {File{Name: "a", Size: 9}, strings.NewReader("0123456789"), 100, problem.BadRequest},
		"other bytes":       {File{Name: "a", SHA256: sha256.Sum256([]byte("y"))}, strings.NewReader("x"), 100, problem.BadRequest},
		"no name":           {File{}, strings.NewReader("x"), 100, problem.InvalidInput},
		"a folder above":    {File{Name: "a/../b"}, strings.NewReader("x"), 100, problem.InvalidInput},
		"an empty folder":   {File{Name: "a//b"}, strings.NewReader("x"), 100, problem.InvalidInput},
		"the root":          {File{Name: "/a"}, strings.NewReader("x"), 100, problem.InvalidInput},
		"a folder":          {File{Name: "a/"}, strings.NewReader("x"), 100, problem.InvalidInput},
		"a line":            {File{Name: "a\nb"}, strings.NewReader("x"), 100, problem.InvalidInput},
		"no UTF-8":          {File{Name: "\xff"}, strings.NewReader("x"), 100, problem.InvalidInput},
		"a long name":       {File{Name: strings.Repeat("x", 513)}, strings.NewReader("x"), 100, problem.InvalidInput},
	} {
		if _, err := b.Stage(t.Context(), b.account, c.file, c.max, c.source); !problem.Is(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		b.wantLeft(name, 0)
	}
	_, err := b.Stage(t.Context(), b.account, File{Name: "a"}, 100, iotest.ErrReader(broken))
	if !errors.Is(err, broken) {
		t.Errorf("a source that fails: %v", err)
	}
	b.wantLeft("a source that fails", 0)

	exact := File{Asset: uuid.New(), Name: "größe 100 %.mp4", Size: 10, SHA256: sha256.Sum256([]byte("0123456789"))}
	if got, err := b.Stage(t.Context(), b.account, exact, 10, strings.NewReader("0123456789")); err != nil ||
		got.SHA256 != exact.SHA256 || got.ContentType != "application/octet-stream" {
		t.Errorf("as announced: %+v %v", got, err)
	}
	b.wantLeft("as announced", 1)
}

// A node that is killed repeats its work with the same asset.
func TestStage_ReplacesAnAttemptThatWasNeverPublished(t *testing.T) {
	b := setup(t)
	asset := b.stage("clip.mp4", "first")
	b.stageOf(asset, "clip.mp4", "second")
	item := b.item(asset)
	b.write(func(ctx context.Context, tx pgx.Tx) error { return b.Publish(ctx, tx, b.account, item, asset) })
	if got, err := b.fetched(asset, "clip.mp4"); got != "second" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	again := File{Asset: asset, Name: "clip.mp4"}
	if _, err := b.Stage(t.Context(), b.account, again, 100, strings.NewReader("x")); !problem.Is(err, problem.Conflict) {
		t.Errorf("a published file was replaced: %v", err)
	}
	again.Name = "new.mp4"
	if _, err := b.Stage(t.Context(), b.addAccount(), again, 100, strings.NewReader("x")); !problem.Is(err, problem.Conflict) {
		t.Errorf("a file was added to another account's asset: %v", err)
	}
	b.after(0)
	b.wantLeft("the first attempt is swept", 1)
}

func TestStage_ThatIsOvertakenFails(t *testing.T) {
	b := setup(t)
	asset := uuid.New()
	overtaken := io.MultiReader(strings.NewReader("first"), readerFunc(func([]byte) (int, error) {
		b.stageOf(asset, "clip.mp4", "second")
		return 0, io.EOF
	}))
	_, err := b.Stage(t.Context(), b.account, File{Asset: asset, Name: "clip.mp4"}, 100, overtaken)
	if !problem.Is(err, problem.Conflict) {
		t.Errorf("the first: %v", err)
	}
	content, f, err := b.Open(t.Context(), b.account, asset, "clip.mp4")
	if err != nil || f.Size != int64(len("second")) {
		t.Fatalf("%+v %v", f, err)
	}
	content.Close()
	b.wantLeft("the second", 1)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestStage_HoldsNoFileInMemory(t *testing.T) {
	b := setup(t)
	const size, most = 64 << 20, 32 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	asset := uuid.New()
	_, err := b.Stage(t.Context(), b.account, File{Asset: asset, Name: "large.mp4"}, size,
		io.LimitReader(readerFunc(func(p []byte) (int, error) { return len(p), nil }), size))
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	// Other tests of the package allocate at the same time, and little.
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > most {
		t.Errorf("%d bytes were allocated for a file of %d", allocated, size)
	}
	if err := b.Discard(t.Context(), b.account, asset); err != nil {
		t.Fatal(err)
	}
}

func TestStage_SaysThatTheStorageDoesNotAnswer(t *testing.T) {
	b := setup(t)
	if err := os.RemoveAll(b.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.dir, nil, 0o600); err != nil { // where the folder was
		t.Fatal(err)
	}
	_, err := b.Stage(t.Context(), b.account, File{Name: "a"}, 100, strings.NewReader("x"))
	if !problem.Is(err, problem.StorageUnavailable) || !problem.IsTemporary(err) {
		t.Errorf("stage: %v", err)
	}
	none := NewService(Config{Pool: b.pool, Log: b.log})
	if _, err := none.Stage(t.Context(), b.account, File{Name: "a"}, 100, strings.NewReader("x")); !problem.Is(err,
		problem.StorageUnavailable) {
		t.Errorf("without a storage: %v", err)
	}
}
