package account

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account/internal/store"
)

const (
	reviewRetry  = time.Second
	reviewWithin = 5 * time.Second
)

// errSignInAgain ends what a user keeps open after a change of the address or the password.
var errSignInAgain = errCredentials

// watch is something that stays open on behalf of an actor.
type watch struct {
	actor   Actor
	changed func(error)
	expiry  *time.Timer // of the session; nil: there is none
}

// Watch calls changed, once and on a goroutine of its own, as soon as the user whom Basic returned as actor may do other things than actor
// says: with UNAUTHENTICATED when the user has been switched off, or has other credentials now; with FORBIDDEN when the user has no api.access
// any more; with nil when who keeps something open can go on with a new sign-in. Stop ends the watch; changed may be running still.
//
// However many are watched, a change costs one statement: nobody's password is verified again.
func (s *SignIn) Watch(actor Actor, changed func(error)) (stop func()) {
	w := &watch{actor: actor, changed: changed}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches[w] = struct{}{}
	if !s.holds(actor) {
		s.askReview() // something changed between the sign-in and now
	}
	if !actor.ends.IsZero() {
		w.expiry = time.AfterFunc(time.Until(actor.ends), func() { s.end(w) })
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unwatch(w)
	}
}

// unwatch reports whether the watch was still on. The lock is held.
func (s *SignIn) unwatch(w *watch) bool {
	_, on := s.watches[w]
	delete(s.watches, w)
	if w.expiry != nil {
		w.expiry.Stop()
	}
	return on
}

// end tells that a session is over.
func (s *SignIn) end(w *watch) {
	s.mu.Lock()
	on := s.unwatch(w)
	s.mu.Unlock()
	if on {
		w.changed(errSession)
	}
}

func (s *SignIn) askReview() {
	select {
	case s.review <- struct{}{}:
	default:
	}
}

// runReviews reviews what is watched whenever it is asked to, until ctx ends. While the database is away it keeps trying.
func (s *SignIn) runReviews(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.review:
		}
		if err := s.reviewAll(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot review who keeps something open; trying again", "err", err)
			time.AfterFunc(reviewRetry, s.askReview)
		}
	}
}

func (s *SignIn) reviewAll(ctx context.Context) error {
	s.mu.Lock()
	users, generation := map[uuid.UUID]bool{}, s.generation
	sessions := map[uuid.UUID]bool{} // whether each lives
	for w := range s.watches {
		users[w.actor.UserID] = true
		if id := w.actor.SessionID; id != uuid.Nil {
			sessions[id] = false
		}
	}
	s.mu.Unlock()
	if len(users) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, reviewWithin)
	defer cancel()
	ids := make([]uuid.UUID, 0, len(users))
	for id := range users {
		ids = append(ids, id)
	}
	rows, err := store.New(s.pool).SignInsByID(ctx, ids)
	if err != nil {
		return err
	}
	if err := s.findLive(ctx, sessions); err != nil {
		return err
	}
	now := make(map[uuid.UUID]Actor, len(rows))
	for _, row := range rows {
		if row.Active {
			now[row.ID] = s.actor(store.UserByEmailRow(row), generation)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watches {
		if !users[w.actor.UserID] {
			continue // came after the look, and asks for one of its own if it needs to
		}
		lives, looked := sessions[w.actor.SessionID]
		switch actor, active := now[w.actor.UserID]; {
		case !active || actor.credentials != w.actor.credentials:
			s.unwatch(w)
			go w.changed(errSignInAgain)
		case looked && !lives:
			s.unwatch(w)
			go w.changed(errSession)
		case !actor.mayTheSame(w.actor):
			s.unwatch(w)
			go w.changed(actor.mayUse())
		}
	}
	return nil
}

// findLive says of sessions whether they live. Without any it asks nothing.
func (s *SignIn) findLive(ctx context.Context, sessions map[uuid.UUID]bool) error {
	if len(sessions) == 0 {
		return nil
	}
	live, err := store.New(s.pool).LiveSessions(ctx, slices.Collect(maps.Keys(sessions)))
	if err != nil {
		return err
	}
	for _, id := range live {
		sessions[id] = true
	}
	return nil
}

func (a Actor) mayTheSame(b Actor) bool {
	return a.AccountID == b.AccountID && a.RoleID == b.RoleID && a.Role == b.Role && slices.Equal(a.Permissions, b.Permissions)
}
