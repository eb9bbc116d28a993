package item

import (
	"context"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

// Sight is what an actor sees of an account's items: those that no workflow profile hides from the actor's role and,
// with an access token, those that match the token's filter. For the actor, the other items do not exist. Every exit
// and every write applies it:
//
//	an item, or its document       includes, shows   read.go, write.go, revise.go
//	a list, a count, the tags      narrow            narrow.go
//	a change, in history or live   View              view.go
//
// In statements, the function hidden_profiles (sql/migrations) applies the role's part. A Sight is immutable.
type Sight struct {
	account uuid.UUID
	role    *uuid.UUID // nil: no profile hides anything
	filter  *Matcher   // of the token; nil: every item matches
}

var errOutOfSight = problem.New(problem.Forbidden, "Your access token is limited to items that match its filter, and "+
	"after this write the item would not match. Keep it within the filter, or use a token without that limit.")

// SightOf returns what an actor sees. Error: FORBIDDEN if the token's filter names a metadata field that no longer
// exists.
func SightOf(ctx context.Context, pool *pgxpool.Pool, actor account.Actor) (Sight, error) {
	return sightOf(actor, func() (*Matcher, error) { return tokenFilter(ctx, pool, actor) })
}

// sightOf calls compile if the actor has a token with a filter.
func sightOf(actor account.Actor, compile func() (*Matcher, error)) (s Sight, err error) {
	s = Sight{account: actor.AccountID, role: actor.RoleParam()}
	if actor.Token != nil && actor.Token.Filter != "" {
		s.filter, err = compile()
	}
	return s, err
}

// sightFrom returns what the actor of ctx sees. Needs items.view. Errors: those of account.Authorize and SightOf.
func (s *Service) sightFrom(ctx context.Context) (Sight, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return Sight{}, err
	}
	return s.sights.of(ctx, actor)
}

// tokenFilter compiles the filter of the actor's token.
func tokenFilter(ctx context.Context, pool *pgxpool.Pool, actor account.Actor) (*Matcher, error) {
	filter, err := ParseFilter([]byte(actor.Token.Filter))
	if err != nil {
		return nil, err
	}
	matcher, err := NewMatcher(ctx, pool, actor.AccountID, *filter)
	if problem.Is(err, problem.InvalidInput) {
		fault := problem.Of(err).Faults[0]
		return nil, problem.New(problem.Forbidden, "The filter of your access token can no longer be applied: %s %s. "+
			"Ask the token's owner to change its filter.", fault.Parameter, fault.Detail)
	}
	return matcher, err
}

// isWhole reports whether no token narrows the sight.
func (s Sight) isWhole() bool { return s.filter == nil }

// includes reports whether an item matches the token's filter.
func (s Sight) includes(i *Item) bool { return s.isWhole() || s.filter.Match(i) }

// shows reports whether the item of a document matches the token's filter.
func (s Sight) shows(document []byte) bool {
	if s.isWhole() {
		return true
	}
	i, err := Decode(document)
	return err == nil && s.filter.Match(i)
}

// admit returns FORBIDDEN if a write would make an item that the actor does not see.
func (s Sight) admit(after *Item) error {
	if s.includes(after) {
		return nil
	}
	return errOutOfSight
}

// maxFilters is the number of compiled filters that a node keeps.
const maxFilters = 1000

// maxFilterAge bounds how long a compiled filter is used that names metadata fields: those can be deleted.
const maxFilterAge = time.Second

// sights caches the compiled filters of tokens. It may be used concurrently.
type sights struct {
	pool    *pgxpool.Pool
	filters *lru.Cache[sightKey, compiledFilter]
}

type sightKey struct {
	account uuid.UUID
	filter  string
}

type compiledFilter struct {
	*Matcher
	compiledAt time.Time
}

func newSights(pool *pgxpool.Pool) sights {
	filters, err := lru.New[sightKey, compiledFilter](maxFilters)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return sights{pool, filters}
}

// of is SightOf with the cache.
func (c sights) of(ctx context.Context, actor account.Actor) (Sight, error) {
	return sightOf(actor, func() (*Matcher, error) { return c.filter(ctx, actor) })
}

func (c sights) filter(ctx context.Context, actor account.Actor) (*Matcher, error) {
	key := sightKey{actor.AccountID, actor.Token.Filter}
	known, ok := c.filters.Get(key)
	if ok && (known.metadata == nil || time.Since(known.compiledAt) < maxFilterAge) {
		return known.Matcher, nil
	}
	compiledAt := time.Now()
	filter, err := tokenFilter(ctx, c.pool, actor)
	if err == nil {
		c.filters.Add(key, compiledFilter{filter, compiledAt})
	}
	return filter, err
}
