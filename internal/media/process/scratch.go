package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"itemcast/internal/media/encode"
	"itemcast/internal/media/probe"
	"itemcast/internal/problem"
)

const (
	scratchPrefix = "process-"
	lockFile      = "lock"
)

// openScratch makes a folder for one job, and removes those that dead processes have left. A process that lives holds
// the lock of its folders.
func openScratch(root string) (dir string, release func(), err error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", nil, fmt.Errorf("make the scratch folder: %w", err)
	}
	removeDead(root)
	if dir, err = os.MkdirTemp(root, scratchPrefix); err != nil {
		return "", nil, fmt.Errorf("make the scratch folder: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, fmt.Errorf("find the scratch folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		os.RemoveAll(dir)
		return "", nil, fmt.Errorf("lock the scratch folder: %w", err)
	}
	return dir, func() {
		os.RemoveAll(dir)
		lock.Close()
	}, nil
}

// removeDead removes the folders whose lock nobody holds. A folder without a lock is being made.
func removeDead(root string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, entry := range entries {
		dir := filepath.Join(root, entry.Name())
		if !strings.HasPrefix(entry.Name(), scratchPrefix) {
			continue
		}
		lock, err := os.Open(filepath.Join(dir, lockFile))
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			os.RemoveAll(dir)
		}
		lock.Close()
	}
}

// download copies the source into the scratch folder, under a name that says nothing to the programs.
func (j *job) download(ctx context.Context) error {
	name, err := j.name()
	if err != nil {
		return err
	}
	content, stored, err := j.Files.Open(ctx, j.account, j.source.ID, name)
	if problem.Is(err, problem.NotFound) {
		return errNoSource
	}
	if err != nil {
		return err
	}
	defer content.Close()
	if err := encode.WantFree(j.dir, stored.Size); err != nil {
		return err
	}
	file, err := os.Create(j.path)
	if err != nil {
		return fmt.Errorf("copy the source: %w", err)
	}
	n, err := io.Copy(file, contextReader{ctx, content})
	err = errors.Join(err, file.Close())
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, syscall.ENOSPC):
		return probe.DiskFull()
	case err != nil:
		return errors.Join(problem.New(problem.StorageUnavailable, "The storage for files does not answer."), err)
	case n != stored.Size:
		return problem.New(problem.StorageUnavailable, "The storage has %d of the source's %d bytes.", n, stored.Size)
	}
	return nil
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
