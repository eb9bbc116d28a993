package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/porttest"
)

// A reader who copies the commands of a page, line by line, succeeds: each command does, and no request is refused.
// Streams, which never end, are cut off after some seconds.
func TestDocs_TheCommandsOfAPageSucceed(t *testing.T) {
	t.Parallel()
	const guard = `
curl() {
	local status=0
	command curl --fail-with-body --max-time 20 "$@" || status=$?
	[ $status = 28 ] || return $status
}
`
	for page, c := range map[string]struct{ waitFor, want string }{
		"docs/receiving-hooks.md":   {`until grep -q item.created /tmp/deliveries.txt; do sleep 0.1; done`, " verified "},
		"docs/following-changes.md": {"", `"cursor":`},
		"docs/clients.md":           {"", ""},
		"docs/access-tokens.md":     {"", `"count":1`},
		"examples/README.md":        {`until grep -q item.created /tmp/deliveries.ndjson; do sleep 0.1; done`, `"event":"item.created"`},
	} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../../" + page)
			if err != nil {
				t.Fatal(err)
			}
			var session strings.Builder
			for _, block := range shellBlocks.FindAllStringSubmatch(string(text), -1) {
				session.WriteString(block[1])
			}
			script := session.String()
			_, url := nodetest.StartServer(t, "ITEMCAST_DATABASE_URL="+dbtest.URL(t),
				"ITEMCAST_HOOK_ALLOW_NETWORKS=127.0.0.0/8", "ITEMCAST_ADMIN_PASSWORD=metropolis-1927")
			address := porttest.Reserve(t)
			_, port, _ := net.SplitHostPort(address)
			if c.waitFor != "" { // a person's machine has a second for each; a busy one needs the events themselves
				listening := "until curl -s -o /tmp/none http://" + address + "/ || [ $? = 22 ]; do sleep 0.1; done"
				script = strings.Replace(script, "\nsleep 1\n", "\n"+listening+"\n", 1)
				script = strings.Replace(script, "\nsleep 1\n", "\n"+c.waitFor+"\n", 1)
			}
			script = strings.NewReplacer(
				"http://127.0.0.1:8080", url, "127.0.0.1:9000", address, ":PASSWORD", ":metropolis-1927",
				"bin/itemcast listen", nodetest.Command(t, nil).Path+" listen --port "+port,
				`receiver.mjs "$SECRET"`, `receiver.mjs "$SECRET" `+port, "wait=30", "wait=1", "curl -N", "curl --max-time 2 -N",
				"/tmp/", t.TempDir()+string(filepath.Separator),
			).Replace(script)
			ctx, cancel := context.WithTimeout(t.Context(), 4*nodetest.Timeout)
			defer cancel()
			shell := exec.CommandContext(ctx, "bash", "-e", "-o", "pipefail", "-c",
				"trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"+guard+script)
			shell.Dir, shell.Stderr, shell.WaitDelay = "../..", t.Output(), time.Second
			output, err := shell.Output()
			if err != nil || !strings.Contains(string(output), c.want) {
				t.Errorf("%v, want %s in the output\n%s\n%s", err, c.want, script, output)
			}
		})
	}
}
