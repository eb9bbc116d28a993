package hook

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

func (b *bundle) test(h Hook, event string) Test {
	b.t.Helper()
	got, err := b.service.Test(b.ctx, h.ID, nil, event)
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func TestTest_TellsTheOutcomeAtOnceAndLogsNothing(t *testing.T) {
	b := setup(t)
	r, answer := b.answering(http.StatusOK)
	h, secret := b.hookOf(map[string]any{"url": r.URL, "events": []string{ItemUpdated}, "headers": map[string]string{"X-Own": "mine"}})
	got := b.test(h, "")
	m := r.awaitCount(1)[0]
	if got.Fault != "" || got.Status != http.StatusOK || got.Event != ItemUpdated || got.Revision != 7 || got.ID.String() != m.id() || got.Took <= 0 {
		t.Errorf("told %+v, sent %v", got, m.header)
	}
	if string(m.body) != string(documentOf(got.ItemID, 7)) || m.header.Get("Itemcast-Trigger") != "test" || m.header.Get("Itemcast-Event") != ItemUpdated ||
		m.header.Get("X-Own") != "mine" || m.header.Values("Itemcast-Cursor") != nil {
		t.Errorf("sent %s, %v", m.body, m.header)
	}
	verify(t, m, secret)
	if got := b.test(h, ItemDeleted); got.Event != ItemDeleted || r.awaitCount(2)[1].header.Get("Itemcast-Event") != ItemDeleted {
		t.Errorf("as an event that the hook does not ask for: %+v", got)
	}

	answer.Store(http.StatusInternalServerError)
	if got := b.test(h, ""); got.Fault != sending.Status || got.Status != http.StatusInternalServerError || got.Detail != "The answer was 500 Internal Server Error" {
		t.Errorf("of a 500, told %+v", got)
	}
	answer.Store(http.StatusGone)
	if got := b.test(h, ""); got.Fault != sending.Gone || !b.get(h).Active {
		t.Errorf("of a 410, told %+v, and the hook is %+v", got, b.get(h))
	}
	b.patch(h, `{"active":false,"body":"thin"}`)
	answer.Store(http.StatusNoContent)
	if got := b.test(h, ""); got.Fault != "" || got.Status != http.StatusNoContent {
		t.Errorf("of an inactive hook, told %+v", got)
	}
	if body := string(r.awaitCount(5)[4].body); !strings.HasPrefix(body, `{"id":"`) || !strings.HasSuffix(body, `"revision":7}`) {
		t.Errorf("thin, sent %s", body)
	}
	if got := b.get(h); len(b.states(h)) != 0 || got.LastFailureAt != nil || got.LastSuccessAt != nil || got.Pending != 0 {
		t.Errorf("it is in the log: %v, %+v", b.states(h), got)
	}
	if _, err := b.service.Test(b.ctx, h.ID, nil, "item.made"); !problem.Is(err, problem.InvalidInput) {
		t.Errorf("an event that there is not: %v", err)
	}
	if _, err := b.service.Test(b.ctx, uuid.New(), nil, ""); !problem.Is(err, problem.NotFound) {
		t.Errorf("no hook: %v", err)
	}
}

func TestTest_OfAnAddressThatMayNotBeReachedTellsTheRule(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, _ := b.hook(strings.Replace(r.URL, "127.0.0.1", "localhost", 1))
	b.service = b.newService(egress.Policy{})
	if got := b.test(h, ""); got.Fault != sending.Refused || got.Status != 0 || !strings.Contains(got.Detail, "ITEMCAST_HOOK_ALLOW_NETWORKS") || len(r.messages) != 0 {
		t.Errorf("told %+v, sent %d", got, len(r.messages))
	}
}

func TestTest_OfAnEndpointThatHangsEndsInTime(t *testing.T) {
	b := setup(t)
	end := make(chan struct{})
	r := b.receiver(func(http.ResponseWriter, message) int { <-end; return http.StatusOK })
	t.Cleanup(func() { close(end) })
	h, _ := b.hook(r.URL)
	b.service.sender = sending.New(loopback.Transport(egress.Options{}), sending.Config{Timeout: 100 * time.Millisecond})
	if got := b.test(h, ""); got.Fault != sending.Timeout || got.Took < 100*time.Millisecond || !strings.HasPrefix(got.Detail, "No complete answer within 100ms") {
		t.Errorf("told %+v", got)
	}
}

func TestTest_TwoOfAHookAtATime(t *testing.T) {
	b := setup(t)
	arrived, end := make(chan struct{}, 10), make(chan struct{})
	r := b.receiver(func(http.ResponseWriter, message) int { arrived <- struct{}{}; <-end; return http.StatusOK })
	h, _ := b.hook(r.URL)
	other, _ := b.hook(r.URL)
	var tests sync.WaitGroup
	for _, of := range []Hook{h, h, other} {
		tests.Go(func() {
			if _, err := b.service.Test(b.ctx, of.ID, nil, ""); err != nil {
				t.Errorf("a test: %v", err)
			}
		})
	}
	for range 3 {
		<-arrived
	}
	items := b.service.items
	b.service.items = sampling{sample: func(context.Context, *uuid.UUID) (item.Document, error) {
		t.Error("the third reads an item, to be refused")
		return item.Document{}, nil
	}}
	if _, err := b.service.Test(b.ctx, h.ID, nil, ""); !problem.Is(err, problem.TooManyRequests) {
		t.Errorf("the third: %v", err)
	}
	b.service.items = items
	close(end)
	tests.Wait()
	b.test(h, "")
}

// Who asks for a test and goes away leaves its turn to others.
func TestTest_ThatNobodyWaitsForIsCutOff(t *testing.T) {
	b := setup(t)
	arrived, end := make(chan struct{}, 10), make(chan struct{})
	r := b.receiver(func(http.ResponseWriter, message) int { arrived <- struct{}{}; <-end; return http.StatusOK })
	t.Cleanup(func() { close(end) })
	h, _ := b.hook(r.URL)
	for range testsAtOnce + 1 {
		ctx, cancel := context.WithCancel(b.ctx)
		done := make(chan error, 1)
		go func() { _, err := b.service.Test(ctx, h.ID, nil, ""); done <- err }()
		<-arrived
		cancel()
		if err := <-done; err == nil || problem.Is(err, problem.TooManyRequests) {
			t.Errorf("got %v", err)
		}
	}
}
