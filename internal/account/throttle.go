package account

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/expirable"

	"itemcast/internal/problem"
)

// How many sign-ins may fail. One who mistypes never notices; one who tries a list of passwords gets through some hundred a day.
const (
	freeFailures = 5                // of a user from an address, before the first wait
	longestWait  = 15 * time.Minute // of a user from an address; waits double

	knownWait     = 5 * time.Second // the longest where that user has signed in from that address lately,
	knownFailures = 20              // after which waits double there too

	addressBurst, addressEvery = 30, 10 * time.Second // failures from an address, whatever the users
	userBurst, userEvery       = 100, time.Minute     // failures of a user, whatever the addresses,
	firstTries                 = 3                    // beside these, from each address

	changeBurst, changeEvery = 10, 20 * time.Second // attempts of a user at another password, right or wrong: each costs two hashes

	rememberFailures = 24 * time.Hour
	rememberSuccess  = 30 * 24 * time.Hour
	rememberPlaces   = 20_000 // of each kind; the oldest are forgotten first
	tellEvery        = time.Minute
)

// throttle slows down who guesses passwords, and nobody else. Attempts are counted before they are made, so that many at once do not get past
// it, and given back when they succeed. It makes no difference between users who exist and who do not.
//
// An owner is not locked out by others' failures: whoever is signed in is not asked here at all; nor is a password that was right lately;
// where a user signed in lately, only failures of that user from that very address count, and cost seconds until they are many; and from
// anywhere else, a user's first tries do not wait for those from other addresses. What is counted is this node's.
type throttle struct {
	now func() time.Time

	mu        sync.Mutex
	pairs     *expirable.LRU[string, *failures] // by user and address
	addresses *expirable.LRU[string, *bucket]
	users     *expirable.LRU[string, *bucket]
	changes   *expirable.LRU[string, *bucket]    // by the user's id
	places    *expirable.LRU[string, struct{}]   // users and addresses that went together
	proven    *expirable.LRU[[32]byte, struct{}] // digests of credentials that were right
}

func newThrottle() *throttle {
	return &throttle{now: time.Now,
		pairs:     expirable.NewLRU[string, *failures](rememberPlaces, nil, rememberFailures),
		addresses: expirable.NewLRU[string, *bucket](rememberPlaces, nil, rememberFailures),
		users:     expirable.NewLRU[string, *bucket](rememberPlaces, nil, rememberFailures),
		changes:   expirable.NewLRU[string, *bucket](rememberPlaces, nil, rememberFailures),
		places:    expirable.NewLRU[string, struct{}](rememberPlaces, nil, rememberSuccess),
		proven:    expirable.NewLRU[[32]byte, struct{}](rememberPlaces, nil, rememberFailures),
	}
}

// failures are those of a user from an address, one after the other.
type failures struct {
	n     int
	until time.Time
	told  time.Time // when a refusal was last noted
}

// wait is how long the next attempt has to wait after n failures.
func (f *failures) wait(known bool) time.Duration {
	if known {
		return max(min(knownWait, doubled(f.n-freeFailures)), doubled(f.n-knownFailures))
	}
	return doubled(f.n - freeFailures)
}

// doubled is a second that has doubled n times.
func doubled(n int) time.Duration {
	switch {
	case n < 0:
		return 0
	case n < 10:
		return min(longestWait, time.Second<<n)
	}
	return longestWait
}

// bucket holds tokens; each attempt takes one, and one comes back at a time.
type bucket struct {
	tokens float64
	at     time.Time
	told   time.Time // when a refusal was last noted
}

func (b *bucket) fill(now time.Time, burst int, every time.Duration) {
	b.tokens = min(float64(burst), b.tokens+float64(now.Sub(b.at))/float64(every))
	b.at = now
}

func (b *bucket) wait(every time.Duration) time.Duration {
	if b.tokens >= 1 {
		return 0
	}
	return time.Duration((1 - b.tokens) * float64(every))
}

// find returns what is kept under a key, else fresh, which it does not keep: whoever is refused leaves nothing here that others have to make
// room for.
func find[V any](all *expirable.LRU[string, *V], key string, fresh V) *V {
	if v, ok := all.Get(key); ok {
		return v
	}
	return &fresh
}

// attempt is one that has begun.
type attempt struct {
	throttle *throttle
	pair     string // address and user
	digest   [32]byte
	counted  bool
	took     []*bucket // a token each
}

// take takes a token, and keeps the bucket.
func (a *attempt) take(all *expirable.LRU[string, *bucket], key string, b *bucket) {
	b.tokens--
	all.Add(key, b)
	a.took = append(a.took, b)
}

// begin counts an attempt, or refuses it. First says that it is the first in a minute that is refused for the same reason. Error:
// TOO_MANY_REQUESTS, with when to try again.
func (t *throttle) begin(email, address string, digest [32]byte) (a *attempt, first bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, user, place := t.now(), strings.ToLower(email), network(address)
	a = &attempt{throttle: t, pair: place + " " + user, digest: digest}
	if _, proven := t.proven.Get(digest); proven {
		return a, false, nil
	}
	_, known := t.places.Get(a.pair)
	pair := find(t.pairs, a.pair, failures{})
	ofPlace := find(t.addresses, place, bucket{tokens: addressBurst, at: now})
	ofUser := find(t.users, user, bucket{tokens: userBurst, at: now})
	ofPlace.fill(now, addressBurst, addressEvery)
	ofUser.fill(now, userBurst, userEvery)
	wait, told := pair.until.Sub(now), &pair.told
	if w := ofPlace.wait(addressEvery); !known && w > wait {
		wait, told = w, &ofPlace.told
	}
	if w := ofUser.wait(userEvery); !known && pair.n >= firstTries && w > wait {
		wait, told = w, &ofUser.told
	}
	if wait > 0 {
		if first = now.Sub(*told) >= tellEvery; first {
			*told = now
		}
		return nil, first, tooMany("Too many sign-ins have failed", wait)
	}
	a.counted = true
	pair.n++
	pair.until = now.Add(pair.wait(known))
	t.pairs.Add(a.pair, pair)
	if !known {
		a.take(t.addresses, place, ofPlace)
	}
	if !known && ofUser.wait(userEvery) == 0 { // it is not one of the first tries, which are let through without
		a.take(t.users, user, ofUser)
	}
	return a, false, nil
}

// succeed gives back what the attempt took, and remembers the place. Fresh says that the user has not come from there of late.
func (a *attempt) succeed() (fresh bool) {
	t := a.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	a.refund()
	t.pairs.Remove(a.pair)
	_, known := t.places.Get(a.pair)
	t.places.Add(a.pair, struct{}{})
	t.proven.Add(a.digest, struct{}{})
	return !known
}

// undo makes the attempt none: it came to no answer.
func (a *attempt) undo() {
	t := a.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	a.refund()
	if one, ok := t.pairs.Get(a.pair); ok && a.counted && one.n > 0 {
		one.n--
		one.until = time.Time{}
	}
}

// fail leaves counted what was, and takes from the credentials what they have proven before.
func (a *attempt) fail() {
	a.throttle.mu.Lock()
	defer a.throttle.mu.Unlock()
	a.throttle.proven.Remove(a.digest)
}

func (a *attempt) refund() {
	for _, b := range a.took {
		b.tokens++
	}
}

// change counts an attempt of a user at setting another password. Error: TOO_MANY_REQUESTS, with when to try again.
func (t *throttle) change(user uuid.UUID) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	b := find(t.changes, user.String(), bucket{tokens: changeBurst, at: now})
	b.fill(now, changeBurst, changeEvery)
	if wait := b.wait(changeEvery); wait > 0 {
		return tooMany("You have tried to change your password too often", wait)
	}
	b.tokens--
	t.changes.Add(user.String(), b)
	return nil
}

func tooMany(what string, wait time.Duration) error {
	e := &problem.Error{Code: problem.TooManyRequests, RetryAfter: wait}
	e.Detail = fmt.Sprintf("%s; try again in %s s.", what, e.RetrySeconds())
	return e
}
