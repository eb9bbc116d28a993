package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// ErrInUse means that another process owns the data directory.
var ErrInUse = errors.New("the data directory is in use")

// lockTimeout is long enough for a restart while the previous process is still shutting down.
const lockTimeout = 2 * time.Second

// acquireLock takes the lock that makes this process the owner of a data directory. The kernel releases it when the
// process ends; the file stays.
func acquireLock(ctx context.Context, dataDir string) (*os.File, error) {
	path := dataDir + ".lock"
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data directory: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("%w: another itemcast is running on %s (it holds %s): stop it, or choose another directory "+
				"with ITEMCAST_DATA_DIR", ErrInUse, dataDir, path)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
