package change

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
)

// BenchmarkNotifier measures the time from a writer's commit to a reader that waits on the feed, at 1,000 changes per
// second and at full speed, each with and without an open write transaction. For example:
//
//	go test -run xxx -bench Notifier -benchtime 10000x ./internal/change
func BenchmarkNotifier(b *testing.B) {
	for name, c := range map[string]struct {
		perSecond  int // 0: as many as possible
		openWriter bool
	}{
		"1000 per second":                 {1000, false},
		"1000 per second, an open writer": {1000, true},
		"at full speed":                   {0, false},
		"at full speed, an open writer":   {0, true},
	} {
		b.Run(name, func(b *testing.B) { benchmarkNotifier(b, c.perSecond, c.openWriter) })
	}
}

func benchmarkNotifier(b *testing.B, perSecond int, openWriter bool) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	url := dbtest.URL(b)
	pool, err := db.Open(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	own, err := db.Open(ctx, url) // in the writers' pool the sequencer would wait for a connection behind them
	if err != nil {
		b.Fatal(err)
	}
	defer own.Close()
	account := uuid.New()
	if _, err := pool.Exec(ctx, "INSERT INTO account (id, name) VALUES ($1, 'bench')", account); err != nil {
		b.Fatal(err)
	}
	if openWriter {
		tx, err := pool.Begin(ctx)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = tx.Rollback(context.Background()) }()
		if _, err := put(ctx, tx, account, uuid.New()); err != nil {
			b.Fatal(err)
		}
	}
	sequencer := NewSequencer(own, slog.Default())
	feed, err := OpenFeed(ctx, own, slog.Default())
	if err != nil {
		b.Fatal(err)
	}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { _ = sequencer.Run(ctx) })
	running.Go(func() { _ = feed.Run(ctx) })

	b.ResetTimer()
	var committing sync.Map // by item: when its writer called Commit
	due := make(chan struct{}, 1000)
	go pace(ctx, b.N, perSecond, due)
	for range 8 {
		running.Go(func() { writeDue(ctx, pool, account, sequencer, due, &committing) })
	}
	latencies := make([]time.Duration, 0, b.N)
	for len(latencies) < b.N {
		position := Position(len(latencies))
		if err := feed.Wait(ctx, position); err != nil {
			b.Fatal(err)
		}
		changes, err := feed.Read(ctx, position, readBatch)
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range changes {
			began, _ := committing.Load(c.ItemID)
			latencies = append(latencies, time.Since(began.(time.Time)))
		}
	}
	b.StopTimer()
	slices.Sort(latencies)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
	b.ReportMetric(float64(latencies[len(latencies)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(latencies[len(latencies)*99/100].Microseconds())/1000, "p99-ms")
}

func pace(ctx context.Context, n, perSecond int, due chan<- struct{}) {
	defer close(due)
	start := time.Now()
	for i := range n {
		if perSecond > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(perSecond))))
		}
		select {
		case due <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
}

func writeDue(
	ctx context.Context, pool *pgxpool.Pool, account uuid.UUID, sequencer *Sequencer, due <-chan struct{},
	committing *sync.Map,
) {
	for range due {
		item := uuid.New()
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			_, err := put(ctx, tx, account, item)
			committing.Store(item, time.Now())
			return err
		})
		if err != nil {
			panic(err)
		}
		sequencer.Wake()
	}
}
