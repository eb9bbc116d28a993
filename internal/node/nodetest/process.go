package nodetest

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

// tempDir has room for the binary.
var tempDir string

// Binary returns the path of the command, which it builds once. It needs Main.
var Binary = sync.OnceValues(func() (string, error) {
	if tempDir == "" {
		return "", errors.New("call nodetest.Main from TestMain")
	}
	file := filepath.Join(tempDir, "itemcast")
	if out, err := exec.Command("go", "build", "-o", file, "itemcast/cmd/itemcast").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return file, nil
})

// Main is the body of TestMain in a package whose tests start processes.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "itemcast-test-")
	if err != nil {
		panic(err)
	}
	tempDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// process is a command that runs.
type Process struct {
	T              *testing.T
	Cmd            *exec.Cmd
	Stdout, Stderr *Output
	Ended          chan struct{}
}

// output collects what a process says, and tells when it says something.
type Output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	Changed chan struct{}
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.Changed <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs a command with nothing of the tests' environment but what is given, and kills it when the test ends.
func StartProcess(t *testing.T, environment []string, args ...string) *Process {
	t.Helper()
	return StartProcessReading(t, nil, environment, args...)
}

// startReading is start with a standard input; nil is an empty one.
func StartProcessReading(t *testing.T, in *os.File, environment []string, args ...string) *Process {
	t.Helper()
	file, err := Binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{T: t, Cmd: exec.Command(file, args...), Ended: make(chan struct{})}
	p.Stdout, p.Stderr = &Output{Changed: make(chan struct{}, 1)}, &Output{Changed: make(chan struct{}, 1)}
	p.Cmd.Stdout, p.Cmd.Stderr, p.Cmd.Dir = p.Stdout, p.Stderr, t.TempDir()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ITEMCAST_") {
			p.Cmd.Env = append(p.Cmd.Env, v)
		}
	}
	p.Cmd.Env = append(p.Cmd.Env, environment...)
	if in != nil {
		p.Cmd.Stdin = in
	}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Cmd.Wait()
		close(p.Ended)
	}()
	t.Cleanup(p.Kill)
	return p
}

// run runs a command to its end.
func RunProcess(t *testing.T, environment []string, args ...string) (code int, out, errs string) {
	t.Helper()
	p := StartProcess(t, environment, args...)
	return p.Wait(), p.Stdout.String(), p.Stderr.String()
}

func (p *Process) Wait() (code int) {
	p.T.Helper()
	select {
	case <-p.Ended:
		return p.Cmd.ProcessState.ExitCode()
	case <-time.After(2 * Timeout):
		p.T.Fatalf("%v does not end:\n%s\n%s", p.Cmd.Args, p.Stdout, p.Stderr)
		panic("unreachable")
	}
}

func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill()
	<-p.Ended
}

func (p *Process) Signal(s syscall.Signal) {
	p.T.Helper()
	if err := p.Cmd.Process.Signal(s); err != nil {
		p.T.Fatal(err)
	}
}

// says waits until the process has written a text to its standard output.
func (p *Process) AwaitStdout(text string) {
	p.T.Helper()
	end := time.After(2 * Timeout)
	for !strings.Contains(p.Stdout.String(), text) {
		select {
		case <-p.Stdout.Changed:
		case <-p.Ended:
			if strings.Contains(p.Stdout.String(), text) {
				return
			}
			p.T.Fatalf("%v ended without saying %q:\n%s\n%s", p.Cmd.Args, text, p.Stdout, p.Stderr)
		case <-end:
			p.T.Fatalf("%v does not say %q:\n%s\n%s", p.Cmd.Args, text, p.Stdout, p.Stderr)
		}
	}
}

// serve starts a server at a free address.
func StartServer(t *testing.T, environment ...string) (p *Process, url string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	p = StartProcess(t, append([]string{"ITEMCAST_ADDR=" + addr, "ITEMCAST_OPS_ADDR="}, environment...), "serve")
	p.AwaitStdout("is ready at")
	p.AwaitStdout("Sign in")
	return p, "http://" + addr
}

// fetch sends a request to a server that is a process.
func Fetch(t *testing.T, method, url, password, body string) Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(AdminEmail, password)
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
	return Response{Status: response.StatusCode, Header: response.Header, Body: raw}
}
