package player

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/media/internal/store"
	"itemcast/internal/problem"
)

// Service finds what pages play. Its methods may be called concurrently.
type Service struct {
	Config
	followers
}

// Config is what a Service needs.
type Config struct {
	Pool  *pgxpool.Pool
	Items *item.Service
	Media *media.Service
	Feed  *change.Feed
	// Failure returns why an item's processing has failed: one sentence, or "". The context's actor may see the item.
	Failure func(ctx context.Context, item uuid.UUID) (string, error)
}

// NewService returns a Service.
func NewService(c Config) *Service { return &Service{Config: c, followers: newFollowers(c.Feed)} }

// Request asks for what a page plays of an item.
type Request struct {
	Item      uuid.UUID
	Signature string // of a link; "" for none
	// Identify returns the context of the request's user. It is called for private, absent and failed items.
	Identify func() (context.Context, error)
}

var errNotFound = problem.New(problem.NotFound, "There is nothing to watch at this address.")

// Show returns what a page plays of an item. Errors: NOT_FOUND, also if the viewer may not see the item, and
// media.ErrExpired, which is one; UNAUTHENTICATED for wrong credentials; those of Identify.
func (s *Service) Show(ctx context.Context, r Request) (Show, error) {
	row, err := store.New(db.Read(ctx, s.Pool)).WatchedItem(ctx, r.Item)
	if errors.Is(err, pgx.ErrNoRows) {
		if r.Signature == "" {
			if err := media.WrongCredentials(r.Identify); err != nil {
				return Show{}, err
			}
		}
		return Show{}, errNotFound
	}
	if err != nil {
		return Show{}, fmt.Errorf("find an item to watch: %w", err)
	}
	access, until, err := s.admit(ctx, r, item.Privacy(row.Privacy))
	if err != nil {
		return Show{}, err
	}
	system := account.Actor{AccountID: row.AccountID,
		Permissions: account.Permissions{account.APIAccess, account.ItemsView}}
	document, err := s.Items.Get(account.WithActor(ctx, system), r.Item)
	if problem.Is(err, problem.NotFound) {
		return Show{}, errNotFound
	}
	if err != nil {
		return Show{}, err
	}
	i, err := item.Decode(document.Bytes)
	if err != nil {
		return Show{}, err
	}
	show := choose(i)
	show.Access, show.Until, show.Frames = access, until, row.FrameAncestors
	if access == media.BySignature {
		if err := s.sign(ctx, &show, until); err != nil {
			return Show{}, err
		}
	}
	if show.State == Failed {
		show.Reason = s.reason(r)
	}
	return show, nil
}

// admit returns why a viewer may watch an item, and with a signed link until when.
func (s *Service) admit(ctx context.Context, r Request, privacy item.Privacy) (media.Access, time.Time, error) {
	if privacy != item.PrivacyPrivate {
		return media.ByPrivacy, time.Time{}, nil
	}
	if r.Signature != "" {
		until, err := s.Media.VerifyPlayer(ctx, r.Item, r.Signature)
		if problem.Is(err, problem.NotFound) && !errors.Is(err, media.ErrExpired) {
			err = errNotFound
		}
		return media.BySignature, until, err
	}
	err := media.MaySee(s.Items, r.Identify, r.Item)
	if problem.Is(err, problem.NotFound) {
		err = errNotFound
	}
	return media.ByUser, time.Time{}, err
}

// reason returns why processing has failed, to users who may see the item. The public is told only that it has.
func (s *Service) reason(r Request) string {
	user, err := r.Identify()
	if err != nil {
		return ""
	}
	reason, err := s.Failure(user, r.Item)
	if err != nil {
		return ""
	}
	return reason
}

// sign replaces the URLs of stored files by signed ones.
func (s *Service) sign(ctx context.Context, show *Show, until time.Time) error {
	for _, f := range show.files() {
		signed, err := s.Media.SignURL(ctx, f.asset, f.URL, until)
		if err != nil {
			return err
		}
		f.URL = signed
	}
	return nil
}
