package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/porttest"
)

// shellBlocks are the commands of a page that are to be pasted.
var shellBlocks = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestReadme_TheTwoMinutesEndWithTheSameBytes runs the README's session as it stands, at other ports. Where the README
// sleeps for a person's machine, the test waits for what the sleep is for.
func TestReadme_TheTwoMinutesEndWithTheSameBytes(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Two minutes\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var session strings.Builder
	for _, block := range shellBlocks.FindAllStringSubmatch(section, -1) {
		session.WriteString(block[1])
	}
	script := session.String()
	for _, wait := range []string{
		`until grep -qs '^data' /tmp/subscription.txt; do sleep 0.1; done`,
		`until [ -s /tmp/hook.ndjson ] && grep -q '"revision":2' /tmp/subscription.txt; do sleep 0.1; done`,
	} {
		before, after, found := strings.Cut(script, "\nsleep 1\n")
		if !found {
			t.Fatalf("the README does not wait as often as this test:\n%s", script)
		}
		script = before + "\n" + wait + "\n" + after
	}

	_, url := nodetest.StartServer(t, "ITEMCAST_DATABASE_URL="+dbtest.URL(t), "ITEMCAST_HOOK_ALLOW_NETWORKS=127.0.0.0/8",
		"ITEMCAST_ADMIN_PASSWORD=metropolis-1927")
	_, port, _ := net.SplitHostPort(porttest.Reserve(t))
	script = strings.NewReplacer(
		"http://127.0.0.1:8080", url, ":9000/", ":"+port+"/",
		"bin/itemcast listen", nodetest.Command(t, nil).Path+" listen --port "+port,
		"/tmp/", t.TempDir()+string(filepath.Separator),
	).Replace(script)

	ctx, cancel := context.WithTimeout(t.Context(), 4*nodetest.Timeout)
	defer cancel()
	script += `curl -fsS -H "Authorization: Bearer $VITE_ITEMCAST_TOKEN" -H 'Origin: http://localhost:5173' \
		$I/api/v1/items | grep Metropolis > /dev/null # the page shows it`
	script = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + script // also when the session fails
	shell := exec.CommandContext(ctx, "bash", "-e", "-o", "pipefail", "-c", script)
	shell.Stderr, shell.WaitDelay = t.Output(), time.Second
	output, err := shell.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, output)
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	if len(lines) < 3 {
		t.Fatalf("the session prints\n%s", output)
	}
	sums := lines[len(lines)-3:]
	if sums[0] != sums[1] || sums[1] != sums[2] || strings.HasSuffix(sums[0], " 0") {
		t.Errorf("GET, hook and subscription differ: %q", sums)
	}
	n := nodetest.Connect(t, url).As("admin@example.com", "metropolis-1927")
	if hooks := n.Call(http.MethodGet, "/api/v1/hooks", "").WantStatus(t, http.StatusOK).Body; bytes.Contains(hooks,
		[]byte(`"id"`)) {
		t.Errorf("the session leaves a hook: %s", hooks)
	}
}
