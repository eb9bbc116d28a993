package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// fetchable are the releases that embedded-postgres can download, by major version.
var fetchable = map[int]embeddedpostgres.PostgresVersion{
	14: embeddedpostgres.V14, 15: embeddedpostgres.V15, 16: embeddedpostgres.V16, 17: embeddedpostgres.V17,
	18: embeddedpostgres.V18,
}

const (
	defaultMajor = 17
	fetchTimeout = 5 * time.Minute
)

// fetch downloads programs with embedded-postgres into the cache directory. The library has no function that only
// downloads: its Start downloads, unpacks, and then wipes and starts a cluster. So it gets a decoy, a temporary
// directory that looks like a cluster and cannot start. It never gets the path of the real data directory.
func fetch(ctx context.Context, found contents, cacheDir string, log *slog.Logger) (programs, error) {
	major := defaultMajor
	if !found.empty {
		major = found.major
	}
	release, ok := fetchable[major]
	if !ok {
		return programs{}, fmt.Errorf("Postgres %d cannot be downloaded", major)
	}
	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return programs{}, err
	}
	scratch, err := os.MkdirTemp(cacheDir, "fetching-*")
	if err != nil {
		return programs{}, err
	}
	decoy := filepath.Join(scratch, "decoy")
	if err := errors.Join(os.Chmod(scratch, 0o755), os.Mkdir(decoy, 0o700),
		os.WriteFile(filepath.Join(decoy, "PG_VERSION"), []byte(strconv.Itoa(major)+"\n"), 0o600)); err != nil {
		return programs{}, err
	}
	port, err := freePort()
	if err != nil {
		return programs{}, err
	}
	log.Info("no suitable Postgres is installed; downloading it", "version", release)
	unpacked := filepath.Join(scratch, "postgres")
	library := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(release).
		Port(uint32(port)).
		CachePath(filepath.Join(scratch, "archive")).
		RuntimePath(filepath.Join(scratch, "runtime")).
		BinariesPath(unpacked).
		DataPath(decoy).
		Logger(&logWriter{log: log}))

	finished := make(chan error, 1)
	go func() {
		defer os.RemoveAll(scratch)
		startErr := library.Start()
		if _, err := os.Stat(filepath.Join(unpacked, "bin", "postgres")); err != nil {
			finished <- cmp.Or(startErr, err)
			return
		}
		err := os.Rename(unpacked, filepath.Join(cacheDir, "postgres-"+string(release)))
		if errors.Is(err, os.ErrExist) {
			err = nil // another process downloaded it first
		}
		finished <- err
	}()
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	select {
	case err = <-finished:
	case <-ctx.Done():
		err = context.Cause(ctx) // the library cannot be interrupted; the goroutine above removes its files when it returns
	}
	if err != nil {
		return programs{}, fmt.Errorf("fetch Postgres %s from repo1.maven.org: %w", release, err)
	}
	return examine(ctx, filepath.Join(cacheDir, "postgres-"+string(release), "bin"))
}
