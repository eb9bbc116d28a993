package postgres

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const testTimeout = 60 * time.Second

// ownerVariable makes the test binary a process that owns a server, as `itemcast serve` does.
const ownerVariable = "POSTGRES_TEST_OWNER"

type ownerConfig struct {
	DataDir      string
	OutliveOwner bool
}

func TestMain(m *testing.M) {
	if config := os.Getenv(ownerVariable); config != "" {
		runOwner(config)
		return
	}
	os.Exit(m.Run())
}

// runOwner prints the URL or the error, and stops when stdin closes.
func runOwner(encoded string) {
	var config ownerConfig
	if err := json.Unmarshal([]byte(encoded), &config); err != nil {
		panic(err)
	}
	server, err := Start(context.Background(), Config{
		DataDir: config.DataDir, Settings: map[string]string{"fsync": "off"}, outliveOwner: config.OutliveOwner,
	})
	if err != nil {
		fmt.Println("error: " + fmt.Sprintf("%q", err.Error()))
		return
	}
	fmt.Println(server.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = server.Stop(context.Background())
}

// owner is a process that owns a server.
type owner struct {
	cmd    *exec.Cmd
	output string // the URL or the error
	stdin  io.Closer
}

func startOwner(t *testing.T, config ownerConfig, adjust ...func(*exec.Cmd)) owner {
	t.Helper()
	encoded, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), ownerVariable+"="+string(encoded))
	cmd.Stderr = t.Output()
	for _, f := range adjust {
		f(cmd)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	output, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the owner printed nothing: %v", err)
	}
	return owner{cmd, output[:len(output)-1], stdin}
}

// kill kills the process like kill -9.
func (o owner) kill(t *testing.T) {
	t.Helper()
	if err := o.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = o.cmd.Wait()
}

// start starts a server, which stops when the test ends.
func start(t *testing.T, dataDir string, adjust ...func(*Config)) *Server {
	t.Helper()
	server, err := tryStart(t, dataDir, adjust...)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func tryStart(t *testing.T, dataDir string, adjust ...func(*Config)) (*Server, error) {
	t.Helper()
	config := Config{
		DataDir:  dataDir,
		Settings: map[string]string{"fsync": "off"},
		Logger:   slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range adjust {
		f(&config)
	}
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	server, err := Start(ctx, config)
	if err == nil {
		t.Cleanup(func() { stop(t, server) })
	}
	return server, err
}

func stop(t *testing.T, server *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func newDataDir(t *testing.T) string { return filepath.Join(t.TempDir(), "postgres") }

// query runs one statement on a new connection, and returns the first value.
func query(t *testing.T, url, statement string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, statement)
	if err != nil {
		return "", err
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(values) == 0 {
		return "", err
	}
	return values[0], nil
}

func mustQuery(t *testing.T, url, statement string) string {
	t.Helper()
	value, err := query(t, url, statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(testTimeout); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("not yet true after a minute: %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func postmasterOf(t *testing.T, dataDir string) int {
	t.Helper()
	f, err := readPIDFile(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	return f.pid
}

func killNow(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func processesOf(t *testing.T, dataDir string) []int {
	t.Helper()
	identity, err := identityOf(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := findProcesses(identity)
	if err != nil {
		t.Fatal(err)
	}
	return r.all
}
