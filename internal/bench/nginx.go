package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// nginx serves the files of a folder.
type nginx struct {
	addr  string
	cmd   *exec.Cmd
	ended chan struct{}
}

// nginxConfig serves files as nginx does best: by sendfile, without a log, and with connections that stay open.
const nginxConfig = `daemon off; worker_processes %d; pid %[2]s/nginx.pid; error_log stderr error; user root;
events { worker_connections 1024; }
http {
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=1000;
	client_body_temp_path %[2]s; proxy_temp_path %[2]s; fastcgi_temp_path %[2]s;
	uwsgi_temp_path %[2]s; scgi_temp_path %[2]s;
	types { video/mp4 mp4 m4s; application/vnd.apple.mpegurl m3u8; }
	server { listen %[3]s; root %[4]s; add_header Cache-Control "public, max-age=31536000, immutable"; }
}
`

var errNoNginx = errors.New("nginx is not installed: run scripts/setup-bench")

// startNginx starts nginx with a folder for itself and one to serve.
func startNginx(ctx context.Context, dir, root string) (*nginx, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			return nil, errNoNginx
		}
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, runtime.NumCPU(), dir, addr, root)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	n := &nginx{addr: addr, cmd: exec.Command(path, "-p", dir, "-c", config), ended: make(chan struct{})}
	n.cmd.Stderr = os.Stderr
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start nginx: %w", err)
	}
	go func() {
		_ = n.cmd.Wait()
		close(n.ended)
	}()
	if err := n.awaitReady(ctx); err != nil {
		n.stop()
		return nil, err
	}
	return n, nil
}

func (n *nginx) awaitReady(ctx context.Context) error {
	for end := time.Now().Add(startTimeout); ; {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.addr)
		if err == nil {
			return conn.Close()
		}
		if isClosed(n.ended) || time.Now().After(end) {
			return fmt.Errorf("nginx does not start: %w", err)
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return err
		}
	}
}

func (n *nginx) stop() {
	_ = n.cmd.Process.Signal(syscall.SIGTERM) // a fast shutdown, with its workers
	select {
	case <-n.ended:
	case <-time.After(stopTimeout):
		_ = n.cmd.Process.Kill()
		<-n.ended
	}
}
