package web_test

import (
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// runPasted runs the examples of a page with a ticket as somebody would who pastes them into a shell, or into a file.
func runPasted(t *testing.T, body string) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "notes.txt"), []byte("Silence.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for id, run := range map[string][]string{
		"ticket-curl": {"sh", "-c"}, "ticket-javascript": {"node", "--input-type=module", "-e"},
	} {
		found := regexp.MustCompile(`(?s)id="example-` + id + `"[^>]*>(.*?)</pre>`).FindStringSubmatch(body)
		if found == nil {
			t.Errorf("there is no example %s", id)
			continue
		}
		program, err := exec.LookPath(run[0])
		if err != nil {
			t.Logf("%s is not installed", run[0])
			continue
		}
		command := exec.CommandContext(t.Context(), program, append(run[1:], html.UnescapeString(found[1]))...)
		command.Dir = folder
		out, err := command.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "notes.txt") {
			t.Errorf("%s: %v\n%s", id, err, out)
		}
	}
}
