package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
)

// build is one build of Itemcast, running on a separate, seeded database.
type build struct {
	*node
	binary  string // a copy in dir
	version string
	dir     string
	url     string // of the database
	pool    *pgxpool.Pool
	account uuid.UUID
	items   []seeded
	logf    logf
}

// logf writes a line of progress.
type logf func(format string, args ...any)

// openBuild starts a binary and makes items in its database. The caller closes the build.
func openBuild(ctx context.Context, binary string, items int, log logf) (_ *build, err error) {
	b := &build{logf: log}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.dir, err = os.MkdirTemp("", "itemcast-bench-*"); err != nil {
		return nil, err
	}
	if err := os.Chmod(b.dir, 0o755); err != nil { // Postgres may run as another user, which must reach its directory
		return nil, err
	}
	if b.binary, err = copyBinary(binary, b.dir); err != nil {
		return nil, err
	}
	version, err := exec.CommandContext(ctx, b.binary, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("read the version of %s: %w", binary, err)
	}
	b.version = strings.TrimSpace(string(version))
	if b.node, err = startNode(ctx, b.binary, b.dir, ""); err != nil {
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

// copyBinary copies a binary. It makes a build that was just linked comparable with an older one: the way in which a
// file was written decides how its pages lie in memory, and whether they are on the disk yet. The copy also allows a
// new build during the run.
func copyBinary(from, dir string) (path string, err error) {
	source, err := os.Open(from)
	if err != nil {
		return "", fmt.Errorf("copy the binary: %w (run make build first)", err)
	}
	defer source.Close()
	// A process that is forked while the copy is open for writing has it open until it executes another program. Until
	// then the copy cannot be executed (ETXTBSY, https://go.dev/issue/22315).
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	path = filepath.Join(dir, "itemcast")
	target, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return "", fmt.Errorf("copy the binary: %w", err)
	}
	if _, err := io.Copy(target, source); err != nil {
		return "", errors.Join(fmt.Errorf("copy the binary: %w", err), target.Close())
	}
	return path, target.Close()
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

// onFresh opens a new instance of the same build, for as long as use runs.
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

// startSecond starts another node on the build's database.
func (b *build) startSecond(ctx context.Context) (*node, error) {
	dir := filepath.Join(b.dir, "second")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	return startNode(ctx, b.binary, dir, b.url)
}

// target sends requests to the build.
func (b *build) target(next func() call) target { return target{b.addr, b.processes(), next} }

// builds are the builds that a report compares; other may be nil.
type builds struct{ this, other *build }

func (b builds) all() []*build {
	if b.other == nil {
		return []*build{b.this}
	}
	return []*build{b.this, b.other}
}
