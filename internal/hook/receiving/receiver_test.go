package receiving

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"itemcast/internal/standardwebhooks"
)

// bundle is a receiver behind a real server, and what it has reported.
type bundle struct {
	*Receiver
	t      *testing.T
	url    string
	secret standardwebhooks.Secret
	seen   []*Delivery
	notes  []string
}

func setup(t *testing.T, config Config) *bundle {
	t.Helper()
	b := &bundle{t: t, secret: standardwebhooks.NewSecret()}
	config.Secrets = []standardwebhooks.Secret{standardwebhooks.NewSecret(), b.secret}
	config.OnDelivery = func(d *Delivery) { b.seen = append(b.seen, d) }
	config.OnNote = func(text string) { b.notes = append(b.notes, text) }
	b.Receiver = New(config)
	server := httptest.NewServer(b.Receiver)
	b.url = server.URL
	t.Cleanup(server.Close)
	return b
}

// post sends a delivery of a revision of item "a". The headers come in pairs.
func (b *bundle) post(target, id string, revision int, header ...string) (*http.Response, string, error) {
	b.t.Helper()
	body, now := `{"id":"a"}`, time.Now()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+target, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Webhook-Id", id)
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	request.Header.Set("Webhook-Signature", standardwebhooks.Sign(id, now, []byte(body), b.secret))
	request.Header.Set("Itemcast-Event", "item.updated")
	request.Header.Set("Itemcast-Trigger", "hook")
	request.Header.Set("Itemcast-Revision", strconv.Itoa(revision))
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response, string(text), err
}

func (b *bundle) last() *Delivery {
	b.t.Helper()
	if len(b.seen) == 0 {
		b.t.Fatal("no delivery was reported")
	}
	return b.seen[len(b.seen)-1]
}

// answered posts a delivery, whose answer must have the status, and returns the report of it.
func (b *bundle) answered(target, id string, revision, status int, header ...string) *Delivery {
	b.t.Helper()
	response, text, err := b.post(target, id, revision, header...)
	if err != nil {
		b.t.Fatal(err)
	}
	if response.StatusCode != status {
		b.t.Fatalf("%s: got %d %s, want %d", target, response.StatusCode, text, status)
	}
	return b.last()
}

func TestReceiver_ReportsADelivery(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Now: time.Now})
	d := b.answered("/", "1", 7, http.StatusOK, "Itemcast-Occurred-At",
		time.Now().Add(-time.Second).UTC().Format(time.RFC3339Nano), "Itemcast-Cursor", "c")
	if d.ID != "1" || d.Event != "item.updated" || d.Trigger != "hook" || d.Item != "a" || d.Revision != 7 ||
		d.Cursor != "c" || !d.Verified() ||
		d.Repeated() || d.OutOfOrder != 0 || d.Latency == nil || *d.Latency < time.Second || *d.Latency > time.Minute {
		t.Errorf("got %+v", d)
	}
}

func TestReceiver_DistinguishesRepetitionsFromWrongOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	b.answered("/", "two", 2, http.StatusOK)
	if d := b.answered("/", "two", 2, http.StatusOK); !d.Repeated() || !d.Accepted || d.OutOfOrder != 0 {
		t.Errorf("a repetition: %+v", d)
	}
	b.answered("/", "three", 3, http.StatusOK)
	if d := b.answered("/", "two", 2, http.StatusOK); d.Attempt != 3 || d.OutOfOrder != 0 {
		t.Errorf("a repetition of a delivery that was accepted in order: %+v", d)
	}
	if d := b.answered("/", "one", 1, http.StatusOK); d.Repeated() || d.OutOfOrder != 3 {
		t.Errorf("an older revision: %+v", d)
	}
	if d := b.answered("/", "one again", 1, http.StatusOK, "Itemcast-Trigger", "replay"); d.OutOfOrder != 3 {
		t.Errorf("a replay after a higher revision: %+v", d)
	}
	if d := b.answered("/", "sample", 1, http.StatusOK, "Itemcast-Trigger", "test"); d.OutOfOrder != 0 {
		t.Errorf("a test, which sends a sample: %+v", d)
	}
	if d := b.answered("/other", "one", 1, http.StatusOK); d.OutOfOrder != 0 {
		t.Errorf("of another hook: %+v", d)
	}
	b.answered("/?status=500", "four", 4, http.StatusInternalServerError)
	if d := b.answered("/?status=500", "three", 3, http.StatusInternalServerError); d.OutOfOrder != 0 {
		t.Errorf("after a higher revision that was not accepted: %+v", d)
	}
	if s := b.End(); s.Deliveries != 10 || s.Verified != 10 || s.Repeated != 4 || s.OutOfOrder != 2 || s.Failed != 2 {
		t.Errorf("got %+v", s)
	}
}

func TestReceiver_AWrongSignatureIsAnswered401AndCountsAsNoAttempt(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Answers: Answers{FailFirst: 1, Status: http.StatusServiceUnavailable}})
	if d := b.answered("/", "1", 1, http.StatusUnauthorized, "Webhook-Signature", "v1,AAAA"); d.Verified() ||
		d.Fault == nil || d.Attempt != 0 {
		t.Errorf("got %+v", d)
	}
	b.answered("/", "1", 1, http.StatusServiceUnavailable)
	if d := b.answered("/", "1", 1, http.StatusOK); d.Attempt != 2 || d.Accepted {
		t.Errorf("got %+v", d)
	}
	lenient := setup(t, Config{AcceptAll: true})
	if d := lenient.answered("/", "1", 1, http.StatusOK, "Webhook-Signature", "v1,AAAA"); d.Verified() || !d.Checked {
		t.Errorf("got %+v", d)
	}
}

func TestReceiver_FailsAsTheQuerySays(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{AcceptAll: true, Answers: Answers{Status: http.StatusBadGateway},
		Random: func() float64 { return 0.5 }})
	b.answered("/", "1", 1, http.StatusBadGateway)
	b.answered("/?status=204", "1", 1, http.StatusNoContent)
	b.answered("/?fail_rate=0.5", "1", 1, http.StatusOK)
	b.answered("/?fail-rate=0.6&token=theirs", "1", 1, http.StatusBadGateway)
	for target, want := range map[string]string{"/?retry_after=1500ms": "2", "/?retry-after=10": "10",
		"/?status=200&retry_after=10": ""} {
		response, _, err := b.post(target, "1", 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := response.Header.Get("Retry-After"); got != want {
			t.Errorf("%s: Retry-After is %q, want %q", target, got, want)
		}
	}
	began := time.Now()
	b.answered("/?delay=30ms", "1", 1, http.StatusBadGateway)
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("the delay took %s", took)
	}
	if _, _, err := b.post("/?reset", "fresh", 1); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("reset: %v", err)
	}
	hung, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	request, _ := http.NewRequestWithContext(hung, http.MethodPost, b.url+"/?hang&status=200", strings.NewReader("{}"))
	if _, err := http.DefaultClient.Do(request); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hang: %v", err)
	}
}

func TestReceiver_ReportsWrongSettingsAndCountsNoDelivery(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, query := range []string{"status=abc", "status=99", "status=600", "fail_first=-1", "fail_first=x",
		"fail_rate=2", "fail_rate=NaN", "delay=soon", "delay=-1s",
		"delay=48h", "retry_after=x", "hang=maybe", "reset=2"} {
		response, text, err := b.post("/?"+query, "1", 1)
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(query, "=")
		if response.StatusCode != http.StatusBadRequest || !strings.HasPrefix(text, name) ||
			!strings.Contains(b.notes[len(b.notes)-1], text[:len(text)-1]) {
			t.Errorf("%s: got %d %s", query, response.StatusCode, text)
		}
	}
	for method, want := range map[string]int{http.MethodGet: http.StatusMethodNotAllowed,
		http.MethodPost: http.StatusRequestEntityTooLarge} {
		request, _ := http.NewRequestWithContext(t.Context(), method, b.url,
			strings.NewReader(strings.Repeat(" ", maxBody+1)))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != want {
			t.Errorf("%s: got %d, want %d", method, response.StatusCode, want)
		}
	}
	if len(b.seen) != 0 {
		t.Errorf("%d deliveries were reported, want none", len(b.seen))
	}
}

func TestReceiver_UsesASecretThatIsAddedLater(t *testing.T) {
	t.Parallel()
	var seen []*Delivery
	r := New(Config{OnDelivery: func(d *Delivery) { seen = append(seen, d) }})
	b := &bundle{t: t, secret: standardwebhooks.NewSecret()}
	server := httptest.NewServer(r)
	defer server.Close()
	b.url = server.URL
	for range 2 {
		if response, _, err := b.post("/", "1", 1); err != nil || response.StatusCode != http.StatusOK {
			t.Fatal(err)
		}
		r.AddSecret(b.secret)
	}
	if seen[0].Checked || !seen[1].Verified() {
		t.Errorf("got %+v and %+v", seen[0], seen[1])
	}
}
