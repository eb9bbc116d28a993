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

// inUse is open for the life of the process. While it is locked, the supervisor does not stop the shared server.
var inUse *os.File //nolint:unused // the open file holds the lock

// sharedServer returns the URL of the shared server, and starts it if necessary. It runs at least as long as this
// process.
func sharedServer(ctx context.Context) (string, error) {
	dir := sharedDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("create the directory of the shared server: %w", err)
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
	return startSupervisor(ctx, dir)
}

// startSupervisor runs this binary as the supervisor, and returns the server's URL from its report.
func startSupervisor(ctx context.Context, dir string) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	report, reporting, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer report.Close()
	supervisor := exec.Command(program)
	supervisor.Dir = dir
	supervisor.Env = append(os.Environ(), supervisorVariable+"="+dir)
	supervisor.ExtraFiles = []*os.File{reporting}
	supervisor.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it outlives this process, and Ctrl-C does not reach it
	err = supervisor.Start()
	reporting.Close()
	if err != nil {
		return "", fmt.Errorf("start the supervisor of the shared server: %w", err)
	}
	go func() { _ = supervisor.Wait() }() // reaps it if it ends before this process
	context.AfterFunc(ctx, func() { report.Close() })
	answer, err := io.ReadAll(report)
	if err != nil {
		return "", fmt.Errorf("wait for the shared server, see %s: %w", filepath.Join(dir, supervisorLog), err)
	}
	url, ok := bytes.CutPrefix(answer, []byte("ready "))
	if !ok {
		return "", fmt.Errorf("start the shared server, see %s: %s", filepath.Join(dir, supervisorLog), answer)
	}
	return string(url), nil
}

// sharedDir returns one directory for each user, not for each checkout: the templates of checkouts have different
// names.
func sharedDir() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "itemcast-dbtest-"+strconv.Itoa(os.Getuid()))
	}
	return filepath.Join(cache, "itemcast", "dbtest")
}

func dataDir(dir string) string { return filepath.Join(dir, "postgres") }

// flock waits for a lock on the file. The lock ends when the file is closed or the process ends.
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
