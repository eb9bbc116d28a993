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

// Interest is the part of a hook's settings that selects changes.
type Interest struct {
	Hook, Account uuid.UUID
	Events        []string
	ChangedFields []string
	Filter        []byte // as stored
	UpdatedAt     time.Time
}

// includes reports whether the hook asks for a change, before its filter is applied. A trigger that names its
// targets is for exactly those.
func (i Interest) includes(c *change.Change) bool {
	switch {
	case c.AccountID != i.Account:
		return false
	case c.Kind == change.Triggered && c.Targets != nil:
		return slices.Contains(c.Targets, i.Hook)
	case !slices.Contains(i.Events, EventOf(c.Kind)):
		return false
	case c.Kind == change.Updated && i.ChangedFields != nil:
		return slices.ContainsFunc(c.ChangedFields, func(field string) bool {
			return slices.Contains(i.ChangedFields, field)
		})
	}
	return true
}

// Matchers select the changes that hooks ask for. They cache compiled filters. Their methods may be called
// concurrently.
type Matchers struct {
	pool *pgxpool.Pool

	mu       sync.Mutex
	compiled map[uuid.UUID]compiledFilter // by hook
}

type compiledFilter struct {
	updatedAt  time.Time // of the hook: a filter is compiled again when its hook changes
	matcher    *item.Matcher
	compiledAt time.Time
}

// maxFilterAge bounds how long a compiled filter is used: the metadata fields that it names can be deleted.
const maxFilterAge = time.Minute

// NewMatchers makes Matchers without any filter.
func NewMatchers(pool *pgxpool.Pool) *Matchers {
	return &Matchers{pool: pool, compiled: make(map[uuid.UUID]compiledFilter)}
}

// Wanted returns those of the changes that the hook asks for. An update passes a filter when the item matches before
// or after it: a receiver that mirrors the matching items must learn which ones no longer match. Error:
// INVALID_INPUT when the filter names a metadata field that no longer exists (StaleFilter).
func (m *Matchers) Wanted(
	ctx context.Context, i Interest, changes []*change.Change, items *DecodedItems,
) ([]*change.Change, error) {
	var included []*change.Change
	for _, c := range changes {
		if i.includes(c) {
			included = append(included, c)
		}
	}
	if i.Filter == nil || len(included) == 0 {
		return included, nil
	}
	matcher, err := m.matcher(ctx, i)
	if err != nil {
		return nil, err
	}
	var wanted []*change.Change
	for _, c := range included {
		versions := items.of(c)
		if matcher.Match(versions.After()) || c.Kind == change.Updated && matcher.Match(versions.Before()) {
			wanted = append(wanted, c)
		}
	}
	return wanted, nil
}

// matcher returns the compiled filter of a hook.
func (m *Matchers) matcher(ctx context.Context, i Interest) (*item.Matcher, error) {
	m.mu.Lock()
	known, ok := m.compiled[i.Hook]
	m.mu.Unlock()
	if ok && known.updatedAt.Equal(i.UpdatedAt) && time.Since(known.compiledAt) < maxFilterAge {
		return known.matcher, nil
	}
	filter, err := item.ParseFilter(i.Filter)
	if err != nil {
		return nil, err
	}
	made := compiledFilter{updatedAt: i.UpdatedAt, compiledAt: time.Now()}
	if made.matcher, err = item.NewMatcher(ctx, m.pool, i.Account, *filter); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, old := range m.compiled { // of deleted hooks
		if time.Since(old.compiledAt) > 2*maxFilterAge {
			delete(m.compiled, id)
		}
	}
	m.compiled[i.Hook] = made
	return made.matcher, nil
}

// StaleFilter returns the reason when err is that a hook's filter can no longer be applied, and else "".
func StaleFilter(err error) (reason string) {
	if !problem.Is(err, problem.InvalidInput) {
		return ""
	}
	fault := problem.Of(err).Faults[0]
	return fmt.Sprintf("The filter can no longer be applied: %s %s.", fault.Parameter, fault.Detail)
}
