package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
)

// build is one build of Itemcast, running on a seeded database of its own.
type build struct {
	*node
	binary  string
	version string
	dir     string
	url     string // of the database
	pool    *pgxpool.Pool
	account uuid.UUID
	items   []seeded
	logf    func(format string, args ...any)
}

// openBuild starts a binary and makes items in its database. The caller closes the build.
func openBuild(ctx context.Context, binary string, items int, logf func(format string, args ...any)) (_ *build, err error) {
	b := &build{binary: binary, logf: logf}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	version, err := exec.CommandContext(ctx, binary, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("ask %s for its version: %w", binary, err)
	}
	b.version = strings.TrimSpace(string(version))
	if b.dir, err = os.MkdirTemp("", "itemcast-bench-*"); err != nil {
		return nil, err
	}
	if err := os.Chmod(b.dir, 0o755); err != nil { // Postgres may run as another user, which must reach its directory
		return nil, err
	}
	if b.node, err = startNode(ctx, binary, b.dir); err != nil {
		return nil, err
	}
	if b.url, err = b.databaseURL(ctx); err != nil {
		return nil, err
	}
	if b.pool, err = db.Open(ctx, b.url); err != nil {
		return nil, err
	}
	if err := b.seed(ctx, items); err != nil {
		return nil, fmt.Errorf("make items: %w%s", err, b.logTail())
	}
	return b, nil
}

// close stops the processes and removes the files.
func (b *build) close() {
	if b.pool != nil {
		b.pool.Close()
	}
	if b.node != nil {
		b.stop()
	}
	if b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}

// onFresh opens another instance of the same build, which nothing has used yet, for as long as use runs.
func (b *build) onFresh(ctx context.Context, items int, use func(fresh *build) (round, error)) (round, error) {
	fresh, err := openBuild(ctx, b.binary, items, b.logf)
	if err != nil {
		return round{}, err
	}
	defer fresh.close()
	r, err := use(fresh)
	if err != nil {
		err = fmt.Errorf("%w%s", err, fresh.logTail())
	}
	return r, err
}

// target sends requests to the build.
func (b *build) target(next func() call) target { return target{b.addr, b.processes(), next} }

// builds are the ones that a report compares; other may be nil.
type builds struct{ this, other *build }

func (b builds) all() []*build {
	if b.other == nil {
		return []*build{b.this}
	}
	return []*build{b.this, b.other}
}
