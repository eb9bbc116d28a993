package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// built is where TestMain has room for the binary.
var built string

// binary builds the command once, for the tests that run it as a process.
var binary = sync.OnceValues(func() (string, error) {
	file := filepath.Join(built, "itemcast")
	if out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "itemcast-test-")
	if err != nil {
		panic(err)
	}
	built = dir
	code := m.Run()
	closeBrowser()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// process is a command that runs.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err *output
	ended    chan struct{}
}

// output collects what a process says, and tells when it says something.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	said chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.said <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs a command with nothing of the tests' environment but what is given, and kills it when the test ends.
func start(t *testing.T, environment []string, args ...string) *process {
	t.Helper()
	return startReading(t, nil, environment, args...)
}

// startReading is start with a standard input; nil is an empty one.
func startReading(t *testing.T, in *os.File, environment []string, args ...string) *process {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(file, args...), ended: make(chan struct{})}
	p.out, p.err = &output{said: make(chan struct{}, 1)}, &output{said: make(chan struct{}, 1)}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = p.out, p.err, t.TempDir()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ITEMCAST_") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Env = append(p.cmd.Env, environment...)
	if in != nil {
		p.cmd.Stdin = in
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// run runs a command to its end.
func runProcess(t *testing.T, environment []string, args ...string) (code int, out, errs string) {
	t.Helper()
	p := start(t, environment, args...)
	return p.wait(), p.out.String(), p.err.String()
}

func (p *process) wait() (code int) {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(2 * patience):
		p.t.Fatalf("%v does not end:\n%s\n%s", p.cmd.Args, p.out, p.err)
		panic("unreachable")
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// says waits until the process has written a text to its standard output.
func (p *process) says(text string) {
	p.t.Helper()
	end := time.After(2 * patience)
	for !strings.Contains(p.out.String(), text) {
		select {
		case <-p.out.said:
		case <-p.ended:
			if strings.Contains(p.out.String(), text) {
				return
			}
			p.t.Fatalf("%v ended without saying %q:\n%s\n%s", p.cmd.Args, text, p.out, p.err)
		case <-end:
			p.t.Fatalf("%v does not say %q:\n%s\n%s", p.cmd.Args, text, p.out, p.err)
		}
	}
}

// serve starts a server at a free address.
func serve(t *testing.T, environment ...string) (p *process, url string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	p = start(t, append([]string{"ITEMCAST_ADDR=" + addr, "ITEMCAST_OPS_ADDR="}, environment...), "serve")
	p.says("is ready at")
	p.says("Sign in")
	return p, "http://" + addr
}

// fetch sends a request to a server that is a process.
func fetch(t *testing.T, method, url, password, body string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(adminEmail, password)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: raw}
}

// processesOf lists the processes whose command line or directory names a directory.
func processesOf(t *testing.T, dir string) (found []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range all {
		command, err := os.ReadFile(filepath.Join(of, "cmdline"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		where, _ := os.Readlink(filepath.Join(of, "cwd"))
		if bytes.Contains(command, []byte(dir)) || strings.HasPrefix(where, dir) {
			found = append(found, string(bytes.ReplaceAll(command, []byte{0}, []byte(" "))))
		}
	}
	return found
}
