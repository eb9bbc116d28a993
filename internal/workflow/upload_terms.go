package workflow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/optional"
	"itemcast/internal/upload/ticket"
	"itemcast/internal/workflow/internal/store"
)

// UploadTerms returns what a profile allows to tickets, with its upload secrets. It needs no permission: an upload has
// no user, and the secrets prove a ticket. Never show the result. Do not modify it.
//
// While Run runs, a node reads the terms of a profile once, and again after each change of a profile on any node, of
// which it learns in milliseconds; within two seconds if its connection has died silently. Error: NOT_FOUND.
func (s *Service) UploadTerms(ctx context.Context, profile uuid.UUID) (ticket.Terms, error) {
	kept, generation, ok := s.terms.get(profile)
	if ok {
		return kept, nil
	}
	row, err := store.New(db.Read(ctx, s.pool)).UploadTerms(ctx, profile)
	if errors.Is(err, pgx.ErrNoRows) {
		return ticket.Terms{}, errNoProfile
	}
	if err != nil {
		return ticket.Terms{}, fmt.Errorf("read the terms of uploads: %w", err)
	}
	u, err := decodeUploads(row.Uploads)
	if err != nil {
		return ticket.Terms{}, err
	}
	terms := ticket.Terms{Account: row.AccountID, Profile: profile, Enabled: u.Enabled,
		Secret: optional.OrZero(row.UploadSecret), OldSecret: optional.OrZero(row.OldUploadSecret),
		OldSecretUntil: optional.Or(row.OldUploadSecretUntil, time.Time{}),
		Origins:        u.Origins, Redirects: u.Redirects, MaxSize: optional.OrZero(u.MaxSize),
		ContentTypes: u.ContentTypes, QuotaBytes: optional.OrZero(u.QuotaBytes),
		QuotaMinutes: optional.OrZero(u.QuotaMinutes), Publish: u.Publish}
	s.terms.add(profile, terms, generation)
	return terms, nil
}

// maxTerms is the number of profiles whose terms a node keeps.
const maxTerms = 1000

// termsCache keeps terms while notifications of changes arrive. Its methods may be called concurrently.
type termsCache struct {
	mu         sync.Mutex
	listening  bool
	generation int // the number of changes so far; what was read before a change is not kept after it
	kept       map[uuid.UUID]ticket.Terms
}

func newTermsCache() *termsCache { return &termsCache{kept: map[uuid.UUID]ticket.Terms{}} }

// get returns the terms of a profile. Without them, ok is false, and generation is that of a read that begins now.
func (c *termsCache) get(profile uuid.UUID) (terms ticket.Terms, generation int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	terms, ok = c.kept[profile]
	return terms, c.generation, ok
}

func (c *termsCache) add(profile uuid.UUID, terms ticket.Terms, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.listening || generation != c.generation {
		return
	}
	if len(c.kept) >= maxTerms {
		clear(c.kept)
	}
	c.kept[profile] = terms
}

// forget drops all terms after a change.
func (c *termsCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	clear(c.kept)
}

// listen drops all terms, and keeps new ones only while notifications arrive.
func (c *termsCache) listen(arrive bool) {
	c.forget()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listening = arrive
}
