package nodetest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// tempDir has room for the command's binary.
var tempDir string

// Main is the body of TestMain in a package whose tests start processes. It calls the functions when the tests have
// ended.
func Main(m *testing.M, ended ...func()) {
	dir, err := os.MkdirTemp("", "itemcast-test-")
	if err != nil {
		panic(err)
	}
	tempDir = dir
	code := m.Run()
	for _, end := range ended {
		end()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// binary builds the command once and returns its path.
var binary = sync.OnceValues(func() (string, error) {
	if tempDir == "" {
		return "", errors.New("call nodetest.Main from TestMain")
	}
	if err := readSources(); err != nil {
		return "", err
	}
	file := filepath.Join(tempDir, "itemcast")
	if out, err := exec.Command("go", "build", "-o", file, "itemcast/cmd/itemcast").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return file, nil
})

// readSources reads the command's files, which no test imports: go test runs tests again when a file changes that they
// have read.
func readSources() error {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "itemcast/cmd/itemcast").Output()
	if err != nil {
		return fmt.Errorf("find the command's sources: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, err := os.ReadFile(file); err != nil {
			return err
		}
	}
	return nil
}

// Command returns the command, ready to run in a folder of its own. Of the ITEMCAST_* variables, it has only those
// given.
func Command(t testing.TB, environment []string, args ...string) *exec.Cmd {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(file, args...)
	command.Dir = t.TempDir()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ITEMCAST_") {
			command.Env = append(command.Env, v)
		}
	}
	command.Env = append(command.Env, environment...)
	return command
}

// Process is a command that runs.
type Process struct {
	Stdout, Stderr *Output

	t       testing.TB
	command *exec.Cmd
	written chan struct{} // has a value after a write to either output
	ended   chan struct{}
}

// Output holds what a process has written.
type Output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan<- struct{}
}

// Write is called by os/exec.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.text.Write(p)
	select {
	case o.written <- struct{}{}:
	default:
	}
	return n, err
}

// String returns what the process has written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// StartProcess starts a command. The end of the test kills it.
func StartProcess(t testing.TB, environment []string, args ...string) *Process {
	t.Helper()
	return StartProcessReading(t, nil, environment, args...)
}

// StartProcessReading is StartProcess with a standard input; nil is an empty one.
func StartProcessReading(t testing.TB, stdin *os.File, environment []string, args ...string) *Process {
	t.Helper()
	written := make(chan struct{}, 1)
	p := &Process{t: t, command: Command(t, environment, args...), written: written, ended: make(chan struct{})}
	p.Stdout, p.Stderr = &Output{written: written}, &Output{written: written}
	p.command.Stdout, p.command.Stderr = p.Stdout, p.Stderr
	if stdin != nil {
		p.command.Stdin = stdin
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.Kill)
	return p
}

// RunProcess runs a command to its end.
func RunProcess(t testing.TB, environment []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	p := StartProcess(t, environment, args...)
	return p.Wait(), p.Stdout.String(), p.Stderr.String()
}

// Wait waits for the end of the process and returns its exit code.
func (p *Process) Wait() (code int) {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.command.ProcessState.ExitCode()
	case <-time.After(Timeout):
		p.t.Fatalf("%s does not end", p)
		panic("unreachable")
	}
}

// Kill kills the process and waits for its end.
func (p *Process) Kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// Signal sends a signal.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// AwaitStdout waits until the process has written a text to its standard output.
func (p *Process) AwaitStdout(text string) {
	p.t.Helper()
	p.AwaitOutput(fmt.Sprintf("%q", text), func() bool { return strings.Contains(p.Stdout.String(), text) })
}

// outputTimeout limits each wait for a process. Its first output may come after initdb, which took 39 s at a load of 28
// on two cores.
const outputTimeout = 3 * Timeout

// AwaitOutput waits until the outputs fulfil a condition. what is for the failure's text.
func (p *Process) AwaitOutput(what string, holds func() bool) {
	p.t.Helper()
	for end := time.After(outputTimeout); !holds(); {
		select {
		case <-p.written:
		case <-p.ended:
			if holds() {
				return
			}
			p.t.Fatalf("%s ended without %s", p, what)
		case <-end:
			p.t.Fatalf("%s does not write %s", p, what)
		}
	}
}

// String returns the command line and the outputs.
func (p *Process) String() string {
	return fmt.Sprintf("%q, with the output\n%s\nand the errors\n%s\n", p.command.Args, p.Stdout, p.Stderr)
}

var listeningAt = regexp.MustCompile(`listening +(\S+)`)

// StartServer starts a server at an address that the system chooses, without operators' listener, and waits until it
// has printed its greeting. Variables of the caller win.
func StartServer(t testing.TB, environment ...string) (p *Process, url string) {
	t.Helper()
	p = StartProcess(t, append([]string{"ITEMCAST_ADDR=127.0.0.1:0", "ITEMCAST_OPS_ADDR="}, environment...), "serve")
	p.AwaitStdout("Sign in")
	address := ""
	for _, variable := range environment { // the server prints only an address that the system has chosen
		if given, found := strings.CutPrefix(variable, "ITEMCAST_ADDR="); found {
			address = given
		}
	}
	if printed := listeningAt.FindStringSubmatch(p.Stdout.String()); printed != nil {
		address = printed[1]
	}
	return p, "http://" + address
}
