package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/standardwebhooks"
)

// listening is an itemcast listen at a free port.
func listening(t *testing.T, environment []string, args ...string) (p *nodetest.Process, url string) {
	t.Helper()
	p = nodetest.StartProcess(t, environment, append([]string{"listen", "--port=0"}, args...)...)
	return p, listenerURL(p)
}

var listeningAt = regexp.MustCompile(`Listening at (http://\S+/)`)

// url waits until a listener has said where it is, on standard output or, with --json, on standard error.
func listenerURL(p *nodetest.Process) string {
	p.T.Helper()
	end := time.After(nodetest.Timeout)
	for {
		if told := listeningAt.FindStringSubmatch(p.Stdout.String() + p.Stderr.String()); told != nil {
			return told[1]
		}
		select {
		case <-p.Stdout.Changed:
		case <-p.Stderr.Changed:
		case <-p.Ended:
			p.T.Fatalf("%v ended:\n%s\n%s", p.Cmd.Args, p.Stdout, p.Stderr)
		case <-end:
			p.T.Fatalf("%v does not say where it listens:\n%s\n%s", p.Cmd.Args, p.Stdout, p.Stderr)
		}
	}
}

// interrupted ends a listener as Ctrl-C does.
func interrupt(p *nodetest.Process) {
	p.T.Helper()
	p.Signal(syscall.SIGINT)
	if code := p.Wait(); code != 0 {
		p.T.Errorf("after SIGINT: %d\n%s\n%s", code, p.Stdout, p.Stderr)
	}
}

// lineOf waits for a line of a listener's output that has all the texts.
func awaitLine(p *nodetest.Process, texts ...string) {
	p.T.Helper()
	for end := time.After(2 * nodetest.Timeout); ; {
		for line := range strings.Lines(p.Stdout.String()) {
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
				return
			}
		}
		select {
		case <-p.Stdout.Changed:
		case <-end:
			p.T.Fatalf("no line has all of %q:\n%s\n%s", texts, p.Stdout, p.Stderr)
		}
	}
}

// The flow of the README: listen, make the hook whose curl is told, paste its secret, change an item. Between processes.
func TestListen_VerifiesWhatAServerSendsAndFailsOnDemand(t *testing.T) {
	t.Parallel()
	_, environment := started(t)
	_, url := nodetest.StartServer(t, append(environment, "ITEMCAST_HOOK_ALLOW_NETWORKS=127.0.0.0/8")...)

	typed, terminal, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer typed.Close()
	defer terminal.Close()
	p := nodetest.StartProcessReading(t, typed, []string{"ITEMCAST_PUBLIC_URL=" + url}, "listen", "--port=0")
	here := listenerURL(p)
	p.AwaitStdout("Nothing is verified yet")
	told := regexp.MustCompile(`(?s)-u admin@example\.com:PASSWORD (\S+) .*-d '(.*?)'`).FindStringSubmatch(p.Stdout.String())
	if told == nil {
		t.Fatalf("what to do is not told:\n%s", p.Stdout)
	}
	hook := nodetest.Fetch(t, http.MethodPost, told[1], nodetest.AdminPassword, told[2]).WantStatus(t, http.StatusCreated)
	id := nodetest.Fetch(t, http.MethodPost, url+"/api/v1/items", nodetest.AdminPassword, `{"name":"Metropolis"}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	awaitLine(p, id, "item.created", "hook", "r1", "not checked", "→ 200")

	if _, err := io.WriteString(terminal, "nonsense\n\n"+string(hook.Body)+"\n"); err != nil {
		t.Fatal(err)
	}
	p.AwaitStdout("must be whsec_")
	p.AwaitStdout("verified by this secret")
	nodetest.Fetch(t, http.MethodPost, url+"/api/v1/items/"+id+"/trigger-hook", nodetest.AdminPassword, "")
	nodetest.Fetch(t, http.MethodDelete, url+"/api/v1/items/"+id, nodetest.AdminPassword, "").WantStatus(t, http.StatusNoContent)
	awaitLine(p, "item.deleted", id, "verified  → 200")

	// One listener plays a second endpoint, which fails first. Its hook has a secret that is not known here, until it is.
	flaky := nodetest.Fetch(t, http.MethodPost, url+"/api/v1/hooks", nodetest.AdminPassword, `{"url":"`+here+`flaky?fail_first=1&status=503","events":["item.created"]}`).WantStatus(t, http.StatusCreated)
	if _, err := io.WriteString(terminal, flaky.Field(t, "secret")+"\n"); err != nil {
		t.Fatal(err)
	}
	for strings.Count(p.Stdout.String(), "verified by this secret") < 2 {
		nodetest.Next(t, p.Stdout.Changed)
	}
	second := nodetest.Fetch(t, http.MethodPost, url+"/api/v1/items", nodetest.AdminPassword, `{"name":"M"}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	p.AwaitStdout("repeated (attempt 2)")
	awaitLine(p, "→ 503", second, "verified", "at /flaky?")
	awaitLine(p, "repeated (attempt 2)", second, "verified", "→ 200", "at /flaky?")
	interrupt(p)
	if !regexp.MustCompile(`\n\d deliveries: \d verified, 0 with a wrong signature, 1 not checked; 1 repeated, 0 out of order; 1 answered with a failure\n$`).MatchString(p.Stdout.String()) {
		t.Errorf("the summary is missing:\n%s", p.Stdout)
	}
	if strings.Contains(p.Stdout.String(), "\x1b") {
		t.Errorf("there are colours without a terminal:\n%q", p.Stdout)
	}
}

func TestListen_AWrongSecretIsSeenByBothSides(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	p, url := listening(t, []string{"ITEMCAST_LISTEN_SECRET=" + standardwebhooks.NewSecret().Text() + "," + standardwebhooks.NewSecret().Text()})
	p.AwaitStdout("by the 2 secrets given")
	hook := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`","events":["item.created"]}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).WantStatus(t, http.StatusCreated)
	awaitLine(p, "WRONG SIGNATURE (the signature does not fit: another secret", "item.created", "→ 401")
	nodetest.Await(t, func() bool {
		return strings.Contains(n.Call(http.MethodGet, "/api/v1/hooks/"+hook, "").Field(t, "last_error"), "401")
	})
	interrupt(p)
	p.AwaitStdout("1 delivery: 0 verified, 1 with a wrong signature, 0 not checked; 0 repeated, 0 out of order; 1 answered with a failure")
}

func TestListen_JSONIsALineADelivery(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	url := "http://127.0.0.1:" + nodetest.FreePort(t) + "/"
	hook := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`","events":["item.created"]}`).WantStatus(t, http.StatusCreated)
	port := strings.TrimSuffix(url[strings.LastIndex(url, ":")+1:], "/")
	p := nodetest.StartProcess(t, nil, "listen", "--json", "--port="+port, "--secret="+hook.Field(t, "secret"))
	if got := listenerURL(p); got != url {
		t.Errorf("listens at %s, want %s", got, url)
	}
	made := n.Call(http.MethodPost, "/api/v1/items", `{"name":"<Metropolis> & more"}`).WantStatus(t, http.StatusCreated)
	p.AwaitStdout("\n")
	secret, err := standardwebhooks.ParseSecret(hook.Field(t, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for range 2 {
		nodetest.SendWebhook(t, url+"?status=500", "{}", standardwebhooks.Sign("an id", now, []byte("{}"), secret), now,
			"Itemcast-Occurred-At", now.Add(-time.Minute).UTC().Format(time.RFC3339Nano)).WantStatus(t, http.StatusInternalServerError)
	}
	interrupt(p)
	type line struct {
		ID, Event, Trigger, Item, Cursor string
		Revision                         int64
		LatencyMS                        *float64 `json:"latency_ms"`
		Verified                         *bool
		Repeated                         *bool
		OutOfOrder                       *bool `json:"out_of_order"`
		Answered                         *int
		Body                             json.RawMessage
	}
	var lines []line
	for text := range strings.Lines(p.Stdout.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		lines = append(lines, l)
	}
	if len(lines) != 3 {
		t.Fatalf("got %d lines:\n%s", len(lines), p.Stdout)
	}
	first, third := lines[0], lines[2]
	if first.ID == "" || first.Event != "item.created" || first.Trigger != "hook" || first.Item != made.Field(t, "id") || first.Cursor == "" || first.Revision != 1 ||
		!*first.Verified || *first.Repeated || *first.OutOfOrder || *first.Answered != http.StatusOK || string(first.Body) != string(made.Body) {
		t.Errorf("got %s", p.Stdout)
	}
	if !*third.Repeated || *third.Answered != http.StatusInternalServerError || third.LatencyMS == nil || *third.LatencyMS < 60_000 || *third.LatencyMS > 120_000 {
		t.Errorf("got %s", p.Stdout)
	}
	if !strings.Contains(p.Stderr.String(), "3 deliveries: 3 verified") {
		t.Errorf("the summary is missing:\n%s", p.Stderr)
	}
}

// Whoever is left without an answer does not keep a listener from ending.
func TestListen_EndsAtOnceWhileItHangs(t *testing.T) {
	t.Parallel()
	p, url := listening(t, nil, "--hang", "--body", "--headers")
	ended := make(chan error, 1)
	go func() {
		response, err := http.Post(url, "application/json", strings.NewReader(`{"id":"`+"\u009b"+`"}`))
		if err == nil {
			response.Body.Close()
		}
		ended <- err
	}()
	awaitLine(p, "no answer", `\u009b`, "not checked")
	awaitLine(p, "content-type:", "application/json")
	awaitLine(p, `    "id":`, `"\u009b"`)
	interrupt(p)
	if err := nodetest.Next(t, ended); err == nil {
		t.Error("there was an answer")
	}
	p.AwaitStdout("1 delivery: 0 verified")
}

func TestListen_MistakesAreExplained(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for args, mention := range map[string]string{
		"--port=" + port:        "127.0.0.1:" + port + " is in use already: choose another port with --port (ITEMCAST_LISTEN_PORT)",
		"--host=203.0.113.1":    "ITEMCAST_LISTEN_HOST",
		"--secret=whsec_hidden": "--secret: must be whsec_ and base64",
		"--status=99":           "--status must be from 200 to 599",
		"--fail-rate=30":        "--fail-rate must be from 0 to 1",
		"--retry-after=-1s":     "--retry-after must be",
		"--hang --reset":        "--hang and --reset can't be used together",
	} {
		code, _, errs := nodetest.RunProcess(t, nil, append([]string{"listen"}, strings.Fields(args)...)...)
		if code != 1 || !strings.Contains(errs, mention) || strings.Contains(errs, "hidden") {
			t.Errorf("%s: %d\n%s", args, code, errs)
		}
	}
}
