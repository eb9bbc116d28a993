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
)

const reviewRetry = time.Second

// watch is an actor, and the function to call when the actor's permissions change.
type watch struct {
	actor   account.Actor
	changed func(error)
	expiry  *time.Timer // of the session; nil: there is none
}

// watchers holds all watches.
type watchers struct {
	review chan struct{} // holds one request for a review

	mu  sync.Mutex
	all map[*watch]struct{}
}

func newWatchers() *watchers {
	return &watchers{review: make(chan struct{}, 1), all: map[*watch]struct{}{}}
}

// wake asks for a review.
func (w *watchers) wake() {
	select {
	case w.review <- struct{}{}:
	default:
	}
}

// Watch calls changed, once and on a separate goroutine, as soon as the permissions change of an actor that Basic or
// Session returned. The argument is UNAUTHENTICATED when the user has become inactive or has new credentials, and when
// the session has ended; FORBIDDEN when the user has lost api.access; nil when a new sign-in would succeed. stop ends
// the watch; changed may still be running then.
//
// A change costs two statements at most, however many actors are watched.
func (s *Service) Watch(actor account.Actor, changed func(error)) (stop func()) {
	stop = s.watchers.add(actor, changed)
	if !s.cache.valid(actor) {
		s.watchers.wake() // the user changed between the sign-in and now
	}
	return stop
}

func (w *watchers) add(actor account.Actor, changed func(error)) (stop func()) {
	one := &watch{actor: actor, changed: changed}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[one] = struct{}{}
	if ends := actor.Proof.ExpiresAt; !ends.IsZero() {
		one.expiry = time.AfterFunc(time.Until(ends), func() {
			if w.remove(one) {
				changed(account.ErrSessionEnded)
			}
		})
	}
	return func() { w.remove(one) }
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

// runReviews compares the watched actors with the database after each change, until ctx ends. It retries while the
// database is unavailable.
func (s *Service) runReviews(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.watchers.review:
		}
		if err := s.reviewAll(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot review the permissions of open connections; retrying", "error", err)
			time.AfterFunc(reviewRetry, s.watchers.wake)
		}
	}
}

func (s *Service) reviewAll(ctx context.Context) error {
	users, sessions := s.watchers.watched()
	if len(users) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	now, err := s.readActors(ctx, users)
	if err != nil {
		return err
	}
	live, err := s.readLiveSessions(ctx, sessions)
	if err != nil {
		return err
	}
	s.watchers.end(func(was account.Actor) (ended bool, reason error) {
		if !users[was.UserID] || was.SessionID != uuid.Nil && !sessions[was.SessionID] {
			return false, nil // added after the statements; Watch asks for another review if it needs one
		}
		actor, active := now[was.UserID]
		switch {
		case !active || actor.Proof.Credentials != was.Proof.Credentials:
			return true, account.ErrCredentials
		case was.SessionID != uuid.Nil && !live[was.SessionID]:
			return true, account.ErrSessionEnded
		case !sameRights(actor, was):
			_, reason := account.Authorize(account.WithActor(ctx, actor))
			return true, reason
		}
		return false, nil
	})
	return nil
}

// watched returns the users and sessions that are watched.
func (w *watchers) watched() (users, sessions map[uuid.UUID]bool) {
	users, sessions = map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.all {
		users[one.actor.UserID] = true
		if id := one.actor.SessionID; id != uuid.Nil {
			sessions[id] = true
		}
	}
	return users, sessions
}

// end removes each watch for which over reports true, and calls its function with the reason.
func (w *watchers) end(over func(account.Actor) (bool, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.all {
		if ended, reason := over(one.actor); ended {
			w.removeLocked(one)
			go one.changed(reason)
		}
	}
}

// readActors returns the actors of those users that are active.
func (s *Service) readActors(ctx context.Context, users map[uuid.UUID]bool) (map[uuid.UUID]account.Actor, error) {
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

// readLiveSessions returns those of the sessions that have not ended. Without sessions it sends no statement.
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

func sameRights(a, b account.Actor) bool {
	return a.AccountID == b.AccountID && a.RoleID == b.RoleID && a.Role == b.Role &&
		slices.Equal(a.Permissions, b.Permissions)
}
