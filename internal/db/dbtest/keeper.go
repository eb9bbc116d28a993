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

// keeperVariable makes a test binary the keeper of the shared server in the directory that it names.
const keeperVariable = "ITEMCAST_DBTEST_KEEPER"

// init takes over before the tests of the binary can start.
func init() {
	dir := os.Getenv(keeperVariable)
	if dir == "" {
		return
	}
	report := os.NewFile(3, "report")
	syscall.CloseOnExec(3)
	if err := keep(dir, report); err != nil {
		fmt.Fprint(report, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// keep runs the shared server until no test process uses it any more.
func keep(dir string, report *os.File) error {
	logFile, err := os.Create(filepath.Join(dir, "keeper.log"))
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(logFile, &slog.HandlerOptions{Level: slog.LevelDebug}))
	server, err := startShared(dir, log)
	if errors.Is(err, postgres.ErrInUse) {
		return awaitOther(dir, report)
	}
	if err != nil {
		log.Error("start the shared server", "error", err)
		return err
	}
	fmt.Fprintf(report, "ready %s", server.URL())
	report.Close()

	unused := make(chan error, 1)
	go func() {
		// The process keeps this lock to its end: who comes now waits until Postgres is gone, and starts another.
		_, err := flock(filepath.Join(dir, "use.lock"), syscall.LOCK_EX)
		unused <- err
	}()
	select {
	case err = <-unused:
	case <-server.Done():
		err = server.Err()
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err = errors.Join(err, server.Stop(ctx))
	log.Info("the shared server has stopped", "error", err)
	return err
}

// startShared starts the server, if need be on new data: without fsync a crash of the machine may have damaged the old.
func startShared(dir string, log *slog.Logger) (*postgres.Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	config := postgres.Config{DataDir: dataDir(dir), Logger: log, Settings: quick}
	server, err := postgres.Start(ctx, config)
	if err == nil || errors.Is(err, postgres.ErrInUse) {
		return server, err
	}
	log.Warn("starting the shared server on new data", "error", err)
	if removeErr := os.RemoveAll(config.DataDir); removeErr != nil {
		return nil, errors.Join(err, removeErr)
	}
	return postgres.Start(ctx, config)
}

// awaitOther reports the server of another keeper, whose starter was killed before it could say so.
func awaitOther(dir string, report *os.File) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if url, ok := postgres.Running(dataDir(dir)); ok {
			fmt.Fprintf(report, "ready %s", url)
			return nil
		}
	}
	return fmt.Errorf("another keeper owns %s, and its server does not answer", dir)
}
