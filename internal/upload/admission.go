package upload

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/optional"
	"itemcast/internal/problem"
	"itemcast/internal/upload/internal/store"
	"itemcast/internal/upload/ticket"
)

// Admit checks the ticket that a request has sent, and its item input as far as the contract goes. The terms are those
// of the profile that the ticket names, even if the ticket is refused: a page of one of their origins may read why.
// They are the zero Terms if there is no such profile. Errors: those of ticket.Sent and ticket.Parse; INVALID_INPUT.
func (s *Service) Admit(ctx context.Context, infos, signatures []string) (ticket.Ticket, ticket.Terms, error) {
	var terms ticket.Terms
	info, signature, err := ticket.Sent(infos, signatures)
	if err != nil {
		return ticket.Ticket{}, terms, err
	}
	t, err := ticket.Parse(info, signature, time.Now(), func(profile uuid.UUID) (_ ticket.Terms, err error) {
		terms, err = s.Terms(ctx, profile)
		return terms, err
	})
	if err != nil {
		return ticket.Ticket{}, terms, err
	}
	return t, terms, s.checkItem(t)
}

// checkItem finds the faults of a ticket's item input that would otherwise show after the last byte.
func (s *Service) checkItem(t ticket.Ticket) error {
	input, err := t.ItemInput("a file's name")
	if err != nil {
		return err
	}
	if found := s.CheckItem(input); found != nil {
		return belowItem(found, "The item of the ticket is wrong. ")
	}
	return nil
}

// belowItem returns the error of an item input with its faults below #/item, where they are for the client.
func belowItem(err error, where string) error {
	found := problem.Of(err)
	if found == nil || len(found.Faults) == 0 {
		return err
	}
	faults := slices.Clone(found.Faults)
	for i := range faults {
		faults[i].Pointer = strings.Replace(faults[i].Pointer, "#", "#/item", 1)
	}
	known := problem.Invalid(found.Code, faults...)
	known.Detail = where + known.Detail
	return known
}

// actorOf returns the actor of a ticket: no user, with the right to create items, and to publish them if the profile
// allows it.
func actorOf(t ticket.Terms) account.Actor {
	actor := account.Actor{AccountID: t.Account, Name: "upload ticket",
		Permissions: account.Permissions{account.APIAccess, account.ItemsCreate}}
	if t.Publish {
		actor.Permissions = append(actor.Permissions, account.ItemsPublish)
	}
	return actor
}

// firstReserve is what an upload of unknown length reserves at first, and each time that it has received as much.
const firstReserve = 16 << 20 // bytes

// Begin reserves a ticket's nonce, and what the upload needs of the quotas of its account and its profile. size is the
// number of bytes that the client has announced, -1 for none; it includes the form around the files. The caller calls
// End. Errors: TICKET_USED, TOO_LARGE, QUOTA_EXCEEDED.
func (s *Service) Begin(ctx context.Context, t ticket.Ticket, size int64) (*Upload, error) {
	u := newUpload(ctx, s, t, size)
	return u, s.begin(u, s.reserveNonce)
}

// begin makes the row of an upload, with what it reserves. insert inserts the row; nil: as it is.
func (s *Service) begin(u *Upload, insert func(context.Context, *store.Queries, *Upload) error) error {
	if insert == nil {
		insert = func(ctx context.Context, q *store.Queries, u *Upload) error {
			_, err := insertRow(ctx, q, u)
			return err
		}
	}
	if u.size > u.limit+FormOverhead {
		u.cancel(nil)
		return u.tooLarge()
	}
	err := db.Write(u.ctx, s.Pool, func(ctx context.Context, tx pgx.Tx) (err error) {
		q, needed, wanted := store.New(tx), u.size, u.size
		if u.size < 0 {
			needed, wanted = 1, firstReserve
		}
		if u.reserved, err = s.keepQuota(ctx, q, u, needed, wanted); err != nil {
			return err
		}
		return insert(ctx, q, u)
	})
	if err != nil {
		u.cancel(nil)
		s.metrics.refused.Add(1)
		return err
	}
	u.begun = true
	s.track(u)
	return nil
}

// insertRow inserts the row of an upload. inserted is 0 if its nonce is taken.
func insertRow(ctx context.Context, q *store.Queries, u *Upload) (inserted int64, err error) {
	inserted, err = q.InsertUpload(ctx, store.InsertUploadParams{ID: u.id, AccountID: u.ticket.Account,
		ProfileID: u.profile(), UserID: u.user, Nonce: optional.OrNil(u.ticket.Nonce), Way: u.way,
		SizeExpected: u.announced(), Reserved: u.reserved, ReservedMinutes: u.minutes, Node: u.s.node})
	if err != nil {
		return 0, fmt.Errorf("insert an upload: %w", err)
	}
	return inserted, nil
}

// FormOverhead is how many bytes a form may have beside its files: its fields, and the lines around them.
const FormOverhead = 512 << 10

func (s *Service) reserveNonce(ctx context.Context, q *store.Queries, u *Upload) error {
	err := q.ReleaseDead(ctx, store.ReleaseDeadParams{AccountID: u.ticket.Account, ProfileID: u.ticket.Profile,
		Nonce: u.ticket.Nonce, DeadAfter: deadAfter.Seconds()})
	if err != nil {
		return fmt.Errorf("release a dead upload: %w", err)
	}
	inserted, err := insertRow(ctx, q, u)
	if err != nil {
		return err
	}
	if inserted > 0 {
		return nil
	}
	return s.errNonceTaken(ctx, q, u.ticket)
}

func (s *Service) errNonceTaken(ctx context.Context, q *store.Queries, t ticket.Ticket) error {
	state, err := q.NonceState(ctx, store.NonceStateParams{AccountID: t.Account, ProfileID: t.Profile, Nonce: t.Nonce})
	if err == nil && state == stateDone {
		return problem.New(problem.TicketUsed, "The ticket has made its upload. Get a new one for each upload.")
	}
	// It is under way, or has ended this moment.
	return problem.New(problem.TicketUsed, "An upload with this ticket is under way. Wait for its end, or get another "+
		"ticket. A ticket whose server has died is free again after %d minutes.", int(deadAfter.Minutes()))
}

// tooLarge says that an upload has more bytes than it may have.
func (u *Upload) tooLarge() error {
	if u.ticket.Nonce == "" {
		return problem.New(problem.TooLarge, "The file may have %d bytes. Send a smaller one.", u.limit)
	}
	return problem.New(problem.TooLarge, "The files of an upload with this ticket may have %d bytes in all. Send less, "+
		"or get a ticket that allows more.", u.limit)
}
