package dbtest_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/postgres"
)

// timeout limits each wait of the tests.
const timeout = time.Minute

// userVariable makes the test binary create a database, print its URL, and wait until stdin closes.
const userVariable = "DBTEST_TEST_USER"

// TestUser is the main function of such a process, not a test.
func TestUser(t *testing.T) {
	if os.Getenv(userVariable) == "" {
		t.SkipNow()
	}
	fmt.Println(dbtest.URL(t))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestNew_GivesEachTestItsOwnMigratedDatabase(t *testing.T) {
	t.Parallel()
	first, second := dbtest.New(t), dbtest.New(t)
	if _, err := first.Exec(t.Context(), "CREATE TABLE mine ()"); err != nil {
		t.Fatal(err)
	}
	var migrations, mine int
	err := second.QueryRow(t.Context(),
		"SELECT (SELECT count(*) FROM goose_db_version), (SELECT count(*) FROM pg_tables WHERE tablename = 'mine')").
		Scan(&migrations, &mine)
	if err != nil {
		t.Fatal(err)
	}
	if migrations < 2 || mine != 0 {
		t.Fatalf("migrations applied: %d, tables of the other test: %d", migrations, mine)
	}
}

// Several processes share one server. When one is killed, the next drops its database. After the last, nothing runs.
func TestURL_NothingIsLeftRunningWhenTestProcessesAreKilled(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	dataDir := filepath.Join(cache, "itemcast", "dbtest", "postgres")

	first, firstURL := startUser(t, cache)
	second, _ := startUser(t, cache)
	kill(t, first)
	third, thirdURL := startUser(t, cache)
	conn, err := pgx.Connect(t.Context(), thirdURL)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	rows, err := conn.Query(t.Context(),
		"SELECT datname::text FROM pg_database WHERE starts_with(datname, 'itemcast_test_')")
	if err == nil {
		names, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(names) != 2 {
		t.Errorf("databases: %q; a killed process left %q behind", names, firstURL)
	}
	if _, ok := postgres.Running(dataDir); !ok {
		t.Fatal("the server stopped while it was in use")
	}
	kill(t, second)
	kill(t, third)
	awaitGone(t, dataDir)

	last, _ := startUser(t, cache) // the server starts again, with its data
	kill(t, last)
	awaitGone(t, dataDir)
	awaitUnlocked(t, filepath.Join(cache, "itemcast", "dbtest"))
}

func BenchmarkURL(b *testing.B) {
	for b.Loop() {
		dbtest.URL(b)
	}
}

func startUser(t *testing.T, cache string) (cmd *exec.Cmd, url string) {
	t.Helper()
	cmd = exec.Command(os.Args[0], "-test.run=^TestUser$")
	cmd.Env = append(os.Environ(), userVariable+"=1", "XDG_CACHE_HOME="+cache, "HOME="+cache,
		"ITEMCAST_TEST_DATABASE_URL=")
	cmd.Stderr = t.Output()
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if _, err := pgx.ParseConfig(lines.Text()); err == nil && len(lines.Text()) > 20 {
			return cmd, lines.Text()
		}
		t.Log(lines.Text())
	}
	t.Fatal("the process printed no URL")
	return nil, ""
}

func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

// awaitGone waits until the Postgres on the data directory has stopped.
func awaitGone(t *testing.T, dataDir string) {
	t.Helper()
	for deadline := time.Now().Add(timeout); ; <-time.After(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dataDir, "postmaster.pid")); err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server is still running")
		}
	}
}

// awaitUnlocked waits until the supervisor has ended, so that the test may remove the directory.
func awaitUnlocked(t *testing.T, dir string) {
	t.Helper()
	lock, err := os.Open(filepath.Join(dir, "use.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	free := make(chan error, 1)
	go func() { free <- syscall.Flock(int(lock.Fd()), syscall.LOCK_EX) }()
	select {
	case err := <-free:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(timeout):
		t.Fatal("the supervisor is still running")
	}
}
