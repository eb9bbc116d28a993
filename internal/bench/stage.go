package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
)

// stage is the product, the baseline and the database, with items in it.
type stage struct {
	Config
	dir      string
	product  *product
	baseline *baselineProcess
	pool     *pgxpool.Pool
	account  uuid.UUID
	items    []seeded
}

// seeded is an item as the load generator knows it.
type seeded struct {
	ID   uuid.UUID
	Size int // of the document, in bytes, before anything was changed
}

func openStage(ctx context.Context, c Config) (_ *stage, err error) {
	s := &stage{Config: c}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "itemcast-bench-*"); err != nil {
		return nil, err
	}
	if err := os.Chmod(s.dir, 0o755); err != nil { // Postgres may have to run as another user, and must get through
		return nil, err
	}
	s.say("starting %s", c.Itemcast)
	if s.product, err = startProduct(ctx, c.Itemcast, s.dir); err != nil {
		return nil, err
	}
	url, err := s.product.databaseURL(ctx)
	if err != nil {
		return nil, err
	}
	if s.pool, err = db.Open(ctx, url); err != nil {
		return nil, err
	}
	s.say("making %d items", c.Items)
	if err := s.seed(ctx); err != nil {
		return nil, fmt.Errorf("make items: %w%s", err, s.product.lastWords())
	}
	if s.baseline, err = startBaseline(ctx, baselineConfig{DatabaseURL: url, Account: s.account}); err != nil {
		return nil, err
	}
	return s, nil
}

// close stops what was started, in the opposite order, and removes what was written.
func (s *stage) close() {
	if s.baseline != nil {
		s.baseline.stop()
	}
	if s.pool != nil {
		s.pool.Close()
	}
	if s.product != nil {
		s.product.stop()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(s.Progress, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// server is one of the two that are compared.
type server interface{ where() (addr string, pid int) }

// asking is a target of the load generator.
func (s *stage) asking(of server, next func() call) target {
	addr, pid := of.where()
	return target{addr: addr, pid: pid, postgres: s.product.postgresPID(), next: next}
}

func (s *stage) anyItem() seeded { return s.items[rand.IntN(len(s.items))] }

// profile has the product profile its CPU while a row is measured, if that was asked for; stop waits for the file.
func (s *stage) profile(ctx context.Context, name string) (stop func()) {
	if s.Profiles == "" {
		return func() {}
	}
	const seconds = 8
	done := make(chan error, 1)
	go func() {
		done <- s.fetch(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.product.opsAddr, seconds), filepath.Join(s.Profiles, name+".pprof"))
	}()
	return func() {
		if err := <-done; err != nil {
			s.say("no profile of %s: %v", name, err)
		}
	}
}

func (s *stage) fetch(ctx context.Context, url, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, response.Body)
	return err
}
