package upload

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/media"
	"itemcast/internal/optional"
	"itemcast/internal/problem"
	"itemcast/internal/upload/internal/store"
	"itemcast/internal/upload/ticket"
)

// Incoming is what an edge knows of a file that a signed-in user sends.
type Incoming struct {
	Size int64 // bytes that the client has announced, with the form around the file; -1: none
	// EndWith ends the reading of the body when ctx ends, until stop is called. nil: it cannot.
	EndWith func(ctx context.Context) (stop func())
	Instead uuid.UUID // an upload under way whose reservation the file takes over; the nil id: none
}

type incomingKey struct{}

// WithIncoming returns a context with which BeginAdding knows of a file what its edge knows.
func WithIncoming(ctx context.Context, in Incoming) context.Context {
	return context.WithValue(ctx, incomingKey{}, in)
}

// Adding is a file that a signed-in user adds to an item.
type Adding struct {
	Profile *uuid.UUID // of the item; nil: it has none
	ByURL   bool       // this server fetches it
	Size    int64      // bytes; 0: unknown
	Plays   bool       // a video or a sound that will be the item's source: it needs a minute
}

// BeginAdding reserves what a file needs of the quotas of the actor's account and of the item's profile. It needs no
// permission: the caller has checked that the actor may add the file. The caller calls End. Errors: QUOTA_EXCEEDED,
// TOO_LARGE.
func (s *Service) BeginAdding(ctx context.Context, a Adding) (*Upload, error) {
	actor, err := account.Authorize(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.addingTicket(ctx, actor, a.Profile)
	if err != nil {
		return nil, err
	}
	in, known := ctx.Value(incomingKey{}).(Incoming)
	size := a.Size
	if size == 0 {
		size = -1
		if known && !a.ByURL {
			size = in.Size
		}
	}
	u := newUpload(ctx, s, t, size)
	u.way, u.user, u.instead, u.minutes = wayForm, actor.UserParam(), in.Instead, 0
	if a.ByURL {
		u.way = wayURL
	}
	if a.Plays {
		u.minutes = 1
	}
	if err := s.begin(u, nil); err != nil {
		return nil, err
	}
	if known && in.EndWith != nil {
		u.release = in.EndWith(u.ctx)
	}
	return u, nil
}

// addingTicket returns what stands for a ticket: the account, and the quotas of the item's profile.
func (s *Service) addingTicket(
	ctx context.Context, actor account.Actor, profile *uuid.UUID,
) (t ticket.Ticket, err error) {
	t.Account = actor.AccountID
	if profile == nil {
		return t, nil
	}
	terms, err := s.Terms(ctx, *profile)
	if problem.Is(err, problem.NotFound) { // it has just been deleted
		return t, nil
	}
	if err != nil {
		return t, err
	}
	t.Profile, t.QuotaBytes, t.QuotaMinutes = terms.Profile, terms.QuotaBytes, terms.QuotaMinutes
	return t, nil
}

// Store stores a file whose type its caller knows, under a new asset id. Nobody can fetch it yet. A size that is not
// zero is what it must have. Errors: those of media.Service.Stage, TOO_LARGE, QUOTA_EXCEEDED, those of r.
func (u *Upload) Store(f media.File, r io.Reader) (media.File, error) {
	content := &counted{u: u, r: r}
	f.Asset = uuid.Must(uuid.NewV7())
	return u.store(f, u.limit, content, content)
}

// Publish makes the upload's file fetchable, in the transaction that adds it to an item, and ends the upload. Error:
// CONFLICT if somebody has stopped the upload.
func (u *Upload) Publish(ctx context.Context, tx pgx.Tx, item uuid.UUID, f media.File) error {
	if u.minutes > 0 {
		length := media.Measures{Length: unmeasured}
		if err := u.s.Media.Measure(ctx, tx, u.ticket.Account, f.Asset, length); err != nil {
			return err
		}
	}
	if err := u.s.Media.Publish(ctx, tx, u.ticket.Account, item, f.Asset); err != nil {
		return fmt.Errorf("publish a file: %w", err)
	}
	if err := u.finish(ctx, tx, item); err != nil {
		return err
	}
	db.AfterCommit(ctx, func() { u.finished = true })
	return nil
}

// finish ends the upload's row in the transaction that makes its items.
func (u *Upload) finish(ctx context.Context, tx pgx.Tx, items ...uuid.UUID) error {
	finished, err := store.New(tx).Finish(ctx, store.FinishParams{AccountID: u.ticket.Account, ID: u.id,
		Bytes: u.received.Load(), ItemIds: items})
	switch {
	case err != nil:
		return fmt.Errorf("finish an upload: %w", err)
	case finished == 0: // it was stopped, or taken for dead
		return errStopped
	}
	return nil
}

// ownIDs are the uploads whose reservations are not taken for those of others.
func (u *Upload) ownIDs() []uuid.UUID { return []uuid.UUID{u.id, u.instead} }

func (u *Upload) profile() *uuid.UUID { return optional.OrNil(u.ticket.Profile) }
