package media

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/media/blob"
	"itemcast/internal/problem"
)

// replaceFolder puts an empty folder in the place of the storage, as one that is not mounted. restore undoes that.
func (b *bundle) replaceFolder() (restore func()) {
	b.t.Helper()
	away := b.dir + ".away"
	if err := errors.Join(os.Rename(b.dir, away), os.Mkdir(b.dir, 0o700)); err != nil {
		b.t.Fatal(err)
	}
	return func() {
		b.t.Helper()
		if err := errors.Join(os.Remove(b.dir), os.Rename(away, b.dir)); err != nil { // fails if anything was stored in it
			b.t.Fatal(err)
		}
	}
}

func TestStorage_AFolderThatIsNotMountedIsNotTakenForAnEmptyStorage(t *testing.T) {
	b := setup(t)
	_, asset := b.published("clip.mp4", "the bytes")
	if err := b.Discard(t.Context(), b.account, b.stage("other.mp4", "x")); err != nil {
		t.Fatal(err)
	}
	restore := b.replaceFolder()
	wantAway := func(what string, err error) {
		t.Helper()
		if p := problem.Of(err); p == nil || p.Code != problem.StorageUnavailable || !strings.Contains(p.Detail, "not mounted") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	_, err := b.fetched(asset, "clip.mp4")
	wantAway("fetch", err)
	_, err = b.Stage(t.Context(), b.account, File{Asset: uuid.New(), Name: "new.mp4"}, 100, strings.NewReader("x"))
	wantAway("stage", err)
	if err := b.Check(t.Context()); err == nil || !strings.Contains(err.Error(), blob.MarkName) {
		t.Errorf("check: got %v", err)
	}
	b.clock = time.Now().Add(DefaultKeepFor + time.Minute)
	if b.sweep(t.Context()) == nil {
		t.Error("the sweep has succeeded")
	}
	if rows, _ := b.left(); rows != 2 {
		t.Errorf("%d rows are left", rows)
	}
	restore()
	if got, err := b.fetched(asset, "clip.mp4"); got != "the bytes" || err != nil {
		t.Errorf("mounted again: %q %v", got, err)
	}
	b.after(0)
	b.wantLeft("mounted again", 1)
}

func TestStorage_AFileThatIsLostIsNoStorageThatIsAway(t *testing.T) {
	b := setup(t)
	_, asset := b.published("clip.mp4", "the bytes")
	all, err := filepath.Glob(filepath.Join(b.dir, "??", "*"))
	if err != nil || len(all) != 1 || os.Remove(all[0]) != nil {
		t.Fatalf("%q %v", all, err)
	}
	if _, err := b.fetched(asset, "clip.mp4"); err == nil || problem.Of(err) != nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("got %v", err)
	}
}

func TestStorage_NodesThatStartTogetherMarkItOnce(t *testing.T) {
	b := setup(t)
	var all sync.WaitGroup
	for range 8 {
		node := NewService(Config{Pool: b.pool, Bucket: b.bucket, Log: b.log})
		all.Go(func() {
			_, err := node.Stage(t.Context(), b.account, File{Asset: uuid.New(), Name: "a"}, 100, strings.NewReader("x"))
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := b.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// A database that is made anew finds the storage of the one before. Another database's storage is not taken for the own.
func TestStorage_BelongsToADatabase(t *testing.T) {
	b := setup(t)
	b.stage("clip.mp4", "x")
	pool := dbtest.New(t)
	second := NewService(Config{Pool: pool, Bucket: b.bucket, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err := second.Check(t.Context()); err != nil {
		t.Errorf("a new database: %v", err)
	}
	another := []byte(uuid.NewString() + markText)
	if err := os.WriteFile(filepath.Join(b.dir, blob.MarkName), another, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Service{b.Service, second} {
		_, err := s.Stage(t.Context(), b.account, File{Asset: uuid.New(), Name: "a"}, 100, strings.NewReader("x"))
		if !problem.Is(err, problem.StorageUnavailable) {
			t.Errorf("another's storage: %v", err)
		}
	}
}
