package dbtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"itemcast/internal/postgres"
)

const (
	// supervisorVariable makes a test binary the supervisor of the shared server in the directory that it names.
	supervisorVariable = "ITEMCAST_DBTEST_SUPERVISOR"

	supervisorLog = "supervisor.log"
)

// init runs the supervisor instead of the binary's tests.
func init() {
	dir := os.Getenv(supervisorVariable)
	if dir == "" {
		return
	}
	report := os.NewFile(3, "report")
	syscall.CloseOnExec(3)
	if err := supervise(dir, report); err != nil {
		fmt.Fprint(report, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// supervise reports the shared server's URL, and runs the server until no test process uses it.
func supervise(dir string, report *os.File) error {
	logFile, err := os.Create(filepath.Join(dir, supervisorLog))
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(logFile, &slog.HandlerOptions{Level: slog.LevelDebug}))
	server, err := startShared(dir, log)
	if errors.Is(err, postgres.ErrInUse) {
		return awaitOther(dir, report)
	}
	if err != nil {
		log.Error("cannot start the shared server", "error", err)
		return err
	}
	fmt.Fprintf(report, "ready %s", server.URL())
	report.Close()

	unused := make(chan error, 1)
	go func() {
		// The process holds this lock to its end: a test binary that starts now waits until Postgres is gone, and
		// starts another.
		_, err := flock(filepath.Join(dir, "use.lock"), syscall.LOCK_EX)
		unused <- err
	}()
	select {
	case err = <-unused:
	case <-server.Done():
		err = server.Err()
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	err = errors.Join(err, server.Stop(ctx))
	log.Info("the shared server has stopped", "error", err)
	return err
}

// startShared starts the server. If it does not start on the existing data, startShared replaces them: without fsync, a
// crash of the machine may have damaged them.
func startShared(dir string, log *slog.Logger) (*postgres.Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	config := postgres.Config{DataDir: dataDir(dir), Logger: log, Settings: unsafeSettings}
	server, err := postgres.Start(ctx, config)
	if err == nil || errors.Is(err, postgres.ErrInUse) {
		return server, err
	}
	log.Warn("cannot start the shared server on the existing data; starting it on new data", "error", err)
	if removeErr := os.RemoveAll(config.DataDir); removeErr != nil {
		return nil, errors.Join(err, removeErr)
	}
	return postgres.Start(ctx, config)
}

// awaitOther reports the server of another supervisor. It is running because the test binary that started it was killed
// before it read the report.
func awaitOther(dir string, report *os.File) error {
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if url, ok := postgres.Running(dataDir(dir)); ok {
			fmt.Fprintf(report, "ready %s", url)
			return nil
		}
	}
	return fmt.Errorf("another supervisor owns %s, and its server does not answer", dir)
}
