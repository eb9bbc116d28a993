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
	startPatience = 60 * time.Second
	stopPatience  = 40 * time.Second

	email    = "bench@example.com"
	password = "a password for the benchmark"
)

// authorization is the header with which requests to the product sign in.
var authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(email+":"+password))

// product is a running `itemcast serve`, with a data directory and ports of its own.
type product struct {
	addr, opsAddr string
	dir           string
	cmd           *exec.Cmd
	ended         chan struct{}
}

func startProduct(ctx context.Context, binary, dir string) (*product, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	opsAddr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	p := &product{addr: addr, opsAddr: opsAddr, dir: dir, ended: make(chan struct{})}
	if err := os.Mkdir(p.dataDir(), 0o755); err != nil {
		return nil, err
	}
	log, err := os.Create(p.logPath())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(binary, "serve")
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), "ITEMCAST_ADDR="+addr, "ITEMCAST_OPS_ADDR="+opsAddr, "ITEMCAST_DATA_DIR="+p.dataDir(),
		"ITEMCAST_PUBLIC_URL=", "ITEMCAST_DATABASE_URL=", "ITEMCAST_ADMIN_EMAIL="+email, "ITEMCAST_ADMIN_PASSWORD="+password,
		"ITEMCAST_HOOK_ALLOW_NETWORKS=127.0.0.0/8", "ITEMCAST_CONNECTIONS_PER_USER=20000")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us; we tell the product
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the product: %w (make build makes it)", err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	if err := p.awaitReady(ctx); err != nil {
		err = fmt.Errorf("%w%s", err, p.lastWords())
		p.stop()
		return nil, err
	}
	return p, nil
}

func (p *product) dataDir() string     { return filepath.Join(p.dir, "data") }
func (p *product) postgresDir() string { return filepath.Join(p.dataDir(), "postgres") }
func (p *product) logPath() string     { return filepath.Join(p.dir, "itemcast.log") }

func (p *product) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		if p.ready(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the product: %w", ctx.Err())
		case <-p.ended:
			return errors.New("the product ended while it started")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *product) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.opsAddr+"/readyz", nil)
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

// stop ends the product, and its Postgres too should the product have left it behind.
func (p *product) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopPatience):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	postgres := p.postgresPID()
	if postgres == 0 {
		return
	}
	deadline := time.Now().Add(stopPatience)
	for err := syscall.Kill(postgres, syscall.SIGINT); err == nil && time.Now().Before(deadline); err = syscall.Kill(postgres, 0) { // a fast shutdown
		time.Sleep(50 * time.Millisecond)
	}
}

// databaseURL waits for what postgres.Running says: while Postgres forks, that may look as if nothing ran.
func (p *product) databaseURL(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		if url, ok := postgres.Running(p.postgresDir()); ok {
			return url, nil
		}
		if err := sleepUntil(ctx, time.Now().Add(50*time.Millisecond)); err != nil {
			return "", fmt.Errorf("find the product's Postgres: %w%s", err, p.lastWords())
		}
	}
}

// postgresPID is the process that all others of the product's Postgres are children of; 0 when there is none.
func (p *product) postgresPID() int {
	content, err := os.ReadFile(filepath.Join(p.postgresDir(), "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(content, []byte("\n"))
	pid, _ := strconv.Atoi(string(line))
	return pid
}

func (p *product) where() (addr string, pid int) { return p.addr, p.cmd.Process.Pid }

// lastWords is the end of the product's log, for an error message.
func (p *product) lastWords() string {
	const most = 2000
	content, err := os.ReadFile(p.logPath())
	if err != nil || len(content) == 0 {
		return ""
	}
	return "\nthe product's log ends:\n" + string(content[max(0, len(content)-most):])
}

// freeAddr is an address on which nobody listens at the moment.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
