package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// source renders the kind and revision of what passes a filter, and counts how often it is opened and rendered.
type source struct {
	Source
	opened, rendered atomic.Int64
}

func (b *bundle) source(key string, filter *item.Filter) *source {
	s := &source{}
	s.Source = Source{Key: key, Open: func(ctx context.Context, after string) (*Subscription, Render, error) {
		s.opened.Add(1)
		subscription, err := b.hub.Subscribe(ctx, after, filter, nil)
		return subscription, func(e *Event) ([]byte, error) {
			s.rendered.Add(1)
			return fmt.Appendf(nil, "%s %d", e.Kind, e.Revision), nil
		}, err
	}}
	return s
}

func (b *bundle) follow(s *source, after string) *Follower {
	b.t.Helper()
	f, err := b.hub.Follow(b.ctx, s.Source, after)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(f.Close)
	return f
}

// take reads messages until there are n.
func (b *bundle) take(f *Follower, n int) (messages []Message) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	for len(messages) < n {
		more, err := f.Next(ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		messages = append(messages, more...)
	}
	return messages
}

// awaitPublished waits until a follower's stream has published the message at a position.
func (b *bundle) awaitPublished(f *Follower, p change.Position) {
	b.t.Helper()
	for end := time.After(timeout); ; {
		f.stream.mu.RLock()
		examined, moved := f.stream.examined, f.stream.moved
		f.stream.mu.RUnlock()
		if examined >= p {
			return
		}
		select {
		case <-moved:
		case <-end:
			b.t.Fatalf("the stream stands at position %d, want %d", examined, p)
		}
	}
}

func bodies(messages []Message) string {
	var all []string
	for _, m := range messages {
		all = append(all, string(m.Body))
	}
	return strings.Join(all, ", ")
}

func TestStream_RendersOnceForAllAndEndsWithTheLast(t *testing.T) {
	b := setup(t)
	s := b.source("one", nil)
	followers := make([]*Follower, 20)
	for i := range followers {
		followers[i] = b.follow(s, "")
	}
	id := b.create(`{"name":"0"}`)
	for n := range 9 {
		b.patch(id, fmt.Sprintf(`{"name":"%d"}`, n+1))
	}
	var all sync.WaitGroup
	var first []Message
	for i, f := range followers {
		all.Go(func() {
			messages := b.take(f, 10)
			got := bodies(messages)
			if !strings.HasPrefix(got, "CREATED 1, UPDATED 2, ") || !strings.HasSuffix(got, ", UPDATED 10") {
				t.Errorf("follower %d got %s", i, got)
			}
			if i == 0 {
				first = messages
			}
		})
	}
	all.Wait()
	if s.opened.Load() != 1 || s.rendered.Load() != 10 {
		t.Errorf("opened %d times, rendered %d times", s.opened.Load(), s.rendered.Load())
	}
	// A follower that resumes soon gets what the stream retains.
	back := b.follow(s, first[3].Cursor)
	if got := bodies(b.take(back, 6)); got != bodies(first[4:]) || s.rendered.Load() != 10 {
		t.Errorf("resumed with %s; rendered %d", got, s.rendered.Load())
	}
	for _, f := range append(followers, back) {
		f.Close()
	}
	if _, streams, _ := b.hub.count(); streams != 0 {
		t.Error("the stream outlives its followers")
	}
}

func TestStream_AFollowerThatIsBehindReadsTheLogAndRejoins(t *testing.T) {
	b := setup(t)
	s := b.source("one", nil)
	start := b.hub.Present()
	slow, fast := b.follow(s, ""), b.follow(s, "")
	const changes = maxMessages + 200
	id := b.create(`{"name":"0"}`)
	for n := 1; n < changes; n++ {
		b.patch(id, fmt.Sprintf(`{"name":"%d"}`, n))
	}
	b.awaitPublished(fast, changes) // now the stream has dropped the first changes, and neither follower has read any
	want := bodies(b.take(fast, changes))
	if got := bodies(b.take(slow, changes)); got != want {
		t.Error("the slow follower got other messages")
	}
	if slow.reader != nil || b.hub.behind.Load() != 0 {
		t.Error("the slow follower has not rejoined the stream")
	}
	if s.opened.Load() != 3 { // by the stream, and by a reader for each follower
		t.Errorf("opened %d times", s.opened.Load())
	}
	late := b.follow(s, start)
	if got := bodies(b.take(late, changes)); got != want {
		t.Error("the late follower got other messages")
	}
	b.patch(id, `{"name":"last"}`)
	for _, f := range []*Follower{slow, fast, late} {
		if got := bodies(b.take(f, 1)); got != fmt.Sprintf("UPDATED %d", changes+1) {
			t.Errorf("then %s", got)
		}
	}
}

func TestStream_ProgressesPastWhatIsFilteredOut(t *testing.T) {
	b := setup(t)
	f := b.follow(b.source("news", &item.Filter{Tags: []string{"news"}}), "")
	start := f.position
	id := b.create(`{"name":"n"}`)
	waiting, end := context.WithTimeout(b.ctx, timeout)
	defer end()
	for f.position == start { // no message comes, so Next returns when its context ends
		short, cancel := context.WithTimeout(waiting, 50*time.Millisecond)
		messages, err := f.Next(short)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || waiting.Err() != nil {
			t.Fatalf("got %s, %v, and the cursor did not move", bodies(messages), err)
		}
	}
	b.patch(id, `{"tags":["news"]}`)
	if got := bodies(b.take(f, 1)); got != "ENTERED 2" {
		t.Errorf("got %s", got)
	}
}

func TestStream_AFailedSourceLeavesNoStream(t *testing.T) {
	b := setup(t)
	bad := b.source("bad", &item.Filter{Metadata: map[string]string{"none": "x"}})
	for range 2 {
		if _, err := b.hub.Follow(b.ctx, bad.Source, ""); !problem.Is(err, problem.InvalidInput) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := b.hub.Follow(b.ctx, bad.Source, "nonsense"); !problem.Is(err, problem.InvalidCursor) {
		t.Errorf("got %v", err)
	}
	if _, streams, _ := b.hub.count(); streams != 0 || bad.opened.Load() != 2 {
		t.Errorf("%d streams, opened %d times", streams, bad.opened.Load())
	}
}

func TestStream_RetainsAtMostItsLimit(t *testing.T) {
	b := setup(t)
	big := b.source("big", nil)
	open := big.Open
	big.Open = func(ctx context.Context, after string) (*Subscription, Render, error) {
		subscription, _, err := open(ctx, after)
		return subscription, func(*Event) ([]byte, error) { return bytes.Repeat([]byte("x"), maxBytes/3), nil }, err
	}
	f := b.follow(big, "")
	id := b.create(`{"name":"0"}`)
	for n := range 9 {
		b.patch(id, fmt.Sprintf(`{"name":"%d"}`, n+1))
	}
	for received := 0; received < 10; {
		received += len(b.take(f, 1))
	}
	if kept := b.hub.bytes.Load(); kept > maxBytes {
		t.Errorf("retains %d bytes", kept)
	}
	f.Close()
}

func TestHub_LimitsTheConnectionsOfAUser(t *testing.T) {
	b := setup(t)
	actor := b.actor()
	var release []func()
	for range 10 {
		one, err := b.hub.Admit(actor)
		if err != nil {
			t.Fatal(err)
		}
		release = append(release, one)
	}
	if _, err := b.hub.Admit(actor); !problem.Is(err, problem.TooManyRequests) {
		t.Errorf("got %v", err)
	}
	actor.Token = &account.Token{ID: uuid.New()}
	one, err := b.hub.Admit(actor)
	if err != nil {
		t.Fatalf("an access token has no connections of its own: %v", err)
	}
	for _, one := range append(release, one) {
		one()
	}
	if connections, _, _ := b.hub.count(); connections != 0 {
		t.Errorf("%d connections are still counted", connections)
	}
}

func TestHub_LimitsTheDistinctSubscriptionsOfAUser(t *testing.T) {
	b := setup(t)
	var all []*Follower
	for n := range 10 {
		all = append(all, b.follow(b.source(fmt.Sprint(n), nil), ""), b.follow(b.source(fmt.Sprint(n), nil), ""))
	}
	if _, err := b.hub.Follow(b.ctx, b.source("more", nil).Source, ""); !problem.Is(err, problem.TooManyRequests) {
		t.Errorf("got %v", err)
	}
	for _, f := range all {
		f.Close()
	}
	b.follow(b.source("more", nil), "")
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	if len(b.hub.opened) != 1 || b.hub.opened[b.actor().UserID] != 1 {
		t.Errorf("counted: %v", b.hub.opened)
	}
}
