package node_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"itemcast/internal/node/nodetest"
)

// adminCredentials are the administrator's credentials as the examples take them.
const adminCredentials = nodetest.AdminEmail + ":" + nodetest.AdminPassword

// examplePath returns the path of a file in examples/.
func examplePath(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// example starts a script of examples/ under Node.js and returns the lines that it prints. `make clients` installs the
// packages that the scripts need.
func example(t *testing.T, script string, args ...string) <-chan json.RawMessage {
	t.Helper()
	run := interpreter(t, script)
	return program(t, run[0], append(run[1:], args...)...)
}

// interpreter returns the command that runs a file of examples/, or the Go program in a folder of it.
func interpreter(t *testing.T, name string) []string {
	t.Helper()
	path := examplePath(t, name)
	switch filepath.Ext(name) {
	case ".mjs":
		if _, err := os.Stat(examplePath(t, "node_modules")); err != nil {
			t.Fatal("the examples' packages are not installed: run make clients")
		}
		return []string{"node", path}
	case ".py":
		python, err := exec.LookPath("python3")
		switch {
		case err != nil && os.Getenv("CI") == "":
			t.Skip("there is no python3 on this machine; CI has one")
		case err != nil:
			t.Fatal(err)
		}
		return []string{python, path}
	case ".sh":
		return []string{"sh", path}
	case ".java":
		java, err := exec.LookPath("java")
		if err != nil {
			t.Skip("there is no java on this machine")
		}
		return []string{java, path}
	default:
		binary := filepath.Join(t.TempDir(), "example")
		if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, path).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, output)
		}
		return []string{binary}
	}
}

// program starts a program, which ends with the test, and returns the lines that it prints.
func program(t *testing.T, name string, args ...string) <-chan json.RawMessage {
	t.Helper()
	lines, _ := programWithErrors(t, name, args...)
	return lines
}

// programWithErrors starts a program, and returns also the lines that it prints on standard error.
func programWithErrors(t *testing.T, name string, args ...string) (lines, errs <-chan json.RawMessage) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	read := func(from io.Reader, log io.Writer) <-chan json.RawMessage {
		lines := make(chan json.RawMessage, 10_000)
		reading.Go(func() {
			defer close(lines)
			for scanner := bufio.NewScanner(from); scanner.Scan(); {
				fmt.Fprintln(log, scanner.Text())
				lines <- json.RawMessage(strings.Clone(scanner.Text()))
			}
		})
		return lines
	}
	lines, errs = read(stdout, io.Discard), read(stderr, t.Output())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		reading.Wait()
		_ = command.Wait()
	})
	return lines, errs
}

// The audits of graphql-http, the GraphQL Foundation's reference implementation: all of MUST, SHOULD and MAY.
func TestClients_GraphQLHTTPAuditsPass(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	passed := 0
	for line := range example(t, "clients/audit.mjs", n.URL, adminCredentials) {
		var audit struct{ ID, Name, Status, Reason string }
		if err := json.Unmarshal(line, &audit); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if audit.Status != "ok" {
			t.Errorf("%s %s: %s %s", audit.ID, audit.Name, audit.Status, audit.Reason)
			continue
		}
		passed++
	}
	if passed < 55 {
		t.Errorf("only %d audits passed", passed)
	}
}

type said struct {
	Connected, Complete bool
	Closed              *int
	Reason              string
	Event               *nodetest.Event
	Error               json.RawMessage
	Errors              json.RawMessage
}

func hear(t *testing.T, from <-chan json.RawMessage) (s said) {
	t.Helper()
	line := nodetest.Next(t, from)
	if line == nil {
		t.Fatal("the client has ended")
	}
	if err := json.Unmarshal(line, &s); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return s
}

// The client's connection is cut several times while items change. It resumes after its last cursor.
func TestClients_GraphQLWSResumesWithNothingLostOrRepeated(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	way := cuttableTo(t, n.URL)
	lines := example(t, "subscribers/graphql-ws.mjs", way.url, adminCredentials, "--after="+n.Feed.Cursor(n.Feed.Head()))
	if !hear(t, lines).Connected {
		t.Fatal("the client did not connect")
	}
	const items = 40
	changing := make(chan struct{})
	go func() {
		defer close(changing)
		for i := range items {
			created := n.Call(http.MethodPost, "/api/v1/items", fmt.Sprintf(`{"name":"item %d"}`, i))
			path := "/api/v1/items/" + created.Field(t, "id")
			n.Call(http.MethodPatch, path, `{"name":"changed"}`)
			n.Call(http.MethodDelete, path, "")
		}
	}()
	kinds := []string{"CREATED", "UPDATED", "DELETED"}
	seen, cursors, closed := 0, map[string]bool{}, 0
	for seen < 3*items {
		s := hear(t, lines)
		switch {
		case s.Closed != nil:
			closed++
		case s.Event != nil:
			if s.Event.Kind != kinds[seen%3] || s.Event.Revision != int64(seen%3+1) || cursors[s.Event.Cursor] {
				t.Fatalf("event %d is %s of revision %d", seen, s.Event.Kind, s.Event.Revision)
			}
			cursors[s.Event.Cursor] = true
			if seen++; seen%17 == 0 {
				way.cut()
			}
		case s.Error != nil || s.Errors != nil:
			t.Fatalf("the client got %s%s", s.Error, s.Errors)
		}
	}
	<-changing
	if closed == 0 {
		t.Error("the connection was never cut")
	}
}

func TestClients_GraphQLWSSignsInEitherWay(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const script = "subscribers/graphql-ws.mjs"
	for _, where := range []string{"init", "header"} {
		lines := example(t, script, n.URL, adminCredentials, "--credentials="+where, "--after="+n.Feed.Cursor(n.Feed.Head()))
		hear(t, lines)
		made := n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).WantStatus(t, http.StatusCreated)
		if got := hear(t, lines); got.Event == nil || string(got.Event.Document) != string(made.Body) {
			t.Errorf("%s: got %+v", where, got)
		}
	}
	wrong := example(t, script, n.URL, nodetest.AdminEmail+":wrong")
	if got := hear(t, wrong); got.Closed == nil || *got.Closed != 4401 {
		t.Errorf("a wrong password: %+v", got)
	}
	if got := hear(t, example(t, script, n.URL)); got.Closed == nil || *got.Closed != 4401 {
		t.Errorf("no credentials: %+v", got)
	}
	lines := example(t, script, n.URL, adminCredentials, "--after="+nodetest.ForeignCursor)
	hear(t, lines)
	if got := hear(t, lines); !strings.Contains(string(got.Error), `"CURSOR_EXPIRED"`) {
		t.Errorf("another log's cursor: %+v", got)
	}
}
