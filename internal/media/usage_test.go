package media

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// usage returns what an account and one of its profiles hold by the counted rows, and by the files themselves.
func (b *bundle) usage(profile uuid.UUID) (counted, held string) {
	b.t.Helper()
	const rows = `SELECT coalesce(sum(bytes), 0) || ' ' || coalesce(sum(milliseconds), 0) || ' '
		|| coalesce(sum(bytes) FILTER (WHERE profile_id = $2), 0) FROM media_usage WHERE account_id = $1`
	const files = `SELECT coalesce(sum(f.size), 0) || ' ' || coalesce(sum(f.milliseconds), 0) || ' '
		|| coalesce(sum(f.size) FILTER (WHERE i.workflow_profile_id = $2), 0)
		FROM media_file f JOIN item i ON i.id = f.item_id WHERE f.account_id = $1 AND f.state = 'published'`
	for statement, into := range map[string]*string{rows: &counted, files: &held} {
		if err := b.pool.QueryRow(b.t.Context(), statement, b.account, profile).Scan(into); err != nil {
			b.t.Fatal(err)
		}
	}
	return counted, held
}

func (b *bundle) wantUsage(what string, profile uuid.UUID, want string) {
	b.t.Helper()
	if counted, held := b.usage(profile); counted != want || held != want {
		b.t.Errorf("%s: %s is counted, and the files are %s, want %s", what, counted, held, want)
	}
}

func (b *bundle) profile() uuid.UUID {
	b.t.Helper()
	id := uuid.New()
	b.exec(`INSERT INTO workflow_profile (id, account_id, name) VALUES ($1, $2, $3)`, id, b.account, id.String())
	return id
}

func (b *bundle) measure(asset uuid.UUID, length time.Duration) {
	b.t.Helper()
	b.write(func(ctx context.Context, tx pgx.Tx) error {
		return b.Measure(ctx, tx, b.account, asset, Measures{Length: length})
	})
}

func TestUsage_IsThatOfThePublishedFiles(t *testing.T) {
	b := setup(t)
	profile := b.profile()
	staged := b.stage("clip.mp4", "12345")
	b.measure(staged, time.Minute)
	b.wantUsage("a staged file", profile, "0 0 0")
	item, asset := b.published("clip.mp4", "1234567")
	b.measure(asset, 90*time.Second)
	b.wantUsage("a published one", profile, "7 90000 0")
	b.exec(`UPDATE item SET workflow_profile_id = $2 WHERE id = $1`, item, profile)
	b.wantUsage("a profile", profile, "7 90000 7")
	b.stageOf(asset, "more.mp4", "123")
	b.write(func(ctx context.Context, tx pgx.Tx) error { return b.Publish(ctx, tx, b.account, item, asset) })
	b.wantUsage("another file", profile, "10 90000 10")
	b.measure(asset, 0)
	b.wantUsage("no other length", profile, "10 90000 10")
	if err := b.MergeUsage(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, other := b.published("other.mp4", "12")
	b.write(func(ctx context.Context, tx pgx.Tx) error { return b.Drop(ctx, tx, b.account, other) })
	b.exec(`DELETE FROM item WHERE id = $1`, item)
	b.wantUsage("a deleted item", profile, "0 0 0")
	b.after(25 * time.Hour)
	b.wantUsage("after the sweep", profile, "0 0 0")
}

// Transactions that publish and drop do not wait for each other, and no sum is lost while rows are merged.
func TestUsage_IsExactWhileManyWriteAndMerge(t *testing.T) {
	b := setup(t)
	profile := b.profile()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := range 10 {
				item, asset := b.published("clip.mp4", fmt.Sprintf("%0*d", 1+rand.IntN(50), 1))
				b.exec(`UPDATE item SET workflow_profile_id = $2 WHERE id = $1`, item, profile)
				switch n % 3 {
				case 0:
					b.write(func(ctx context.Context, tx pgx.Tx) error { return b.Drop(ctx, tx, b.account, asset) })
				case 1:
					b.exec(`DELETE FROM item WHERE id = $1`, item)
				}
				if err := b.MergeUsage(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	counted, held := b.usage(profile)
	if counted != held || counted == "0 0 0" {
		t.Errorf("%s is counted, and the files are %s", counted, held)
	}
	var rows int
	if err := b.pool.QueryRow(t.Context(), "SELECT count(*) FROM media_usage").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if rows > 8*mergeRows {
		t.Errorf("%d rows are left to add up", rows)
	}
}

// A transaction that publishes holds nothing that another item's needs.
func TestUsage_AnOpenTransactionDelaysNoOther(t *testing.T) {
	b := setup(t)
	asset := b.stage("clip.mp4", "12345")
	item := b.item(asset)
	b.write(func(ctx context.Context, tx pgx.Tx) error {
		if err := b.Publish(ctx, tx, b.account, item, asset); err != nil {
			return err
		}
		b.published("other.mp4", "123") // would hang
		return b.MergeUsage(t.Context())
	})
	b.wantUsage("both", uuid.Nil, "8 0 0")
}
