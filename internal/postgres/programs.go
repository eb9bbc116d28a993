package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the oldest supported major version.
const oldestMajor = 14

// programs is an installed Postgres.
type programs struct {
	dir     string
	major   int
	version string // as postgres --version prints it: 15.8 (Debian 15.8-0+deb12u1)
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// binaryDirs are where packages install Postgres: Debian, RPM, source, Homebrew, Alpine, Postgres.app.
var binaryDirs = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/local/pgsql/bin",
	"/usr/local/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/usr/libexec/postgresql*",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findPrograms chooses the programs for a data directory: those of its version; for a new one, those on PATH, or else
// the newest installed. It downloads them if none is installed.
func findPrograms(ctx context.Context, found contents, cfg Config) (programs, error) {
	cacheDir, err := cacheDirFor(cfg)
	if err != nil {
		return programs{}, err
	}
	available := installed(ctx, append(slices.Clone(binaryDirs), filepath.Join(cacheDir, "postgres-*", "bin")))
	if err := ctx.Err(); err != nil {
		return programs{}, fmt.Errorf("find Postgres: %w", err)
	}
	for _, p := range available {
		if found.empty && p.major >= oldestMajor || p.major == found.major {
			return p, nil
		}
	}
	if !found.empty && found.major < oldestMajor {
		return programs{}, fmt.Errorf("%s is a Postgres %d data directory, and itemcast needs %d or newer: nothing was "+
			"changed; upgrade it with pg_upgrade, or choose another directory with ITEMCAST_DATA_DIR",
			cfg.DataDir, found.major, oldestMajor)
	}
	p, err := fetch(ctx, found, cacheDir, cfg.Logger)
	if err == nil {
		return p, nil
	}
	if found.empty {
		return programs{}, fmt.Errorf("no Postgres %d or newer is installed (found: %s), and downloading one failed: "+
			"install it (`apt-get install postgresql`, `dnf install postgresql-server`, `brew install postgresql@17`), or set "+
			"ITEMCAST_DATABASE_URL to a server that you run: %w", oldestMajor, list(available), err)
	}
	return programs{}, fmt.Errorf("%s is a Postgres %d data directory, and the installed versions differ (found: %s): "+
		"nothing was changed; install Postgres %d (`apt-get install postgresql-%d`), or upgrade the directory with "+
		"pg_upgrade; downloading it failed: %w",
		cfg.DataDir, found.major, list(available), found.major, found.major, err)
}

// installed returns the programs on PATH, then the others, newest first.
func installed(ctx context.Context, patterns []string) []programs {
	var all []programs
	for _, pattern := range patterns {
		dirs, _ := filepath.Glob(pattern) // the only possible error is a bad pattern
		for _, dir := range dirs {
			if p, err := examine(ctx, dir); err == nil {
				all = append(all, p)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b programs) int { return cmp.Compare(b.major, a.major) })
	if onPath, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(onPath); err == nil {
			if p, err := examine(ctx, filepath.Dir(real)); err == nil {
				all = slices.Insert(all, 0, p)
			}
		}
	}
	return all
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) ((\d+)\S*.*)`)

// examine returns the programs in a directory. It returns an error if the server or initdb is missing.
func examine(ctx context.Context, dir string) (programs, error) {
	p := programs{dir: dir}
	if _, err := os.Stat(p.path("initdb")); err != nil {
		return p, err
	}
	return version(ctx, dir, "postgres")
}

// version returns the programs in a directory with the version of one of them.
func version(ctx context.Context, dir, name string) (programs, error) {
	p := programs{dir: dir}
	output, err := exec.CommandContext(ctx, p.path(name), "--version").Output()
	if err != nil {
		return p, err
	}
	match := versionPattern.FindStringSubmatch(string(output))
	if match == nil {
		return p, fmt.Errorf("unknown version %q", output)
	}
	p.version = match[1]
	p.major, err = strconv.Atoi(match[2])
	return p, err
}

func list(all []programs) string {
	if len(all) == 0 {
		return "none"
	}
	var names []string
	for _, p := range all {
		names = append(names, fmt.Sprintf("%d in %s", p.major, p.dir))
	}
	return strings.Join(names, ", ")
}

// cacheDirFor returns a cache directory that the user of the server can enter.
func cacheDirFor(cfg Config) (string, error) {
	if cfg.CacheDir != "" {
		return filepath.Abs(cfg.CacheDir)
	}
	if os.Geteuid() == 0 {
		return "/var/cache/itemcast", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", errors.Join(errors.New("find a cache directory for Postgres"), err)
	}
	return filepath.Join(dir, "itemcast"), nil
}
