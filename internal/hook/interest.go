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

// Interest is what a hook wants to be sent.
type Interest struct {
	Hook, Account uuid.UUID
	Events        []string
	ChangedFields []string
	Filter        []byte // as stored
	UpdatedAt     time.Time
}

// asksFor reports whether the hook wants such a change, its filter left aside. A trigger that names its targets is for exactly those.
func (i Interest) asksFor(c *change.Change) bool {
	switch {
	case c.AccountID != i.Account:
		return false
	case c.Kind == change.Triggered && c.Targets != nil:
		return slices.Contains(c.Targets, i.Hook)
	case !slices.Contains(i.Events, events[c.Kind]):
		return false
	case c.Kind == change.Updated && i.ChangedFields != nil:
		return slices.ContainsFunc(c.ChangedFields, func(field string) bool { return slices.Contains(i.ChangedFields, field) })
	}
	return true
}

// Matchers tell which changes hooks want. It remembers the matchers that it has made of their filters. Its methods may be called concurrently.
type Matchers struct {
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

func NewMatchers(pool *pgxpool.Pool) *Matchers {
	return &Matchers{pool: pool, matchers: make(map[uuid.UUID]matcherOf)}
}

// Wanted returns those of the changes that a hook wants. A filter lets an update pass when the item matches before it or after it: who mirrors
// what matches must learn of what matches no more. Error: INVALID_INPUT when the filter names a metadata field that there is no more.
func (j *Matchers) Wanted(ctx context.Context, i Interest, changes []*change.Change, decoded *Decoded) ([]*change.Change, error) {
	var asked []*change.Change
	for _, c := range changes {
		if i.asksFor(c) {
			asked = append(asked, c)
		}
	}
	if i.Filter == nil || len(asked) == 0 {
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

func (j *Matchers) matcher(ctx context.Context, i Interest) (*item.Matcher, error) {
	j.mu.Lock()
	known, ok := j.matchers[i.Hook]
	j.mu.Unlock()
	if ok && known.updatedAt.Equal(i.UpdatedAt) && time.Since(known.madeAt) < matcherFor {
		return known.matcher, nil
	}
	filter, err := decodeFilter(i.Filter)
	if err != nil {
		return nil, err
	}
	made := matcherOf{updatedAt: i.UpdatedAt, madeAt: time.Now()}
	if made.matcher, err = filter.matcher(ctx, j.pool, i.Account); err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for id, old := range j.matchers { // of hooks that are gone
		if time.Since(old.madeAt) > 2*matcherFor {
			delete(j.matchers, id)
		}
	}
	j.matchers[i.Hook] = made
	return made.matcher, nil
}

// StaleFilter returns why a hook's filter can be applied no more; empty when that is not what err says.
func StaleFilter(err error) string {
	if !problem.Is(err, problem.InvalidInput) {
		return ""
	}
	fault := problem.Of(err).Faults[0]
	return fmt.Sprintf("Its filter cannot be applied any more: %s %s.", fault.Parameter, fault.Detail)
}

// Decoded are the items of changes, decoded once for however many filters look at them. It is for one goroutine.
type Decoded struct{ after, earlier map[*change.Change]*item.Item }

func NewDecoded() *Decoded {
	return &Decoded{after: make(map[*change.Change]*item.Item), earlier: make(map[*change.Change]*item.Item)}
}

func (d *Decoded) now(c *change.Change) (*item.Item, error) {
	return remember(d.after, c, func() (*item.Item, error) { return item.Decode(c.Document) })
}

func (d *Decoded) before(c *change.Change) (*item.Item, error) {
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
