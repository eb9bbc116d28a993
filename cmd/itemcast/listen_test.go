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

	"itemcast/internal/standardwebhooks"
)

// listening is an itemcast listen at a free port.
func listening(t *testing.T, environment []string, args ...string) (p *process, url string) {
	t.Helper()
	p = start(t, environment, append([]string{"listen", "--port=0"}, args...)...)
	return p, p.url()
}

var listeningAt = regexp.MustCompile(`Listening at (http://\S+/)`)

// url waits until a listener has said where it is, on standard output or, with --json, on standard error.
func (p *process) url() string {
	p.t.Helper()
	end := time.After(patience)
	for {
		if told := listeningAt.FindStringSubmatch(p.out.String() + p.err.String()); told != nil {
			return told[1]
		}
		select {
		case <-p.out.said:
		case <-p.err.said:
		case <-p.ended:
			p.t.Fatalf("%v ended:\n%s\n%s", p.cmd.Args, p.out, p.err)
		case <-end:
			p.t.Fatalf("%v does not say where it listens:\n%s\n%s", p.cmd.Args, p.out, p.err)
		}
	}
}

// interrupted ends a listener as Ctrl-C does.
func (p *process) interrupted() {
	p.t.Helper()
	p.signal(syscall.SIGINT)
	if code := p.wait(); code != 0 {
		p.t.Errorf("after SIGINT: %d\n%s\n%s", code, p.out, p.err)
	}
}

// lineOf waits for a line of a listener's output that has all the texts.
func (p *process) lineOf(texts ...string) {
	p.t.Helper()
	for end := time.After(2 * patience); ; {
		for line := range strings.Lines(p.out.String()) {
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
				return
			}
		}
		select {
		case <-p.out.said:
		case <-end:
			p.t.Fatalf("no line has all of %q:\n%s\n%s", texts, p.out, p.err)
		}
	}
}

// The flow of the README: listen, make the hook whose curl is told, paste its secret, change an item. Between processes.
func TestListen_VerifiesWhatAServerSendsAndFailsOnDemand(t *testing.T) {
	t.Parallel()
	_, environment := started(t)
	_, url := serve(t, append(environment, "ITEMCAST_HOOK_ALLOW_NETWORKS=127.0.0.0/8")...)

	typed, terminal, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer typed.Close()
	defer terminal.Close()
	p := startReading(t, typed, []string{"ITEMCAST_PUBLIC_URL=" + url}, "listen", "--port=0")
	here := p.url()
	p.says("Nothing is verified yet")
	told := regexp.MustCompile(`(?s)-u admin@example\.com:PASSWORD (\S+) .*-d '(.*?)'`).FindStringSubmatch(p.out.String())
	if told == nil {
		t.Fatalf("what to do is not told:\n%s", p.out)
	}
	hook := fetch(t, http.MethodPost, told[1], adminPassword, told[2]).expect(t, http.StatusCreated)
	id := fetch(t, http.MethodPost, url+"/api/v1/items", adminPassword, `{"name":"Metropolis"}`).expect(t, http.StatusCreated).field(t, "id")
	p.lineOf(id, "item.created", "hook", "r1", "not checked", "→ 200")

	if _, err := io.WriteString(terminal, "nonsense\n\n"+string(hook.body)+"\n"); err != nil {
		t.Fatal(err)
	}
	p.says("must be whsec_")
	p.says("verified by this secret")
	fetch(t, http.MethodPost, url+"/api/v1/items/"+id+"/trigger-hook", adminPassword, "")
	fetch(t, http.MethodDelete, url+"/api/v1/items/"+id, adminPassword, "").expect(t, http.StatusNoContent)
	p.lineOf("item.deleted", id, "verified  → 200")

	// One listener plays a second endpoint, which fails first. Its hook has a secret that is not known here, until it is.
	flaky := fetch(t, http.MethodPost, url+"/api/v1/hooks", adminPassword, `{"url":"`+here+`flaky?fail_first=1&status=503","events":["item.created"]}`).expect(t, http.StatusCreated)
	if _, err := io.WriteString(terminal, flaky.field(t, "secret")+"\n"); err != nil {
		t.Fatal(err)
	}
	for strings.Count(p.out.String(), "verified by this secret") < 2 {
		next(t, p.out.said)
	}
	second := fetch(t, http.MethodPost, url+"/api/v1/items", adminPassword, `{"name":"M"}`).expect(t, http.StatusCreated).field(t, "id")
	p.says("repeated (attempt 2)")
	p.lineOf("→ 503", second, "verified", "at /flaky?")
	p.lineOf("repeated (attempt 2)", second, "verified", "→ 200", "at /flaky?")
	p.interrupted()
	if !regexp.MustCompile(`\n\d deliveries: \d verified, 0 with a wrong signature, 1 not checked; 1 repeated, 0 out of order; 1 answered with a failure\n$`).MatchString(p.out.String()) {
		t.Errorf("the summary is missing:\n%s", p.out)
	}
	if strings.Contains(p.out.String(), "\x1b") {
		t.Errorf("there are colours without a terminal:\n%q", p.out)
	}
}

func TestListen_AWrongSecretIsSeenByBothSides(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	p, url := listening(t, []string{"ITEMCAST_LISTEN_SECRET=" + standardwebhooks.NewSecret().Text() + "," + standardwebhooks.NewSecret().Text()})
	p.says("by the 2 secrets given")
	hook := n.call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`","events":["item.created"]}`).expect(t, http.StatusCreated).field(t, "id")
	n.call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).expect(t, http.StatusCreated)
	p.lineOf("WRONG SIGNATURE (the signature does not fit: another secret", "item.created", "→ 401")
	await(t, func() bool {
		return strings.Contains(n.call(http.MethodGet, "/api/v1/hooks/"+hook, "").field(t, "last_error"), "401")
	})
	p.interrupted()
	p.says("1 delivery: 0 verified, 1 with a wrong signature, 0 not checked; 0 repeated, 0 out of order; 1 answered with a failure")
}

func TestListen_JSONIsALineADelivery(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	url := "http://127.0.0.1:" + freePort(t) + "/"
	hook := n.call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`","events":["item.created"]}`).expect(t, http.StatusCreated)
	port := strings.TrimSuffix(url[strings.LastIndex(url, ":")+1:], "/")
	p := start(t, nil, "listen", "--json", "--port="+port, "--secret="+hook.field(t, "secret"))
	if got := p.url(); got != url {
		t.Errorf("listens at %s, want %s", got, url)
	}
	made := n.call(http.MethodPost, "/api/v1/items", `{"name":"<Metropolis> & more"}`).expect(t, http.StatusCreated)
	p.says("\n")
	secret, err := standardwebhooks.ParseSecret(hook.field(t, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for range 2 {
		send(t, url+"?status=500", "{}", standardwebhooks.Sign("an id", now, []byte("{}"), secret), now,
			"Itemcast-Occurred-At", now.Add(-time.Minute).UTC().Format(time.RFC3339Nano)).expect(t, http.StatusInternalServerError)
	}
	p.interrupted()
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
	for text := range strings.Lines(p.out.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		lines = append(lines, l)
	}
	if len(lines) != 3 {
		t.Fatalf("got %d lines:\n%s", len(lines), p.out)
	}
	first, third := lines[0], lines[2]
	if first.ID == "" || first.Event != "item.created" || first.Trigger != "hook" || first.Item != made.field(t, "id") || first.Cursor == "" || first.Revision != 1 ||
		!*first.Verified || *first.Repeated || *first.OutOfOrder || *first.Answered != http.StatusOK || string(first.Body) != string(made.body) {
		t.Errorf("got %s", p.out)
	}
	if !*third.Repeated || *third.Answered != http.StatusInternalServerError || third.LatencyMS == nil || *third.LatencyMS < 60_000 || *third.LatencyMS > 120_000 {
		t.Errorf("got %s", p.out)
	}
	if !strings.Contains(p.err.String(), "3 deliveries: 3 verified") {
		t.Errorf("the summary is missing:\n%s", p.err)
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
	p.lineOf("no answer", `\u009b`, "not checked")
	p.lineOf("content-type:", "application/json")
	p.lineOf(`    "id":`, `"\u009b"`)
	p.interrupted()
	if err := next(t, ended); err == nil {
		t.Error("there was an answer")
	}
	p.says("1 delivery: 0 verified")
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
		code, _, errs := runProcess(t, nil, append([]string{"listen"}, strings.Fields(args)...)...)
		if code != 1 || !strings.Contains(errs, mention) || strings.Contains(errs, "hidden") {
			t.Errorf("%s: %d\n%s", args, code, errs)
		}
	}
}
