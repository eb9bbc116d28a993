package account

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/db/dbsqlc"
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
}

// Watch calls changed, once and on a goroutine of its own, as soon as the user whom Basic returned as actor may do other things than actor
// says: with UNAUTHENTICATED when the user has been switched off, or has other credentials now; with FORBIDDEN when the user has no api.access
// any more; with nil when who keeps something open can go on with a new sign-in. Stop ends the watch; changed may be running still.
//
// However many are watched, a change costs one statement: nobody's password is verified again.
func (s *SignIn) Watch(actor Actor, changed func(error)) (stop func()) {
	w := &watch{actor, changed}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches[w] = struct{}{}
	if actor.generation != s.generation { // something changed between the sign-in and now
		s.askReview()
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watches, w)
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
	for w := range s.watches {
		users[w.actor.UserID] = true
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
	rows, err := dbsqlc.New(s.pool).SignInsByID(ctx, ids)
	if err != nil {
		return err
	}
	now := make(map[uuid.UUID]Actor, len(rows))
	for _, row := range rows {
		if row.Active {
			now[row.ID] = s.actor(dbsqlc.UserByEmailRow(row), generation)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watches {
		if !users[w.actor.UserID] {
			continue // came after the look, and asks for one of its own if it needs to
		}
		switch actor, active := now[w.actor.UserID]; {
		case !active || actor.credentials != w.actor.credentials:
			delete(s.watches, w)
			go w.changed(errSignInAgain)
		case !actor.mayTheSame(w.actor):
			delete(s.watches, w)
			go w.changed(actor.mayUse())
		}
	}
	return nil
}

func (a Actor) mayTheSame(b Actor) bool {
	return a.AccountID == b.AccountID && a.Role == b.Role && slices.Equal(a.Permissions, b.Permissions)
}
