package signin

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/expirable"

	"itemcast/internal/problem"
)

// How many sign-ins may fail. A user who mistypes does not notice the limits; a client that works through a list of
// passwords can try some hundred a day.
const (
	freeFailures = 5                // of a user from an address, before the first wait
	maxWait      = 15 * time.Minute // of a user from an address; waits double

	maxKnownWait  = 5 * time.Second // instead of maxWait where the user has signed in from that address lately;
	knownFailures = 20              // after so many failures the waits double there too

	firstTries = 3 // of a user from each address, in addition to userBudget

	failureMemory     = 24 * time.Hour
	successMemory     = 30 * 24 * time.Hour
	maxRemembered     = 20_000 // entries of each kind; the least recently used go first
	refusalAuditEvery = time.Minute
)

var (
	addressBudget = size{burst: 30, refill: 10 * time.Second} // failures from an address, of all users
	userBudget    = size{burst: 100, refill: time.Minute}     // failures of a user, from all addresses
	tokenBudget   = size{burst: 30, refill: 10 * time.Second} // unknown access tokens from an address

	// changeBudget limits a user's attempts to change the password, right or wrong: each costs two hashes.
	changeBudget = size{burst: 10, refill: 20 * time.Second}
)

// throttle slows down password guessing. It counts an attempt before it is made, so that concurrent attempts do not
// get past it, and refunds one that succeeds. It treats unknown users like known ones.
//
// Failures of others do not lock an owner out:
//   - a request whose credentials or session are cached does not get here;
//   - credentials that were right lately are not counted;
//   - from an address where the user has signed in lately, only failures of that user from that address count, and cost
//     seconds until there are many;
//   - from any other address, a user's first tries do not wait for failures elsewhere.
//
// Each node counts on its own.
type throttle struct {
	now func() time.Time

	// mu guards the lists and their entries: begin reads several lists and changes them only when none refuses.
	mu        sync.Mutex
	pairs     *expirable.LRU[string, *failures] // by address and user
	addresses *budgets
	users     *budgets
	tokens    *budgets                         // by address
	changes   *budgets                         // by the user's id
	places    *expirable.LRU[string, struct{}] // addresses from which a user has signed in
	proven    *expirable.LRU[digest, struct{}] // credentials that were right
}

func newThrottle() *throttle {
	return &throttle{now: time.Now,
		pairs:     expirable.NewLRU[string, *failures](maxRemembered, nil, failureMemory),
		addresses: expirable.NewLRU[string, *budget](maxRemembered, nil, failureMemory),
		users:     expirable.NewLRU[string, *budget](maxRemembered, nil, failureMemory),
		tokens:    expirable.NewLRU[string, *budget](maxRemembered, nil, failureMemory),
		changes:   expirable.NewLRU[string, *budget](maxRemembered, nil, failureMemory),
		places:    expirable.NewLRU[string, struct{}](maxRemembered, nil, successMemory),
		proven:    expirable.NewLRU[digest, struct{}](maxRemembered, nil, failureMemory),
	}
}

// failures are consecutive ones of a user from an address. Their waits grow with each failure, which a token bucket
// cannot express.
type failures struct {
	n       int
	until   time.Time // when the next attempt is allowed
	audited time.Time // when a refusal was last recorded
}

// wait returns how long the next attempt waits after n failures.
func (f *failures) wait(known bool) time.Duration {
	if known {
		return max(min(maxKnownWait, doubled(f.n-freeFailures)), doubled(f.n-knownFailures))
	}
	return doubled(f.n - freeFailures)
}

// doubled returns a second, doubled n times, at most maxWait; 0 when n is negative.
func doubled(n int) time.Duration {
	switch {
	case n < 0:
		return 0
	case n < 10:
		return min(maxWait, time.Second<<n)
	}
	return maxWait
}

// attempt is a sign-in that has begun. The caller ends it by succeed, fail or undo. The look-up of an access token is
// an attempt without a pair.
type attempt struct {
	throttle *throttle
	pair     string // address and user
	digest   digest
	counted  bool
	took     []*budget // a token of each
}

// begin counts an attempt, or refuses it. first reports that this is the first refusal for its reason within a minute.
// Error: TOO_MANY_REQUESTS, with the time to wait.
func (t *throttle) begin(email, address string, digest digest) (a *attempt, first bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, user, place := t.now(), strings.ToLower(email), network(address)
	a = &attempt{throttle: t, pair: place + " " + user, digest: digest}
	if _, proven := t.proven.Get(digest); proven {
		return a, false, nil
	}
	_, known := t.places.Get(a.pair)
	pair, ok := t.pairs.Get(a.pair)
	if !ok {
		pair = &failures{}
	}
	ofAddress, ofUser := budgetOf(t.addresses, place, addressBudget), budgetOf(t.users, user, userBudget)
	wait, audited := pair.until.Sub(now), &pair.audited
	if w := ofAddress.wait(now); !known && w > wait {
		wait, audited = w, &ofAddress.audited
	}
	if w := ofUser.wait(now); !known && pair.n >= firstTries && w > wait {
		wait, audited = w, &ofUser.audited
	}
	if wait > 0 {
		if first = now.Sub(*audited) >= refusalAuditEvery; first {
			*audited = now
		}
		return nil, first, tooMany("Too many sign-ins have failed", wait)
	}
	a.counted = true
	pair.n++
	pair.until = now.Add(pair.wait(known))
	t.pairs.Add(a.pair, pair)
	if !known {
		a.take(t.addresses, place, ofAddress, now)
		if ofUser.wait(now) == 0 { // otherwise it is one of the first tries, which need no token
			a.take(t.users, user, ofUser, now)
		}
	}
	return a, false, nil
}

// take takes a token of a budget, and stores the budget.
func (a *attempt) take(all *budgets, key string, b *budget, now time.Time) {
	b.take(now)
	all.Add(key, b)
	a.took = append(a.took, b)
}

// succeed refunds the attempt, and remembers its place and credentials. It reports whether the place is new for the
// user.
func (a *attempt) succeed() (newPlace bool) {
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

// undo refunds an attempt that had no outcome.
func (a *attempt) undo() {
	t := a.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	a.refund()
	if pair, ok := t.pairs.Get(a.pair); ok && a.counted && pair.n > 0 {
		pair.n--
		pair.until = time.Time{}
	}
}

// fail leaves the attempt counted, and forgets that its credentials were right before.
func (a *attempt) fail() {
	a.throttle.mu.Lock()
	defer a.throttle.mu.Unlock()
	a.throttle.proven.Remove(a.digest)
}

func (a *attempt) refund() {
	now := a.throttle.now()
	for _, b := range a.took {
		b.refund(now)
	}
}

// beginChange counts an attempt of a user to set another password. Error: TOO_MANY_REQUESTS, with the time to wait.
func (t *throttle) beginChange(user uuid.UUID) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, key := t.now(), user.String()
	b := budgetOf(t.changes, key, changeBudget)
	if wait := b.wait(now); wait > 0 {
		return tooMany("You have tried to change your password too often", wait)
	}
	b.take(now)
	t.changes.Add(key, b)
	return nil
}

// beginToken counts a look-up of an access token, or refuses it. The caller ends it by found, fail or undo. Nobody can
// guess a secret; the budget bounds the statements that a stranger can cause. It is not that of passwords, so a machine
// that goes on with a revoked token locks nobody out. Error: TOO_MANY_REQUESTS, with the time to wait.
func (t *throttle) beginToken(address string, digest digest) (*attempt, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := &attempt{throttle: t, digest: digest}
	if _, proven := t.proven.Get(digest); proven {
		return a, nil
	}
	now, place := t.now(), network(address)
	b := budgetOf(t.tokens, place, tokenBudget)
	if wait := b.wait(now); wait > 0 {
		return nil, tooMany("Too many access tokens from your address were wrong", wait)
	}
	a.take(t.tokens, place, b, now)
	return a, nil
}

// found refunds the look-up of an access token that exists.
func (a *attempt) found() {
	a.throttle.mu.Lock()
	defer a.throttle.mu.Unlock()
	a.refund()
	a.throttle.proven.Add(a.digest, struct{}{})
}

func tooMany(what string, wait time.Duration) error {
	e := &problem.Error{Code: problem.TooManyRequests, RetryAfter: wait}
	e.Detail = fmt.Sprintf("%s; try again in %s s.", what, e.RetrySeconds())
	return e
}

// network returns the network by which an address is counted: the /64 of an IPv6 address, because a client can choose
// among its addresses, and an IPv4 address itself.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
