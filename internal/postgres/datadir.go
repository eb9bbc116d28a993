package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const passwordFile = "itemcast.password"

func passwordPath(dataDir string) string { return filepath.Join(dataDir, passwordFile) }

// contents are the contents of a data directory: empty or missing, or a cluster of a major version.
type contents struct {
	empty bool
	major int
}

// Exists reports whether a data directory has a cluster. Errors: as those of Start for a directory that has something
// else, or a damaged cluster.
func Exists(dataDir string) (bool, error) {
	found, err := inspect(dataDir)
	return !found.empty, err
}

// inspect reads a data directory and changes nothing. It returns an error if it is neither empty nor a complete
// cluster.
func inspect(dataDir string) (contents, error) {
	entries, err := os.ReadDir(dataDir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return contents{empty: true}, nil
	case errors.Is(err, os.ErrPermission):
		return contents{}, fmt.Errorf("the data directory %s belongs to another user: run itemcast as that user, or "+
			"choose another directory with ITEMCAST_DATA_DIR: %w", dataDir, err)
	case err != nil:
		return contents{}, fmt.Errorf("read the data directory: %w", err)
	case len(entries) == 0:
		return contents{empty: true}, nil
	}
	version, err := os.ReadFile(filepath.Join(dataDir, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return contents{}, fmt.Errorf("%s is not empty and not a Postgres data directory (it contains %q, and no "+
			"PG_VERSION): nothing was changed; choose another directory with ITEMCAST_DATA_DIR, or empty this one",
			dataDir, entries[0].Name())
	}
	if err != nil {
		return contents{}, fmt.Errorf("read the version of the data directory: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(version)))
	if err != nil {
		return contents{}, fmt.Errorf("%s is damaged: PG_VERSION contains %q, which is not a version that itemcast "+
			"supports: nothing was changed; restore a backup, or choose another directory",
			dataDir, strings.TrimSpace(string(version)))
	}
	for _, part := range []string{"global/pg_control", "base", "pg_wal", "postgresql.conf", "pg_hba.conf"} {
		if _, err := os.Stat(filepath.Join(dataDir, part)); errors.Is(err, os.ErrNotExist) {
			return contents{}, fmt.Errorf("%s is a damaged Postgres %d data directory: %s is missing: nothing was changed; "+
				"restore a backup, or choose another directory with ITEMCAST_DATA_DIR", dataDir, major, part)
		}
	}
	return contents{major: major}, nil
}

// identityOf returns the name of the data directory in the command lines of its Postgres processes, which any user may
// read. It consists of device and inode: they stay the same when the directory is moved, and differ for a copy.
func identityOf(dataDir string) (string, error) {
	info, err := os.Stat(dataDir)
	if err != nil {
		return "", fmt.Errorf("identify the data directory: %w", err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("itemcast-%x-%x", stat.Dev, stat.Ino), nil
}
