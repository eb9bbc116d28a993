package dbtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"itemcast/internal/postgres"
)

// inUse is held for the life of the process: the file's lock is what keeps the shared server running.
var inUse *os.File //nolint:unused // holding it is its use

// sharedServer returns the URL of the shared server, which it starts if need be, and which stays for as long as this process does.
func sharedServer(ctx context.Context) (string, error) {
	dir := sharedDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the directory of the shared server: %w", err)
	}
	var err error
	if inUse, err = flock(filepath.Join(dir, "use.lock"), syscall.LOCK_SH); err != nil {
		return "", err
	}
	starting, err := flock(filepath.Join(dir, "start.lock"), syscall.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer starting.Close()
	if url, ok := postgres.Running(dataDir(dir)); ok {
		return url, nil
	}
	return startKeeper(ctx, dir)
}

// startKeeper runs this very program as the keeper; see keep. The keeper reports the server's URL, or why there is none.
func startKeeper(ctx context.Context, dir string) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	report, reporting, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer report.Close()
	keeper := exec.Command(program)
	keeper.Dir = dir
	keeper.Env = append(os.Environ(), keeperVariable+"="+dir)
	keeper.ExtraFiles = []*os.File{reporting}
	keeper.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it outlives us, and Ctrl-C is not for it
	err = keeper.Start()
	reporting.Close()
	if err != nil {
		return "", fmt.Errorf("start the keeper of the shared server: %w", err)
	}
	go func() { _ = keeper.Wait() }() // no zombie, should it end before us
	context.AfterFunc(ctx, func() { report.Close() })
	said, err := io.ReadAll(report)
	if err != nil {
		return "", fmt.Errorf("wait for the shared server, see %s: %w", filepath.Join(dir, "keeper.log"), err)
	}
	url, ok := bytes.CutPrefix(said, []byte("ready "))
	if !ok {
		return "", fmt.Errorf("start the shared server, see %s: %s", filepath.Join(dir, "keeper.log"), said)
	}
	return string(url), nil
}

// sharedDir is one for each user, not for each checkout: templates are told apart by their content.
func sharedDir() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "itemcast-dbtest-"+strconv.Itoa(os.Getuid()))
	}
	return filepath.Join(cache, "itemcast", "dbtest")
}

func dataDir(dir string) string { return filepath.Join(dir, "postgres") }

// flock waits for a lock on the file, which ends with the process or when the file is closed.
func flock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
	}
}
