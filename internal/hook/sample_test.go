package hook_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/hook"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/hook/sending"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

func (b *bundle) test(h hook.Hook, event string) hook.Test {
	b.T.Helper()
	got, err := b.Service.Test(b.Ctx, h.ID, nil, event)
	if err != nil {
		b.T.Fatal(err)
	}
	return got
}

func TestTest_ReturnsTheResultAndLogsNothing(t *testing.T) {
	b := setup(t)
	r, answer := b.Answering(http.StatusOK)
	h, secret := b.HookOf(map[string]any{"url": r.URL, "events": []string{hook.ItemUpdated},
		"headers": map[string]string{"X-Own": "mine"}})
	got := b.test(h, "")
	m := r.AwaitCount(1)[0]
	if got.Fault != "" || got.Status != http.StatusOK || got.Event != hook.ItemUpdated || got.Revision != 7 ||
		got.ID.String() != m.ID() || got.Took <= 0 {
		t.Errorf("got %+v, sent %v", got, m.Header)
	}
	if string(m.Body) != string(hooktest.DocumentOf(got.ItemID, 7)) || m.Header.Get("Itemcast-Trigger") != "test" ||
		m.Header.Get("Itemcast-Event") != hook.ItemUpdated ||
		m.Header.Get("X-Own") != "mine" || m.Header.Values("Itemcast-Cursor") != nil {
		t.Errorf("sent %s, %v", m.Body, m.Header)
	}
	m.Verify(t, secret)
	if got := b.test(h, hook.ItemDeleted); got.Event != hook.ItemDeleted ||
		r.AwaitCount(2)[1].Header.Get("Itemcast-Event") != hook.ItemDeleted {
		t.Errorf("as an event that the hook does not ask for: %+v", got)
	}

	answer.Store(http.StatusInternalServerError)
	if got := b.test(h, ""); got.Fault != sending.Status || got.Status != http.StatusInternalServerError ||
		got.Detail != "The answer was 500 Internal Server Error" {
		t.Errorf("of a 500: %+v", got)
	}
	answer.Store(http.StatusGone)
	if got := b.test(h, ""); got.Fault != sending.Gone || !b.Get(h).Active {
		t.Errorf("of a 410: %+v, and the hook is %+v", got, b.Get(h))
	}
	b.Patch(h, `{"active":false,"body":"thin"}`)
	answer.Store(http.StatusNoContent)
	if got := b.test(h, ""); got.Fault != "" || got.Status != http.StatusNoContent {
		t.Errorf("of an inactive hook: %+v", got)
	}
	if body := string(r.AwaitCount(5)[4].Body); !strings.HasPrefix(body, `{"id":"`) ||
		!strings.HasSuffix(body, `"revision":7}`) {
		t.Errorf("a thin body is %s", body)
	}
	if got := b.Get(h); len(b.States(h)) != 0 || got.LastFailureAt != nil || got.LastSuccessAt != nil ||
		got.Pending != 0 {
		t.Errorf("it is in the log: %v, %+v", b.States(h), got)
	}
	if _, err := b.Service.Test(b.Ctx, h.ID, nil, "item.made"); !problem.Is(err, problem.InvalidInput) {
		t.Errorf("an unknown event: %v", err)
	}
	if _, err := b.Service.Test(b.Ctx, uuid.New(), nil, ""); !problem.Is(err, problem.NotFound) {
		t.Errorf("no hook: %v", err)
	}
}

func TestTest_OfAnAddressThatIsNotAllowedNamesTheRule(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(strings.Replace(r.URL, "127.0.0.1", "localhost", 1))
	b.Use(func(c *hook.Config) { c.Reach, c.Sender = egress.Policy{}, hooktest.NewSender(egress.Policy{}) })
	if got := b.test(h, ""); got.Fault != sending.Refused || got.Status != 0 ||
		!strings.Contains(got.Detail, "ITEMCAST_HOOK_ALLOW_NETWORKS") || len(r.Messages()) != 0 {
		t.Errorf("got %+v, sent %d", got, len(r.Messages()))
	}
}

func TestTest_OfAnEndpointThatHangsEndsByTimeout(t *testing.T) {
	b := setup(t)
	end := make(chan struct{})
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int { <-end; return http.StatusOK })
	t.Cleanup(func() { close(end) })
	h, _ := b.Hook(r.URL)
	b.Use(func(c *hook.Config) {
		c.Sender = sending.New(hooktest.Loopback.Transport(egress.Options{}),
			sending.Config{Timeout: 100 * time.Millisecond})
	})
	if got := b.test(h, ""); got.Fault != sending.Timeout || got.Took < 100*time.Millisecond ||
		!strings.HasPrefix(got.Detail, "No complete answer within 100ms") {
		t.Errorf("got %+v", got)
	}
}

func TestTest_TwoTestsOfAHookRunAtATime(t *testing.T) {
	b := setup(t)
	arrived, end := make(chan struct{}, 10), make(chan struct{})
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		arrived <- struct{}{}
		<-end
		return http.StatusOK
	})
	h, _ := b.Hook(r.URL)
	other, _ := b.Hook(r.URL)
	var tests sync.WaitGroup
	for _, of := range []hook.Hook{h, h, other} {
		tests.Go(func() {
			if _, err := b.Service.Test(b.Ctx, of.ID, nil, ""); err != nil {
				t.Errorf("a test: %v", err)
			}
		})
	}
	for range 3 {
		<-arrived
	}
	sample := b.Sample
	b.Sample = func(context.Context, *uuid.UUID) (item.Document, error) {
		t.Error("the third test reads an item before it is refused")
		return item.Document{}, nil
	}
	if _, err := b.Service.Test(b.Ctx, h.ID, nil, ""); !problem.Is(err, problem.TooManyRequests) {
		t.Errorf("the third test: %v", err)
	}
	b.Sample = sample
	close(end)
	tests.Wait()
	b.test(h, "")
}

// A client that disconnects frees its place for other tests.
func TestTest_ADisconnectedClientEndsItsTest(t *testing.T) {
	b := setup(t)
	arrived, end := make(chan struct{}, 10), make(chan struct{})
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		arrived <- struct{}{}
		<-end
		return http.StatusOK
	})
	t.Cleanup(func() { close(end) })
	h, _ := b.Hook(r.URL)
	for range hook.MaxTestsPerHook + 1 {
		ctx, cancel := context.WithCancel(b.Ctx)
		done := make(chan error, 1)
		go func() { _, err := b.Service.Test(ctx, h.ID, nil, ""); done <- err }()
		<-arrived
		cancel()
		if err := <-done; err == nil || problem.Is(err, problem.TooManyRequests) {
			t.Errorf("got %v", err)
		}
	}
}
