package node_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"itemcast/internal/node/nodetest"
)

var printedPassword = regexp.MustCompile(`Password\s+(\S+)`)

// A server on an embedded Postgres prints the password once, is the only owner of its data, survives a kill, and stops
// without leaving processes.
func TestServe_KeepsItsDataThroughAKillAndLeavesNoProcesses(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	environment := []string{"ITEMCAST_DATA_DIR=" + dir}
	first, url := nodetest.StartServer(t, environment...)
	first.AwaitStdout("shown this once")
	password := printedPassword.FindStringSubmatch(first.Stdout.String())
	if password == nil {
		t.Fatalf("no password is printed:\n%s", first.Stdout)
	}
	made := nodetest.Connect(t, url).As(nodetest.AdminEmail, password[1]).
		Call(http.MethodPost, "/api/v1/items", `{"name":"kept"}`).WantStatus(t, http.StatusCreated)

	code, _, errs := nodetest.RunProcess(t, append(environment, "ITEMCAST_ADDR=127.0.0.1:0", "ITEMCAST_OPS_ADDR="),
		"serve")
	if code == 0 || !strings.Contains(errs, "another itemcast uses "+dir) || !strings.Contains(errs, "ITEMCAST_DATA_DIR") {
		t.Errorf("a second server on the same data: %d\n%s", code, errs)
	}
	if code, out, errs := nodetest.RunProcess(t, environment, "export"); code != 0 || out != string(made.Body)+"\n" {
		t.Errorf("export beside the server: %d\n got %s\nwant %s\n%s", code, out, made.Body, errs)
	}

	first.Kill()
	again, moved := nodetest.StartServer(t, append(environment, "ITEMCAST_ADMIN_PASSWORD=short")...) // ignored
	if strings.Contains(again.Stdout.String(), "shown this once") || strings.Contains(again.Stdout.String(), password[1]) {
		t.Errorf("the password is printed again:\n%s", again.Stdout)
	}
	again.AwaitStdout("ITEMCAST_ADMIN_PASSWORD is ignored")
	got := nodetest.Connect(t, moved).As(nodetest.AdminEmail, password[1]).
		Call(http.MethodGet, "/api/v1/items/"+made.Field(t, "id"), "").WantStatus(t, http.StatusOK)
	if want := strings.Replace(string(made.Body), url, moved, 1); string(got.Body) != want {
		t.Errorf("after a kill\n got %s\nwant %s", got.Body, want)
	}
	again.Signal(syscall.SIGTERM)
	if code := again.Wait(); code != 0 || !strings.Contains(again.Stderr.String(), "the server has stopped") {
		t.Errorf("after SIGTERM: %d\n%s", code, again.Stderr)
	}
	if left := processesOf(t, dir); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
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
