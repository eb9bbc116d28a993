package hook

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// interest is what a hook wants to be sent.
type interest struct {
	hook, account uuid.UUID
	events        []string
	changedFields []string
	filter        []byte // as stored
	updatedAt     time.Time
}

// asksFor reports whether the hook wants such a change, its filter left aside. A trigger that names its targets is for exactly those.
func (i interest) asksFor(c *change.Change) bool {
	switch {
	case c.AccountID != i.account:
		return false
	case c.Kind == change.Triggered && c.Targets != nil:
		return slices.Contains(c.Targets, i.hook)
	case !slices.Contains(i.events, events[c.Kind]):
		return false
	case c.Kind == change.Updated && i.changedFields != nil:
		return slices.ContainsFunc(c.ChangedFields, func(field string) bool { return slices.Contains(i.changedFields, field) })
	}
	return true
}

// judge tells which changes hooks want. It remembers the matchers that it has made of their filters. Its methods may be called concurrently.
type judge struct {
	pool *pgxpool.Pool

	mu       sync.Mutex
	matchers map[uuid.UUID]matcherOf // by hook
}

type matcherOf struct {
	updatedAt time.Time // of the hook: a matcher is made anew when its hook changes
	matcher   *item.Matcher
	madeAt    time.Time
}

// matcherFor bounds how long a matcher is kept: the fields that it names may go.
const matcherFor = time.Minute

func newJudge(pool *pgxpool.Pool) *judge {
	return &judge{pool: pool, matchers: make(map[uuid.UUID]matcherOf)}
}

// wanted returns those of the changes that a hook wants. A filter lets an update pass when the item matches before it or after it: who mirrors
// what matches must learn of what matches no more. Error: INVALID_INPUT when the filter names a metadata field that there is no more.
func (j *judge) wanted(ctx context.Context, i interest, changes []*change.Change, decoded *decoded) ([]*change.Change, error) {
	var asked []*change.Change
	for _, c := range changes {
		if i.asksFor(c) {
			asked = append(asked, c)
		}
	}
	if i.filter == nil || len(asked) == 0 {
		return asked, nil
	}
	matcher, err := j.matcher(ctx, i)
	if err != nil {
		return nil, err
	}
	passes, err := matchAll(ctx, matcher, asked, decoded.now)
	if err != nil {
		return nil, err
	}
	var updates []*change.Change // that do not match after the change
	for n, c := range asked {
		if !passes[n] && c.Kind == change.Updated {
			updates = append(updates, c)
		}
	}
	matched, err := matchAll(ctx, matcher, updates, decoded.before)
	if err != nil {
		return nil, err
	}
	var wanted []*change.Change
	for n, c := range asked {
		if at := slices.Index(updates, c); passes[n] || at >= 0 && matched[at] {
			wanted = append(wanted, c)
		}
	}
	return wanted, nil
}

func matchAll(ctx context.Context, m *item.Matcher, changes []*change.Change, state func(*change.Change) (*item.Item, error)) ([]bool, error) {
	items := make([]*item.Item, len(changes))
	for n, c := range changes {
		var err error
		if items[n], err = state(c); err != nil {
			return nil, err
		}
	}
	return m.MatchAll(ctx, items)
}

func (j *judge) matcher(ctx context.Context, i interest) (*item.Matcher, error) {
	j.mu.Lock()
	known, ok := j.matchers[i.hook]
	j.mu.Unlock()
	if ok && known.updatedAt.Equal(i.updatedAt) && time.Since(known.madeAt) < matcherFor {
		return known.matcher, nil
	}
	filter, err := decodeFilter(i.filter)
	if err != nil {
		return nil, err
	}
	made := matcherOf{updatedAt: i.updatedAt, madeAt: time.Now()}
	if made.matcher, err = filter.matcher(ctx, j.pool, i.account); err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for id, old := range j.matchers { // of hooks that are gone
		if time.Since(old.madeAt) > 2*matcherFor {
			delete(j.matchers, id)
		}
	}
	j.matchers[i.hook] = made
	return made.matcher, nil
}

// staleFilter returns why a hook's filter can be applied no more; empty when that is not what err says.
func staleFilter(err error) string {
	if !problem.Is(err, problem.InvalidInput) {
		return ""
	}
	fault := problem.Of(err).Faults[0]
	return fmt.Sprintf("Its filter cannot be applied any more: %s %s.", fault.Parameter, fault.Detail)
}

// decoded are the items of changes, decoded once for however many filters look at them. It is for one goroutine.
type decoded struct{ after, earlier map[*change.Change]*item.Item }

func newDecoded() *decoded {
	return &decoded{after: make(map[*change.Change]*item.Item), earlier: make(map[*change.Change]*item.Item)}
}

func (d *decoded) now(c *change.Change) (*item.Item, error) {
	return remember(d.after, c, func() (*item.Item, error) { return item.Decode(c.Document) })
}

func (d *decoded) before(c *change.Change) (*item.Item, error) {
	return remember(d.earlier, c, func() (*item.Item, error) { return item.Before(c.Document, c.Previous) })
}

func remember(known map[*change.Change]*item.Item, c *change.Change, decode func() (*item.Item, error)) (*item.Item, error) {
	if i, ok := known[c]; ok {
		return i, nil
	}
	i, err := decode()
	if err == nil {
		known[c] = i
	}
	return i, err
}
