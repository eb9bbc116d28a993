package signin

import (
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/expirable"

	"itemcast/internal/account"
)

const (
	cacheLifetime   = 5 * time.Minute
	maxCached       = 10_000 // actors of each kind
	maxChangedUsers = 10_000 // and as many changed tokens
)

// digest identifies credentials, a session's token or an access token's secret without revealing them.
type digest [32]byte

type (
	actors  = expirable.LRU[digest, account.Actor]
	bearers = expirable.LRU[digest, account.Bearer]
)

// cache holds the actors that were verified lately. Each change raises the generation. An actor is valid while no later
// change concerns its user, so a change of one user does not affect the others.
type cache struct {
	mu         sync.Mutex
	generation int               // number of changes so far
	everybody  int               // generation of the last change that may concern every user
	users      map[uuid.UUID]int // generation of the last change of each user, after everybody
	ended      map[uuid.UUID]int // generation at which a session of each user last ended, after everybody
	changed    map[uuid.UUID]int // generation of the last change of each access token, after everybody
	basic      *actors           // by the digest of address and password
	sessions   *actors           // by the hash of the token
	bearers    *bearers          // by the hash of the secret
}

func newCache() *cache {
	return &cache{users: map[uuid.UUID]int{}, ended: map[uuid.UUID]int{}, changed: map[uuid.UUID]int{},
		basic:    expirable.NewLRU[digest, account.Actor](maxCached, nil, cacheLifetime),
		sessions: expirable.NewLRU[digest, account.Actor](maxCached, nil, cacheLifetime),
		bearers:  expirable.NewLRU[digest, account.Bearer](maxCached, nil, cacheLifetime)}
}

// get returns the actor under a key of c.basic or c.sessions. Without a valid one, ok is false, and generation is
// that of an actor that is read from now on.
func (c *cache) get(from *actors, key digest) (actor account.Actor, generation int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	actor, ok = from.Get(key)
	return actor, c.generation, ok && c.validLocked(actor)
}

func (c *cache) add(to *actors, key digest, actor account.Actor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	to.Add(key, actor)
}

// bearer is get for the secret of an access token. A token that has expired since it was read is not valid.
func (c *cache) bearer(key digest, now time.Time) (found account.Bearer, generation int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok = c.bearers.Get(key)
	return found, c.generation, ok && c.validLocked(found.Actor) &&
		(found.Refusal != nil || !found.Actor.Proof.HasExpired(now))
}

func (c *cache) addBearer(key digest, found account.Bearer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bearers.Add(key, found)
}

// current returns the generation of an actor that is read from now on.
func (c *cache) current() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.generation
}

// valid reports whether no change since an actor was read concerns it.
func (c *cache) valid(actor account.Actor) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.validLocked(actor)
}

func (c *cache) validLocked(actor account.Actor) bool {
	generation := actor.Proof.Generation
	return generation >= c.everybody && generation >= c.users[actor.UserID] &&
		(actor.SessionID == uuid.Nil || generation >= c.ended[actor.UserID]) &&
		(actor.Token == nil || generation >= c.changed[actor.Token.ID])
}

func (c *cache) forgetEverybody() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgetEverybodyLocked()
}

func (c *cache) forgetEverybodyLocked() {
	c.generation++
	c.everybody = c.generation
	clear(c.users)
	clear(c.ended)
	clear(c.changed)
	c.basic.Purge()
	c.sessions.Purge()
	c.bearers.Purge()
}

func (c *cache) forgetUser(id uuid.UUID) { c.forget(c.users, id) }

func (c *cache) forgetSessions(user uuid.UUID) { c.forget(c.ended, user) }

func (c *cache) forgetToken(id uuid.UUID) { c.forget(c.changed, id) }

func (c *cache) forget(last map[uuid.UUID]int, id uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(last) >= maxChangedUsers {
		c.forgetEverybodyLocked()
		return
	}
	c.generation++
	last[id] = c.generation
}
