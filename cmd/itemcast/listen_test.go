package main

import (
	"encoding/json"
	"fmt"
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

// startListener starts itemcast listen at a port that the system chooses.
func startListener(t *testing.T, environment []string, args ...string) (p *nodetest.Process, url string) {
	t.Helper()
	p = nodetest.StartProcess(t, environment, append([]string{"listen", "--port=0"}, args...)...)
	return p, listenerURL(t, p)
}

var listeningAt = regexp.MustCompile(`Listening at (http://\S+/)`)

// listenerURL waits until a listener has printed its URL, on standard output or, with --json, on standard error.
func listenerURL(t *testing.T, p *nodetest.Process) (url string) {
	t.Helper()
	p.AwaitOutput("its URL", func() bool {
		found := listeningAt.FindStringSubmatch(p.Stdout.String() + p.Stderr.String())
		if found != nil {
			url = found[1]
		}
		return found != nil
	})
	return url
}

// interrupt ends a listener as Ctrl-C does.
func interrupt(t *testing.T, p *nodetest.Process) {
	t.Helper()
	p.Signal(syscall.SIGINT)
	if code := p.Wait(); code != 0 {
		t.Errorf("code %d after SIGINT: %s", code, p)
	}
}

// awaitLine waits for a line of a listener's output that has all the texts.
func awaitLine(t *testing.T, p *nodetest.Process, texts ...string) {
	t.Helper()
	p.AwaitOutput(fmt.Sprintf("a line with all of %q", texts), func() bool {
		for line := range strings.Lines(p.Stdout.String()) {
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
				return true
			}
		}
		return false
	})
}

// The steps of the README, between processes: listen, create the hook with the printed curl, paste its secret, change
// an item.
func TestListen_VerifiesDeliveriesAndFailsOnDemand(t *testing.T) {
	t.Parallel()
	_, environment := newDatabase(t)
	_, url := nodetest.StartServer(t, append(environment, "ITEMCAST_HOOK_ALLOW_NETWORKS=127.0.0.0/8")...)

	typed, terminal, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer typed.Close()
	defer terminal.Close()
	p := nodetest.StartProcessReading(t, typed, []string{"ITEMCAST_PUBLIC_URL=" + url}, "listen", "--port=0")
	here := listenerURL(t, p)
	p.AwaitStdout("Nothing is verified yet")
	printed := regexp.MustCompile(`(?s)-u admin@example\.com:PASSWORD (\S+) .*-d '(.*?)'`).
		FindStringSubmatch(p.Stdout.String())
	if printed == nil {
		t.Fatalf("the command is not printed:\n%s", p.Stdout)
	}
	hook := nodetest.Connect(t, url).Call(http.MethodPost, strings.TrimPrefix(printed[1], url), printed[2]).
		WantStatus(t, http.StatusCreated)
	id := nodetest.Connect(t, url).Call(http.MethodPost, "/api/v1/items", `{"name":"Metropolis"}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	awaitLine(t, p, id, "item.created", "hook", "r1", "not checked", "→ 200")

	if _, err := io.WriteString(terminal, "nonsense\n\n"+string(hook.Body)+"\n"); err != nil {
		t.Fatal(err)
	}
	p.AwaitStdout("must be whsec_")
	p.AwaitStdout("verified with this secret")
	nodetest.Connect(t, url).Call(http.MethodPost, "/api/v1/items/"+id+"/trigger-hook", "")
	nodetest.Connect(t, url).Call(http.MethodDelete, "/api/v1/items/"+id, "").WantStatus(t, http.StatusNoContent)
	awaitLine(t, p, "item.deleted", id, "verified  → 200")

	// The listener acts as a second endpoint, which fails at first. Its hook's secret is unknown until it is pasted.
	flaky := nodetest.Connect(t, url).
		Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+here+`flaky?fail_first=1&status=503","events":["item.created"]}`).
		WantStatus(t, http.StatusCreated)
	if _, err := io.WriteString(terminal, flaky.Field(t, "secret")+"\n"); err != nil {
		t.Fatal(err)
	}
	p.AwaitOutput("the second secret",
		func() bool { return strings.Count(p.Stdout.String(), "verified with this secret") == 2 })
	second := nodetest.Connect(t, url).Call(http.MethodPost, "/api/v1/items", `{"name":"M"}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	p.AwaitStdout("repeated (attempt 2)")
	awaitLine(t, p, "→ 503", second, "verified", "at /flaky?")
	awaitLine(t, p, "repeated (attempt 2)", second, "verified", "→ 200", "at /flaky?")
	interrupt(t, p)
	summary := regexp.MustCompile(`\n\d deliveries: \d verified, 0 with a wrong signature, 1 not checked; ` +
		`1 repeated, 0 out of order; 1 answered with a failure\n$`)
	if !summary.MatchString(p.Stdout.String()) {
		t.Errorf("the summary is missing:\n%s", p.Stdout)
	}
	if strings.Contains(p.Stdout.String(), "\x1b") {
		t.Errorf("there are colours without a terminal:\n%q", p.Stdout)
	}
}

func TestListen_AWrongSecretShowsOnBothSides(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	p, url := startListener(t, nil, "--secret="+standardwebhooks.NewSecret().Text()+","+
		standardwebhooks.NewSecret().Text())
	p.AwaitStdout("with the 2 secrets given")
	hook := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`","events":["item.created"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).WantStatus(t, http.StatusCreated)
	awaitLine(t, p, "WRONG SIGNATURE (the signature does not match: the secret or the body", "item.created", "→ 401")
	nodetest.Eventually(t, "the hook shows the failure", func() bool {
		return strings.Contains(n.Call(http.MethodGet, "/api/v1/hooks/"+hook, "").Field(t, "last_error"), "401")
	})
	interrupt(t, p)
	// A retry may have arrived meanwhile.
	summary := regexp.MustCompile(`\n(\d+) deliver\w+: 0 verified, (\d+) with a wrong signature, 0 not checked; ` +
		`\d+ repeated, 0 out of order; (\d+) answered with a failure\n`).FindStringSubmatch(p.Stdout.String())
	if summary == nil || summary[1] != summary[2] || summary[1] != summary[3] {
		t.Errorf("the summary is missing:\n%s", p.Stdout)
	}
}

func TestListen_JSONIsALineForEachDelivery(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	hook := n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"https://example.com/","events":["item.created"]}`).
		WantStatus(t, http.StatusCreated)
	p, url := startListener(t, nil, "--json", "--secret="+hook.Field(t, "secret"))
	n.Call(http.MethodPatch, "/api/v1/hooks/"+hook.Field(t, "id"), `{"url":"`+url+`"}`).WantStatus(t, http.StatusOK)
	made := n.Call(http.MethodPost, "/api/v1/items", `{"name":"<Metropolis> & more"}`).WantStatus(t, http.StatusCreated)
	p.AwaitStdout("\n")
	secret, err := standardwebhooks.ParseSecret(hook.Field(t, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for range 2 {
		nodetest.SendWebhook(t, url+"?status=500", "{}", standardwebhooks.Sign("an id", now, []byte("{}"), secret), now,
			"Itemcast-Occurred-At", now.Add(-time.Minute).UTC().Format(time.RFC3339Nano)).
			WantStatus(t, http.StatusInternalServerError)
	}
	interrupt(t, p)
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
	if first.ID == "" || first.Event != "item.created" || first.Trigger != "hook" || first.Item != made.Field(t, "id") ||
		first.Cursor == "" || first.Revision != 1 ||
		!*first.Verified || *first.Repeated || *first.OutOfOrder || *first.Answered != http.StatusOK ||
		string(first.Body) != string(made.Body) {
		t.Errorf("got %s", p.Stdout)
	}
	if !*third.Repeated || *third.Answered != http.StatusInternalServerError || third.LatencyMS == nil ||
		*third.LatencyMS < 60_000 || *third.LatencyMS > 120_000 {
		t.Errorf("got %s", p.Stdout)
	}
	if !strings.Contains(p.Stderr.String(), "3 deliveries: 3 verified") {
		t.Errorf("the summary is missing:\n%s", p.Stderr)
	}
}

func TestListen_EndsAtOnceWhileARequestHangs(t *testing.T) {
	t.Parallel()
	p, url := startListener(t, nil, "--hang", "--body", "--headers")
	ended := make(chan error, 1)
	go func() {
		response, err := http.Post(url, "application/json", strings.NewReader(`{"id":"`+"\u009b"+`"}`))
		if err == nil {
			response.Body.Close()
		}
		ended <- err
	}()
	awaitLine(t, p, "no answer", `\u009b`, "not checked")
	awaitLine(t, p, "content-type:", "application/json")
	awaitLine(t, p, `    "id":`, `"\u009b"`)
	interrupt(t, p)
	if err := nodetest.Next(t, ended); err == nil {
		t.Error("the request was answered")
	}
	p.AwaitStdout("1 delivery: 0 verified")
}

func TestListen_ErrorsExplainMistakes(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for args, mention := range map[string]string{
		"--port=" + port: "127.0.0.1:" + port +
			" is in use already: choose another port with --port,",
		"--host=203.0.113.1":    "(--host and --port)",
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
