package media

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/problem"
)

func TestDrop_TheBytesGoAfterAGrace(t *testing.T) {
	b := setup(t)
	_, asset := b.published("clip.mp4", "x")
	_, kept := b.published("kept.mp4", "x")
	b.write(func(ctx context.Context, tx pgx.Tx) error { return b.Drop(ctx, tx, b.account, asset) })
	if _, err := b.fetched(asset, "clip.mp4"); !problem.Is(err, problem.NotFound) {
		t.Errorf("a dropped file: %v", err)
	}
	b.after(DefaultKeepFor - time.Minute)
	b.wantLeft("within the grace", 2)
	b.after(DefaultKeepFor + time.Minute)
	b.wantLeft("after the grace", 1)
	if got, err := b.fetched(kept, "kept.mp4"); got != "x" || err != nil {
		t.Errorf("another file: %q %v", got, err)
	}
}

func TestDrop_LeavesOtherAccountsAlone(t *testing.T) {
	b := setup(t)
	_, asset := b.published("clip.mp4", "x")
	other := b.addAccount()
	b.write(func(ctx context.Context, tx pgx.Tx) error { return b.Drop(ctx, tx, other, asset) })
	if err := b.Discard(t.Context(), other, asset); err != nil {
		t.Error(err)
	}
	if _, _, err := b.Open(t.Context(), other, asset, "clip.mp4"); !problem.Is(err, problem.NotFound) {
		t.Errorf("opened by another account: %v", err)
	}
	if got, err := b.fetched(asset, "clip.mp4"); got != "x" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func TestDiscard_TheBytesGoAtOnce(t *testing.T) {
	b := setup(t)
	if err := b.Discard(t.Context(), b.account, b.stage("clip.mp4", "x")); err != nil {
		t.Fatal(err)
	}
	b.after(0)
	b.wantLeft("discarded", 0)
}

// A node that is killed can tell nobody what it has left.
func TestSweep_DropsWhatNoItemHas(t *testing.T) {
	b := setup(t)
	const long = stagedGrace + time.Minute
	deleted, _ := b.published("deleted.mp4", "x")
	b.exec("DELETE FROM item WHERE id = $1", deleted)
	_, removed := b.published("removed.mp4", "x")
	b.exec("DELETE FROM asset WHERE id = $1", removed)
	picture := b.stage("poster.jpg", "x")
	item := b.item()
	b.exec("INSERT INTO snapshot (account_id, item_id, id, position, url) VALUES ($1, $2, $3, 0, '')", b.account, item, picture)
	b.write(func(ctx context.Context, tx pgx.Tx) error { return b.Publish(ctx, tx, b.account, item, picture) })
	_, held := b.published("held.mp4", "x")
	b.stage("staged.mp4", "x")

	b.after(0)
	b.wantLeft("at once", 5)
	b.after(long) // the grace of orphans began with the first sweep
	if _, err := b.fetched(removed, "removed.mp4"); !problem.Is(err, problem.NotFound) {
		t.Errorf("an asset that its item does not have: %v", err)
	}
	b.wantLeft("after the grace", 2)
	for asset, name := range map[uuid.UUID]string{picture: "poster.jpg", held: "held.mp4"} {
		if got, err := b.fetched(asset, name); got != "x" || err != nil {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

func TestSweep_LooksAtEveryPage(t *testing.T) {
	b := setup(t)
	item := b.item()
	b.exec(`INSERT INTO media_file (asset_id, name, account_id, item_id, key, size, sha256, content_type, state)
		SELECT gen_random_uuid(), 'x', $1, $2, 'no such key ' || n, 0, '', 'video/mp4', 'published'
		FROM generate_series(1, $3) n`, b.account, item, 2*orphanBatch+deleteBatch)
	b.after(0)
	b.after(DefaultKeepFor + time.Minute)
	b.wantLeft("swept", 0)
}

func TestSweep_DeletesWhatAKilledNodeHasWritten(t *testing.T) {
	b := setup(t)
	key := newKey()
	b.exec(`INSERT INTO media_file (asset_id, name, account_id, key, content_type, state)
		VALUES (gen_random_uuid(), 'half.mp4', $1, $2, 'video/mp4', 'staged')`, b.account, key)
	if err := os.MkdirAll(filepath.Join(b.dir, key[:2]), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, key[:2], key+".18a7f.tmp"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.after(time.Hour)
	b.wantLeft("it may still be storing", 1)
	b.after(stagedGrace + time.Minute)
	b.wantLeft("a day later", 0)
}

// An upload may last longer than the grace.
func TestSweep_LeavesAFileThatIsBeingStored(t *testing.T) {
	b := setup(t)
	asset := uuid.New()
	slow := io.MultiReader(strings.NewReader("be"), readerFunc(func([]byte) (int, error) {
		b.exec("UPDATE media_file SET changed_at = now() - interval '2 days'")
		b.after(0)
		return 0, io.EOF
	}))
	if _, err := b.Stage(t.Context(), b.account, File{Asset: asset, Name: "clip.mp4"}, 100, slow); err != nil {
		t.Fatal(err)
	}
	b.wantLeft("stored", 1)
}

func TestSweep_WaitsForAStorageThatIsAway(t *testing.T) {
	b := setup(t)
	if err := b.Discard(t.Context(), b.account, b.stage("clip.mp4", "x")); err != nil {
		t.Fatal(err)
	}
	away := b.dir + ".away"
	if err := os.Rename(b.dir, away); err != nil {
		t.Fatal(err)
	}
	if b.sweep(t.Context()) == nil {
		t.Error("the sweep has succeeded")
	}
	if err := os.Rename(away, b.dir); err != nil {
		t.Fatal(err)
	}
	b.wantLeft("away", 1)
	b.after(0)
	b.wantLeft("back", 0)
}

func TestRun_DeletesWhatIsDiscarded(t *testing.T) {
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()
	if err := b.Discard(t.Context(), b.account, b.stage("clip.mp4", "x")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		rows, _ := b.left()
		if rows == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it is still there")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
