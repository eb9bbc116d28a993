package signin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/account/internal/store"
	"itemcast/internal/account/secret"
	"itemcast/internal/wake"
)

// watch is an actor, and the function to call when the actor's permissions change.
type watch struct {
	actor   account.Actor
	changed func(error)
	expiry  *time.Timer // of the session or the access token; nil: there is none
}

// watchers holds all watches.
type watchers struct {
	review wake.Signal

	mu  sync.Mutex
	all map[*watch]struct{}
}

func newWatchers() *watchers {
	return &watchers{review: wake.New(), all: map[*watch]struct{}{}}
}

// Watch calls changed, once and on a separate goroutine, as soon as the permissions change of an actor that Basic,
// Session or Bearer returned. The argument is UNAUTHENTICATED when the user has become inactive or has new credentials,
// and when the session or the access token has ended; FORBIDDEN when the user has lost api.access; nil when a new
// sign-in would succeed, or the access token allows other origins. stop ends the watch; changed may still be running
// then.
//
// A change costs three statements at most, however many actors are watched.
func (s *Service) Watch(actor account.Actor, changed func(error)) (stop func()) {
	stop = s.watchers.add(actor, changed)
	if !s.cache.valid(actor) {
		s.watchers.review.Send() // the user changed between the sign-in and now
	}
	return stop
}

func (w *watchers) add(actor account.Actor, changed func(error)) (stop func()) {
	one := &watch{actor: actor, changed: changed}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[one] = struct{}{}
	w.armLocked(one)
	return func() { w.remove(one) }
}

// armLocked ends a watch when the actor's credentials expire.
func (w *watchers) armLocked(one *watch) {
	if one.expiry != nil {
		one.expiry.Stop()
		one.expiry = nil
	}
	if ends := one.actor.Proof.ExpiresAt; !ends.IsZero() {
		one.expiry = time.AfterFunc(time.Until(ends), func() {
			if w.removeExpired(one, ends) {
				one.changed(endOf(one.actor))
			}
		})
	}
}

// removeExpired ends a watch, unless its expiry has been moved while the timer waited for the lock.
func (w *watchers) removeExpired(one *watch, ends time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return one.actor.Proof.ExpiresAt.Equal(ends) && w.removeLocked(one)
}

// endOf returns why an actor's credentials are over once they have expired.
func endOf(actor account.Actor) error {
	if actor.Token != nil {
		return account.ErrTokenExpired
	}
	return account.ErrSessionEnded
}

// remove ends a watch, and reports whether it was active.
func (w *watchers) remove(one *watch) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.removeLocked(one)
}

func (w *watchers) removeLocked(one *watch) bool {
	_, watched := w.all[one]
	delete(w.all, one)
	if one.expiry != nil {
		one.expiry.Stop()
	}
	return watched
}

// reviewAll compares the watched actors with the database.
func (s *Service) reviewAll(ctx context.Context) error {
	watched := s.watchers.watched()
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	now, err := s.readActors(ctx, watched.users)
	if err != nil {
		return err
	}
	live, err := s.readLiveSessions(ctx, watched.sessions)
	if err != nil {
		return err
	}
	bearers, err := s.readBearers(ctx, watched.tokens)
	if err != nil {
		return err
	}
	s.watchers.judge(func(was account.Actor) verdict {
		switch {
		case !watched.has(was):
			return goesOn(was) // added after the statements; Watch asks for another review if it needs one
		case was.Token != nil:
			return compareToken(ctx, was, bearers)
		}
		actor, active := now[was.UserID]
		switch {
		case !active || actor.Proof.Credentials != was.Proof.Credentials:
			return verdict{ended: true, reason: account.ErrCredentials}
		case was.SessionID != uuid.Nil && !live[was.SessionID]:
			return verdict{ended: true, reason: account.ErrSessionEnded}
		case !sameRights(actor, was):
			return renewed(ctx, actor)
		}
		return goesOn(was)
	})
	return nil
}

// verdict is the result of a review of one watch.
type verdict struct {
	ended     bool
	reason    error     // for Watch's changed
	expiresAt time.Time // of the credentials, when the watch goes on
}

func goesOn(actor account.Actor) verdict { return verdict{expiresAt: actor.Proof.ExpiresAt} }

// renewed ends a watch whose actor has other rights now.
func renewed(ctx context.Context, now account.Actor) verdict {
	_, reason := account.Authorize(account.WithActor(ctx, now))
	return verdict{ended: true, reason: reason}
}

// compareToken compares an access token with what the database has now. A rotation moves the expiry of the old secret,
// and disturbs no stream before that.
func compareToken(ctx context.Context, was account.Actor, now map[secret.Digest]account.Bearer) verdict {
	found, known := now[was.Proof.Credentials]
	switch {
	case !known:
		return verdict{ended: true, reason: account.ErrToken}
	case found.Refusal != nil:
		return verdict{ended: true, reason: found.Refusal}
	case !sameRights(found.Actor, was) || !sameToken(found.Actor.Token, was.Token):
		return renewed(ctx, found.Actor)
	}
	return goesOn(found.Actor)
}

// watched names what a review reads.
type watched struct {
	users, sessions map[uuid.UUID]bool
	tokens          map[secret.Digest]bool
}

// watched returns the users, sessions and access tokens that are watched.
func (w *watchers) watched() watched {
	all := watched{map[uuid.UUID]bool{}, map[uuid.UUID]bool{}, map[secret.Digest]bool{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.all {
		switch actor := one.actor; {
		case actor.Token != nil:
			all.tokens[actor.Proof.Credentials] = true
		case actor.SessionID != uuid.Nil:
			all.sessions[actor.SessionID] = true
			all.users[actor.UserID] = true
		default:
			all.users[actor.UserID] = true
		}
	}
	return all
}

func (w watched) has(actor account.Actor) bool {
	if actor.Token != nil {
		return w.tokens[actor.Proof.Credentials]
	}
	return w.users[actor.UserID] && (actor.SessionID == uuid.Nil || w.sessions[actor.SessionID])
}

// judge ends each watch whose verdict says so, and moves the expiry of the others.
func (w *watchers) judge(judge func(account.Actor) verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.all {
		switch found := judge(one.actor); {
		case found.ended:
			w.removeLocked(one)
			go one.changed(found.reason)
		case !found.expiresAt.Equal(one.actor.Proof.ExpiresAt):
			one.actor.Proof.ExpiresAt = found.expiresAt
			w.armLocked(one)
		}
	}
}

// readActors returns the actors of those users that are active. Without users it sends no statement, as the two
// functions that follow.
func (s *Service) readActors(ctx context.Context, users map[uuid.UUID]bool) (map[uuid.UUID]account.Actor, error) {
	if len(users) == 0 {
		return nil, nil
	}
	rows, err := store.New(s.reviews).SignInsByID(ctx, slices.Collect(maps.Keys(users)))
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	actors := make(map[uuid.UUID]account.Actor, len(rows))
	for _, row := range rows {
		if row.Active {
			actors[row.ID] = account.ActorOf(store.UserByEmailRow(row))
		}
	}
	return actors, nil
}

// readLiveSessions returns those of the sessions that have not ended.
func (s *Service) readLiveSessions(ctx context.Context, sessions map[uuid.UUID]bool) (map[uuid.UUID]bool, error) {
	if len(sessions) == 0 {
		return nil, nil
	}
	ids, err := store.New(s.reviews).LiveSessions(ctx, slices.Collect(maps.Keys(sessions)))
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	live := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		live[id] = true
	}
	return live, nil
}

// readBearers returns the actors of those secrets that are known.
func (s *Service) readBearers(ctx context.Context, secrets map[secret.Digest]bool) (
	map[secret.Digest]account.Bearer, error) {
	if len(secrets) == 0 {
		return nil, nil
	}
	return account.Bearers(ctx, s.reviews, slices.Collect(maps.Keys(secrets)))
}

func sameToken(a, b *account.Token) bool {
	return a.Filter == b.Filter && a.PerMinute == b.PerMinute && slices.Equal(a.Origins, b.Origins)
}

func sameRights(a, b account.Actor) bool {
	return a.AccountID == b.AccountID && a.RoleID == b.RoleID && a.Role == b.Role &&
		slices.Equal(a.Permissions, b.Permissions)
}
