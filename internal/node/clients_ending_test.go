package node_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/porttest"
)

// Each example ends with one line that says what is wrong, and with a status that shells and supervisors notice.
func TestClients_EndWithOneLineThatSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	file := filepath.Join(t.TempDir(), "items.json")
	blind := n.Call(http.MethodPost, "/api/v1/tokens", `{"name":"Sees no items","permissions":["items.edit"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "secret")
	paged := createToken(n.Client, devOrigin)
	away := "http://" + porttest.Reserve(t)
	type ending struct {
		args []string
		want string
	}
	// onServer are the endings of an example that takes a URL, credentials, and more arguments.
	strangers := 0
	onServer := func(path string, more ...string) []ending {
		strangers++ // after five failures, a user's sign-ins from an address wait
		wrong := fmt.Sprintf("stranger%d@example.com:wrong", strangers)
		with := func(url, credentials string) []string { return append([]string{url + path, credentials}, more...) }
		return []ending{
			{nil, "usage: "},
			{with("127.0.0.1:8080", adminCredentials), " is not a URL such as http"},
			{with(n.URL, nodetest.AdminEmail), "The credentials must be EMAIL:PASSWORD"},
			{with(n.URL, wrong), "The server refuses the credentials"},
			{with(n.URL+"/nothing", adminCredentials), "404"},
			{with(away, adminCredentials), away},
		}
	}
	receiver := []ending{
		{nil, "usage: "}, {[]string{"secret"}, "usage: "}, {[]string{"whsec_%"}, "usage: "},
		{[]string{"whsec_"}, "usage: "}, {[]string{"whsec_bad"}, "usage: "},
		{[]string{"whsec_YWJj", "70000"}, "70000"}, {[]string{"whsec_YWJj", portOf(t, n.URL)}, "cannot be used"},
	}
	expired := append(onServer(""), ending{[]string{n.URL, adminCredentials, "--after=" + nodetest.ForeignCursor},
		"The subscription has ended: The cursor is from before"})
	for script, endings := range map[string][]ending{
		"subscribers/graphql-ws.mjs":  expired,
		"subscribers/graphql-sse.mjs": expired,
		"subscribers/urql.mjs":        expired,
		"subscribers/eventsource.mjs": onServer("/api/v1/changes"),
		"subscribers/mirror.mjs":      onServer("", file),
		"clients/graphql.mjs":         onServer("", "graphql-ws"),
		"clients/urql.mjs":            append(onServer("", "fetch"), ending{[]string{n.URL, adminCredentials, "x"}, "usage: "}),
		"clients/apollo.mjs":          onServer("", "get"),
		"clients/audit.mjs":           onServer(""),
		"receivers/receiver.mjs":      receiver,
		"receivers/fetch.mjs":         receiver,
		"receivers/task.mjs":          receiver,
		"receivers/receiver.py":       receiver,
		"receivers/go":                receiver,
		"node/follow.mjs": {
			{nil, "usage: "}, {[]string{"127.0.0.1:8080", "ict_"}, " is not a URL such as http"},
			{[]string{n.URL}, "usage: "},
			{[]string{n.URL, "ict_wrong"}, "refuses the token: The access token is mistyped"},
			{[]string{n.URL, blind}, "refuses the token: "}, {[]string{n.URL, paged}, "for the pages of certain origins"},
			{[]string{n.URL + "/nothing", "ict_wrong"}, "404"},
			{[]string{away, "ict_wrong"}, away},
		},
	} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			run := interpreter(t, script)
			for _, e := range endings {
				wantEnding(t, exec.CommandContext(t.Context(), run[0], append(run[1:], e.args...)...), e.want)
			}
		})
	}
}

// The types of the page need the server too, and the settings that the page will have.
func TestFrontend_ItsTypesEndWithOneLineThatNamesTheSetting(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	dir := copyExample(t, "frontend")
	linkPackages(t, dir, "frontend", "clients")
	away, token := "http://"+porttest.Reserve(t), createToken(n.Client, "http://localhost:5999")
	for _, e := range []struct{ url, token, origin, want string }{
		{"", token, "", "Set VITE_ITEMCAST_URL"},
		{"127.0.0.1:8080", token, "", "VITE_ITEMCAST_URL=127.0.0.1:8080 is not a URL"},
		{away, token, "", away + " cannot be reached (ECONNREFUSED)"},
		{n.URL + "/api/v1", token, "http://localhost:5999", "/api/v1/api/v1/openapi.json answers 404, not as Itemcast does"},
		{n.URL, "ict_wrong", "", n.URL + " answers 401 to VITE_ITEMCAST_TOKEN: The access token is mistyped"},
		{n.URL, token, "", "VITE_ITEMCAST_TOKEN is not for pages of http://localhost:5173"},
		{n.URL, token, "localhost", "VITE_PAGE_ORIGIN=localhost is not an origin"},
		{n.URL + "/", token, "http://localhost:5999/", ""},
	} {
		command := exec.CommandContext(t.Context(), "node", "types.mjs")
		command.Dir, command.Env = dir, append(os.Environ(), "VITE_ITEMCAST_URL="+e.url, "VITE_ITEMCAST_TOKEN="+e.token,
			"VITE_PAGE_ORIGIN="+e.origin)
		if e.want != "" {
			wantEnding(t, command, e.want)
		} else if said, err := command.CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("with a slash at the end of the settings: %v, and says %q", err, said)
		}
	}
}

// wantEnding runs a command that must fail, with one line on standard error.
func wantEnding(t *testing.T, command *exec.Cmd, want string) {
	t.Helper()
	var errs strings.Builder
	command.Stderr = &errs
	err := command.Run()
	status, failed := errors.AsType[*exec.ExitError](err)
	said := errs.String()
	for strings.HasPrefix(said, "The connection is away") { // the server was busy with the others' attempts
		_, said, _ = strings.Cut(said, "\n")
	}
	line, rest, _ := strings.Cut(said, "\n")
	if !failed || status.ExitCode() <= 0 || rest != "" || !strings.Contains(line, want) {
		t.Errorf("%q: %v, and says %q, want one line with %q", command.Args, err, errs.String(), want)
	}
}

func portOf(t *testing.T, url string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// An outage lasts for more attempts than the clients make by default (5). Each example says that the connection is away,
// continues, and receives the changes made meanwhile, even when it had not received anything before.
func TestClients_GoOnAfterAnOutage(t *testing.T) {
	t.Parallel()
	const attempts = 6
	pool := dbtest.New(t)
	writer := nodetest.StartOn(t, pool)
	address := porttest.Reserve(t)
	n, stop := nodetest.Serve(t, pool, nodetest.Listen(t, address))
	url, file := "http://"+address, filepath.Join(t.TempDir(), "items.json")
	clients := map[string]struct{ lines, errs <-chan json.RawMessage }{}
	for script, args := range map[string][]string{
		"subscribers/graphql-ws.mjs": {url, adminCredentials}, "subscribers/graphql-sse.mjs": {url, adminCredentials},
		"subscribers/eventsource.mjs": {url + "/api/v1/changes", adminCredentials},
		"subscribers/mirror.mjs":      {url, adminCredentials, file},
		"subscribers/urql.mjs":        {url, adminCredentials},
	} {
		run := interpreter(t, script)
		lines, errs := programWithErrors(t, run[0], append(run[1:], args...)...)
		clients[script] = struct{ lines, errs <-chan json.RawMessage }{lines, errs}
	}
	for _, script := range []string{"graphql-ws", "graphql-sse"} {
		lines := clients["subscribers/"+script+".mjs"].lines
		for !hear(t, lines).Connected {
		}
	}
	nodetest.Next(t, clients["subscribers/eventsource.mjs"].lines) // open
	nodetest.Next(t, clients["subscribers/mirror.mjs"].lines)      // listed
	nodetest.Next(t, clients["subscribers/urql.mjs"].lines)        // from
	// Each follows from a cursor that it has. Being connected says less: graphql-ws asks for its cursor then.
	nodetest.Eventually(t, "all streams are followed", func() bool { return n.Metric("itemcast_live_followers") == 4 })
	n.AwaitHandler("wait=30", "live.(*Subscription).Wait")

	stop()
	for script, c := range clients {
		if said := string(nodetest.Next(t, c.errs)); !strings.HasPrefix(said, "The connection is away.") {
			t.Errorf("%s says %q", script, said)
		}
	}
	id := writer.CreateItem(`{"name":"while they were away"}`)
	for failed := 0; failed < attempts; {
		if got := hear(t, clients["subscribers/graphql-ws.mjs"].lines); got.Closed != nil {
			failed++
		}
	}
	_, stop = nodetest.Serve(t, pool, nodetest.Listen(t, address))
	t.Cleanup(stop)
	for script, c := range clients {
		if said := string(nodetest.Next(t, c.errs)); said != "The connection is back." {
			t.Errorf("%s says %q", script, said)
		}
		for line := ""; !strings.Contains(line, id); {
			line = string(nodetest.Next(t, c.lines))
			if line == "" {
				t.Fatalf("%s has ended", script)
			}
			if script == "subscribers/eventsource.mjs" && strings.HasPrefix(line, "1 ") {
				break // it prints the revision, and not the item
			}
		}
	}
}
