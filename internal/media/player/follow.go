package player

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/problem"
	"itemcast/internal/wake"
)

const (
	// maxFollowers limits the pages of one node that wait for a change. Anybody may open one.
	maxFollowers = 5000

	followBatch = 1000 // changes
)

// followers are the pages that wait for changes of an item. One reader of the log serves them all, and only while there
// are some.
type followers struct {
	feed    *change.Feed
	arrived wake.Signal

	mu       sync.Mutex
	count    int
	of       map[uuid.UUID]map[wake.Signal]bool
	position change.Position // of the log, up to which they have been told
}

func newFollowers(feed *change.Feed) followers {
	return followers{feed: feed, arrived: wake.New(), of: map[uuid.UUID]map[wake.Signal]bool{}}
}

// Follow returns a channel that receives after changes of an item, also of one that the caller may not see. No change
// is missed that is committed after the call. Call stop at the end. Error: TOO_MANY_REQUESTS.
func (f *followers) Follow(item uuid.UUID) (changed <-chan struct{}, stop func(), err error) {
	signal := wake.New()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == maxFollowers {
		return nil, nil, problem.New(problem.TooManyRequests, "Too many pages wait for changes. Try again in a minute.")
	}
	if f.count == 0 {
		f.position = f.feed.Head()
		f.arrived.Send()
	}
	f.count++
	if f.of[item] == nil {
		f.of[item] = map[wake.Signal]bool{}
	}
	f.of[item][signal] = true
	return signal, func() { f.leave(item, signal) }, nil
}

func (f *followers) leave(item uuid.UUID, signal wake.Signal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.of[item][signal] {
		return
	}
	f.count--
	delete(f.of[item], signal)
	if len(f.of[item]) == 0 {
		delete(f.of, item)
	}
}

// Run tells the followers of changes, until ctx ends.
func (f *followers) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.arrived:
		}
		for f.step(ctx) {
		}
	}
}

// step waits for changes and tells of them. It reports whether there are followers left.
func (f *followers) step(ctx context.Context) bool {
	f.mu.Lock()
	position, some := f.position, f.count > 0
	f.mu.Unlock()
	if !some || f.feed.Wait(ctx, position) != nil {
		return false
	}
	changes, err := f.feed.Read(ctx, position, followBatch)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil { // they look for themselves
		f.position = f.feed.Head()
		for _, signals := range f.of {
			tell(signals)
		}
		return true
	}
	for _, c := range changes {
		tell(f.of[c.ItemID])
		f.position = c.Position
	}
	return true
}

func tell(signals map[wake.Signal]bool) {
	for signal := range signals {
		signal.Send()
	}
}
