package postgres

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestStart_KeepsDataBetweenStarts(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	first := start(t, dir)
	mustQuery(t, first.URL(), "CREATE TABLE kept AS SELECT 'yes' AS answer")
	stop(t, first)
	if left := processesOf(t, dir); len(left) > 0 {
		t.Fatalf("left running: %v", left)
	}
	second := start(t, dir)
	if answer := mustQuery(t, second.URL(), "SELECT answer FROM kept"); answer != "yes" {
		t.Fatalf("got %q", answer)
	}
}

func TestStart_FirstStartLogsNoAlarmingMessage(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	server := start(t, newDataDir(t), func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	})
	mustQuery(t, server.URL(), "SELECT ''")
	stop(t, server)
	if strings.Contains(log.String(), "does not exist") {
		t.Errorf("logged:\n%s", log.String())
	}
}

func TestStop_LogsNothingAboutTheSessionsThatItEnds(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	server := start(t, newDataDir(t), func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	})
	session, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close(context.Background())
	before := log.Len()
	stop(t, server)
	if after := log.String()[before:]; after != "" {
		t.Errorf("logged:\n%s", after)
	}
}

func TestStart_CreatesAClusterWithThePromisedSettings(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	server := start(t, dir, func(c *Config) { c.Settings = nil })
	for setting, want := range map[string]string{
		"data_checksums": "on", "server_encoding": "UTF8", "fsync": "on", "synchronous_commit": "on",
		"listen_addresses": "127.0.0.1", "password_encryption": "scram-sha-256", "max_connections": "200",
	} {
		if got := mustQuery(t, server.URL(), "SHOW "+setting); got != want {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
	if got := mustQuery(t, server.URL(), "SELECT upper('é')"); got != "É" {
		t.Errorf("upper('é') is %s", got)
	}
	info, err := os.Stat(passwordPath(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file: %v, %v", info.Mode(), err)
	}
	u, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), "wrong")
	if _, err := query(t, u.String(), "SELECT ''"); err == nil || !strings.Contains(err.Error(), "28P01") {
		t.Errorf("signing in with a wrong password: %v", err)
	}
}

func TestStart_RefusesASecondOwner(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	first := start(t, dir)
	_, err := tryStart(t, dir)
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("got %v", err)
	}
	mustQuery(t, first.URL(), "SELECT ''")
}

func TestRunning_FindsTheServerOfAnotherProcess(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	if _, ok := Running(dir); ok {
		t.Fatal("found a server before there was one")
	}
	o := startOwner(t, ownerConfig{DataDir: dir})
	found, ok := Running(dir)
	if !ok || found != o.output {
		t.Fatalf("found %q, %v; the owner printed %q", found, ok, o.output)
	}
	o.stdin.Close()
	_ = o.cmd.Wait()
	if _, ok := Running(dir); ok {
		t.Fatal("found a server after it stopped")
	}
}

func TestServer_RestartsAKilledPostgresOnTheSameURL(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	server := start(t, dir)
	mustQuery(t, server.URL(), "CREATE TABLE kept AS SELECT 'yes' AS answer")
	killed := postmasterOf(t, dir)
	killNow(t, killed)
	eventually(t, "Postgres answers again", func() bool {
		answer, err := query(t, server.URL(), "SELECT answer FROM kept")
		return err == nil && answer == "yes" && postmasterOf(t, dir) != killed
	})
	select {
	case <-server.Done():
		t.Fatal("the server was abandoned")
	default:
	}
}

func TestServer_AbandonsAPostgresThatDoesNotStartAgain(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	server := start(t, dir)
	if err := os.Rename(filepath.Join(dir, "global", "pg_control"), filepath.Join(dir, "pg_control")); err != nil {
		t.Fatal(err)
	}
	killNow(t, postmasterOf(t, dir))
	select {
	case <-server.Done():
	case <-time.After(testTimeout):
		t.Fatal("the server was not abandoned")
	}
	if err := server.Err(); err == nil || !strings.Contains(err.Error(), "does not start again") {
		t.Fatalf("got %v", err)
	}
}

func TestStart_RecoversFromAKilledPostgresAndOwner(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	o := startOwner(t, ownerConfig{DataDir: dir, OutliveOwner: true})
	mustQuery(t, o.output, "CREATE TABLE kept AS SELECT 'yes' AS answer")
	postmaster := postmasterOf(t, dir)
	o.kill(t)
	killNow(t, postmaster)
	server := start(t, dir)
	if answer := mustQuery(t, server.URL(), "SELECT answer FROM kept"); answer != "yes" {
		t.Fatalf("got %q", answer)
	}
}

func TestStart_ReplacesAPostgresThatSurvivedItsOwner(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	o := startOwner(t, ownerConfig{DataDir: dir, OutliveOwner: true})
	mustQuery(t, o.output, "CREATE TABLE kept AS SELECT 'yes' AS answer")
	survivor := postmasterOf(t, dir)
	o.kill(t)
	if err := syscall.Kill(survivor, 0); err != nil {
		t.Fatalf("Postgres did not survive its owner: %v", err)
	}
	server := start(t, dir)
	if answer := mustQuery(t, server.URL(), "SELECT answer FROM kept"); answer != "yes" {
		t.Fatalf("got %q", answer)
	}
	if slices.Contains(processesOf(t, dir), survivor) {
		t.Fatal("the survivor is still running")
	}
}

func TestStart_PostgresDoesNotOutliveAKilledOwner(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	o := startOwner(t, ownerConfig{DataDir: dir})
	o.kill(t)
	eventually(t, "no process of Postgres is left", func() bool { return len(processesOf(t, dir)) == 0 })
}

func TestStart_IgnoresAPidFileWithThePidOfAnotherProcess(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	server := start(t, dir)
	postmaster := postmasterOf(t, dir)
	b, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	stop(t, server)

	other := exec.Command("cat")
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	if os.Geteuid() == 0 {
		other.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}}
	}
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = other.Wait()
	})
	stale := strings.Replace(string(b), strconv.Itoa(postmaster), strconv.Itoa(other.Process.Pid), 1)
	if err := os.WriteFile(filepath.Join(dir, "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(dir, "postmaster.pid"), int(stat.Uid), int(stat.Gid)); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
}

func TestStop_DoesNotWaitForClientsLongerThanItsContext(t *testing.T) {
	t.Parallel()
	server := start(t, newDataDir(t))
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Stop(expired); err != nil {
		t.Fatal(err)
	}
	<-server.Done()
}

func TestStart_LeavesNothingWhenInterrupted(t *testing.T) {
	t.Parallel()
	dir := newDataDir(t)
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(interrupted, Config{DataDir: dir}); err == nil {
		t.Fatal("it started although its context was cancelled")
	}
	if err := os.Mkdir(dir+".unfinished-123", 0o700); err != nil { // left by a start that was killed
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the directory exists: %v", err)
	}
	start(t, dir)
	left, err := filepath.Glob(dir + ".unfinished-*")
	if err != nil || len(left) > 0 {
		t.Fatalf("left: %v, %v", left, err)
	}
}
