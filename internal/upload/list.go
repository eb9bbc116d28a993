package upload

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/page"
	"itemcast/internal/problem"
	"itemcast/internal/upload/internal/store"
)

// UnderWay is an upload that some node receives.
type UnderWay struct {
	ID           uuid.UUID
	ProfileID    *uuid.UUID
	UserID       *uuid.UUID // nil: it came with a ticket
	Nonce        *string    // of its ticket
	Way          string     // "form" or "tus"
	SizeExpected *int64     // bytes, with the form around the files; nil: its client has not said
	Bytes        int64      // received, a few seconds ago
	StartedAt    time.Time
	SeenAt       time.Time
}

const listName = "uploads"

// PageToken returns the page token of the upload in the list.
func (u UnderWay) PageToken() string { return page.Token(listName, u.ID) }

// authorize returns the actor of ctx if it manages uploads. A token that shows only some items does not: an upload has
// no item yet. Errors: UNAUTHENTICATED, FORBIDDEN.
func authorize(ctx context.Context) (account.Actor, error) {
	actor, err := account.Authorize(ctx, account.UploadsManage)
	if err == nil && actor.Token != nil && actor.Token.Filter != "" {
		return actor, problem.New(problem.Forbidden,
			"An access token with a filter cannot manage uploads, because they have no item yet. Use a token without a filter.")
	}
	return actor, err
}

// List returns the uploads under way, newest first, but for those of profiles that the actor's role does not see. next
// is the page token of the following page. Errors: FORBIDDEN, INVALID_PAGE_TOKEN.
func (s *Service) List(ctx context.Context, limit int, after string) (uploads []UnderWay, next string, err error) {
	actor, err := authorize(ctx)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, listName)
	if err != nil {
		return nil, "", err
	}
	rows, err := store.New(db.Read(ctx, s.Pool)).ListUploads(ctx, store.ListUploadsParams{AccountID: actor.AccountID,
		RoleID: actor.RoleParam(), DeadAfter: deadAfter.Seconds(), BeforeID: before, MaxRows: int32(limit) + 1})
	if err != nil {
		return nil, "", fmt.Errorf("list uploads: %w", err)
	}
	for _, r := range rows {
		uploads = append(uploads, UnderWay{ID: r.ID, ProfileID: r.ProfileID, UserID: r.UserID, Nonce: r.Nonce, Way: r.Way,
			SizeExpected: r.SizeExpected, Bytes: r.Bytes, StartedAt: r.StartedAt, SeenAt: r.SeenAt})
	}
	uploads, next = page.Cut(uploads, limit, UnderWay.PageToken)
	return uploads, next, nil
}

// Stop ends an upload under way, on any node: at once on this one, and within seconds on another. Its client gets an
// error, and nothing of it is kept. Errors: FORBIDDEN, NOT_FOUND.
func (s *Service) Stop(ctx context.Context, id uuid.UUID) error {
	if _, err := authorize(ctx); err != nil {
		return err
	}
	err := db.Write(ctx, s.Pool, func(ctx context.Context, tx pgx.Tx) error {
		actor, err := account.Reauthorize(ctx, tx, account.UploadsManage)
		if err != nil {
			return err
		}
		stopped, err := store.New(tx).StopUpload(ctx, store.StopUploadParams{AccountID: actor.AccountID, ID: id,
			RoleID: actor.RoleParam()})
		switch {
		case err != nil:
			return fmt.Errorf("stop an upload: %w", err)
		case stopped == 0:
			return problem.New(problem.NotFound, "There is no upload under way with this id. It may have ended.")
		}
		return account.Audit(ctx, tx, "upload.stopped", "uploads/"+id.String(), nil)
	})
	if err == nil {
		s.stopHere(id)
	}
	return err
}
