package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"itemcast/internal/postgres"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 40 * time.Second

	email    = "bench@example.com"
	password = "a password for the benchmark"
)

// authorization is the value of the header by which requests sign in.
var authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(email+":"+password))

// node is a running `itemcast serve` with its own data directory and ports.
type node struct {
	binary        string
	database      string // its URL; "": embedded
	addr, opsAddr string
	dir           string
	cmd           *exec.Cmd
	ended         chan struct{}
}

// startNode starts a node on a database; "" is the embedded Postgres of the data directory.
func startNode(ctx context.Context, binary, dir, database string) (*node, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	opsAddr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	n := &node{binary: binary, database: database, addr: addr, opsAddr: opsAddr, dir: dir}
	if err := os.Mkdir(n.dataDir(), 0o755); err != nil {
		return nil, err
	}
	if err := n.start(ctx); err != nil {
		return nil, err
	}
	return n, nil
}

// start starts the process, and returns when it is ready.
func (n *node) start(ctx context.Context) error {
	log, err := os.OpenFile(n.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	n.cmd, n.ended = exec.Command(n.binary, "serve"), make(chan struct{})
	n.cmd.Stdout, n.cmd.Stderr = log, log
	n.cmd.Env = append(os.Environ(),
		"ITEMCAST_ADDR="+n.addr, "ITEMCAST_OPS_ADDR="+n.opsAddr, "ITEMCAST_PUBLIC_URL=",
		"ITEMCAST_DATA_DIR="+n.dataDir(), "ITEMCAST_DATABASE_URL="+n.database,
		"ITEMCAST_ADMIN_EMAIL="+email, "ITEMCAST_ADMIN_PASSWORD="+password,
		"ITEMCAST_HOOK_ALLOW_NETWORKS=127.0.0.0/8", "ITEMCAST_CONNECTIONS_PER_USER=20000")
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C in a terminal must reach only this process
	if err := n.cmd.Start(); err != nil {
		return fmt.Errorf("start itemcast: %w", err)
	}
	go func() {
		_ = n.cmd.Wait()
		close(n.ended)
	}()
	if err := n.awaitReady(ctx); err != nil {
		err = fmt.Errorf("%w%s", err, n.logTail())
		n.stop()
		return err
	}
	return nil
}

// restart ends the process by a signal, and starts it again at the same addresses.
func (n *node) restart(ctx context.Context, by syscall.Signal) error {
	if err := n.cmd.Process.Signal(by); err != nil {
		return err
	}
	select {
	case <-n.ended:
	case <-time.After(stopTimeout):
		return fmt.Errorf("itemcast did not end by %s%s", by, n.logTail())
	}
	return n.start(ctx)
}

func (n *node) dataDir() string     { return filepath.Join(n.dir, "data") }
func (n *node) postgresDir() string { return filepath.Join(n.dataDir(), "postgres") }
func (n *node) logPath() string     { return filepath.Join(n.dir, "itemcast.log") }

func (n *node) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if n.ready(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until itemcast is ready: %w", ctx.Err())
		case <-n.ended:
			return errors.New("itemcast ended while it started")
		case <-time.After(pollInterval):
		}
	}
}

func (n *node) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.opsAddr+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode == http.StatusOK
}

// stop ends the process, and its Postgres if that is still running.
func (n *node) stop() {
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-n.ended:
	case <-time.After(stopTimeout):
		_ = n.cmd.Process.Kill()
		<-n.ended
	}
	postgres := n.postgresPID()
	if postgres == 0 {
		return
	}
	err := syscall.Kill(postgres, syscall.SIGINT) // a fast shutdown
	for deadline := time.Now().Add(stopTimeout); err == nil && time.Now().Before(deadline); {
		time.Sleep(pollInterval)
		err = syscall.Kill(postgres, 0)
	}
}

// databaseURL polls postgres.Running, which may find nothing while Postgres forks.
func (n *node) databaseURL(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if url, ok := postgres.Running(n.postgresDir()); ok {
			return url, nil
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return "", fmt.Errorf("find the Postgres of itemcast: %w%s", err, n.logTail())
		}
	}
}

// postgresPID is the process id of the postmaster; 0 when there is none.
func (n *node) postgresPID() int {
	content, err := os.ReadFile(filepath.Join(n.postgresDir(), "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := bytes.Cut(content, []byte("\n"))
	pid, _ := strconv.Atoi(string(first))
	return pid
}

func (n *node) processes() processes { return processes{n.cmd.Process.Pid, n.postgresPID()} }

// logTail is the end of the log, for an error message.
func (n *node) logTail() string {
	const maxTail = 2000 // bytes
	content, err := os.ReadFile(n.logPath())
	if err != nil || len(content) == 0 {
		return ""
	}
	return "\nthe log of itemcast ends:\n" + string(content[max(0, len(content)-maxTail):])
}

// freeAddr is an address on which no process listens at the moment.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
