package upload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/optional"
	"itemcast/internal/problem"
	"itemcast/internal/upload/internal/store"
	"itemcast/internal/upload/ticket"
)

// NewResumable describes a resumable upload.
type NewResumable struct {
	Ticket   *ticket.Ticket // nil: the actor of the context uploads
	Info     string         // of the ticket
	Size     int64          // bytes; that of parts is not needed
	Metadata map[string]string
	Partial  bool
	Parts    []string // keys of the parts of a concatenation, in order; nil: none
}

// The names of metadata with which a user adds a file to an item.
const (
	metaItem     = "item_id"
	metaKind     = "kind"
	metaLanguage = "language"
)

// MaxParts is how many parts a concatenation may have, and how many unfinished uploads a user.
const MaxParts = 100

// CreateResumable reserves what an upload needs, a ticket's nonce and the quota, and returns the key of its URL. With
// parts, it takes their bytes in the same transaction; asked again with the same parts, also at the same time, it
// returns the same key. Errors: TICKET_USED; TOO_LARGE; QUOTA_EXCEEDED; BAD_REQUEST for an empty file or unusable
// parts; INVALID_INPUT, NOT_FOUND or FORBIDDEN for a user's metadata.
func (s *Service) CreateResumable(ctx context.Context, n NewResumable) (key string, err error) {
	c, err := s.admitResumable(ctx, n)
	if err != nil {
		return "", err
	}
	key = newKey()
	if n.Parts != nil {
		key = joinedKey(n.Parts)
	}
	err = db.Write(ctx, s.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if n.Parts == nil {
			return c.insert(ctx, store.New(tx), keyHash(key))
		}
		return c.join(ctx, store.New(tx), keyHash(key))
	})
	if err != nil {
		s.metrics.refused.Add(1)
		return "", err
	}
	return key, nil
}

// creation is a resumable upload that is being created.
type creation struct {
	s *Service
	NewResumable
	id     uuid.UUID
	terms  ticket.Ticket // of a user: only the account
	user   *uuid.UUID
	digest []byte // of the access token
	limit  int64  // bytes
}

// admitResumable checks what can be checked before a byte has come.
func (s *Service) admitResumable(ctx context.Context, n NewResumable) (*creation, error) {
	c := &creation{s: s, NewResumable: n, id: uuid.Must(uuid.NewV7()), limit: s.MaxSize}
	if n.Ticket != nil {
		c.terms = *n.Ticket
		if n.Ticket.Limit > 0 {
			c.limit = min(c.limit, n.Ticket.Limit)
		}
		if n.Metadata[metaItem] != "" || n.Metadata[metaInput] != "" {
			return nil, wrongMetadata("has item_id or item, which need a sign-in: a ticket makes an item of its own")
		}
	} else if err := c.admitUser(ctx); err != nil {
		return nil, err
	}
	switch {
	case n.Parts != nil:
		if len(n.Parts) > MaxParts {
			return nil, problem.New(problem.BadRequest, "A concatenation may have %d parts.", MaxParts)
		}
	case n.Size == 0 && !n.Partial:
		return nil, problem.New(problem.BadRequest, "The file is empty. Choose another.")
	case n.Size > c.limit:
		return nil, c.errTooLarge()
	}
	return c, nil
}

// admitUser checks that the actor of ctx may make an item, or add a file to one.
func (c *creation) admitUser(ctx context.Context) error {
	need := account.ItemsCreate
	if c.Metadata[metaItem] != "" {
		need = account.ItemsEdit
	}
	actor, err := account.Authorize(ctx, need)
	if err != nil && c.Partial { // it tells later what it is for
		actor, err = account.Authorize(ctx, account.ItemsEdit)
	}
	if err != nil {
		return err
	}
	origin := account.OriginOf(actor)
	if c.terms, err = c.s.addingTicket(ctx, actor, newProfile(actor, c.Metadata)); err != nil {
		return err
	}
	c.user = &origin.User
	if origin.Token != nil {
		c.digest = origin.Token[:]
	}
	if c.Metadata[metaInput] != "" {
		return c.tryItem(ctx)
	}
	if c.Metadata[metaItem] == "" {
		return nil
	}
	id, err := uuid.Parse(c.Metadata[metaItem])
	if err != nil {
		return wrongMetadata("must have the id of an item as item_id")
	}
	return c.s.Assets.MayAddForm(ctx, id, assetForm(c.Metadata))
}

// assetForm returns the JSON that a form would have for metadata.
func assetForm(metadata map[string]string) []byte {
	form := map[string]string{"file": nameIn(metadata)}
	for _, key := range []string{metaKind, metaLanguage} {
		if metadata[key] != "" {
			form[key] = metadata[key]
		}
	}
	raw, _ := json.Marshal(form) // text can be encoded
	return raw
}

func (c *creation) errTooLarge() error { return (&Upload{ticket: c.terms, limit: c.limit}).tooLarge() }

// insert reserves the nonce and the quota.
func (c *creation) insert(ctx context.Context, q *store.Queries, key []byte) error {
	if err := c.checkParts(ctx, q); err != nil {
		return err
	}
	u := &Upload{s: c.s, id: c.id, ticket: c.terms, minutes: c.minutes()}
	reserved, err := c.s.keepQuota(ctx, q, u, c.Size, c.Size)
	if err != nil {
		return err
	}
	return c.insertRow(ctx, q, key, reserved)
}

// minutes are what the upload reserves until processing has measured it. Parts have no length of their own.
func (c *creation) minutes() int32 {
	if c.Partial {
		return 0
	}
	return 1
}

func (c *creation) insertRow(ctx context.Context, q *store.Queries, key []byte, reserved int64) error {
	metadata, err := json.Marshal(c.Metadata)
	if err != nil {
		return fmt.Errorf("encode metadata: %w", err)
	}
	expires := c.s.now().Add(ExpireAfter)
	row := store.InsertResumableParams{ID: c.id, AccountID: c.terms.Account, UserID: c.user, SizeExpected: &c.Size,
		Reserved: reserved, ReservedMinutes: c.minutes(), Node: c.s.node, KeyHash: key,
		TokenDigest: c.digest, Metadata: metadata, Partial: c.Partial,
		ExpiresAt: &expires, ProfileID: optional.OrNil(c.terms.Profile)}
	if c.Ticket != nil {
		row.Nonce, row.Ticket = &c.terms.Nonce, &c.Info
		err := q.ReleaseDead(ctx, store.ReleaseDeadParams{AccountID: c.terms.Account, ProfileID: c.terms.Profile,
			Nonce: c.terms.Nonce, DeadAfter: deadAfter.Seconds()})
		if err != nil {
			return fmt.Errorf("release a dead upload: %w", err)
		}
	}
	inserted, err := q.InsertResumable(ctx, row)
	switch {
	case err != nil:
		return fmt.Errorf("insert an upload: %w", err)
	case inserted == 0:
		return c.s.errNonceTaken(ctx, q, c.terms)
	}
	return nil
}

// checkParts limits what may come before a concatenation: the parts of a ticket together have what the ticket allows.
func (c *creation) checkParts(ctx context.Context, q *store.Queries) error {
	if c.Ticket == nil {
		parts, err := q.PartsOfUser(ctx, store.PartsOfUserParams{AccountID: c.terms.Account, UserID: *c.user})
		switch {
		case err != nil:
			return fmt.Errorf("count a user's uploads: %w", err)
		case parts >= MaxParts:
			return problem.New(problem.Conflict, "You have %d uploads under way. Finish or end one before the next.", parts)
		}
		return nil
	}
	if !c.Partial {
		return nil
	}
	nonce := store.LockNonceParams{ProfileID: c.terms.Profile, Nonce: c.terms.Nonce}
	if err := q.LockNonce(ctx, nonce); err != nil {
		return fmt.Errorf("lock a nonce: %w", err)
	}
	_, err := q.NonceState(ctx, store.NonceStateParams{AccountID: c.terms.Account, ProfileID: c.terms.Profile,
		Nonce: c.terms.Nonce})
	switch {
	case err == nil:
		return c.s.errNonceTaken(ctx, q, c.terms)
	case !errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("read a nonce: %w", err)
	}
	sum, err := q.PartsOfNonce(ctx, store.PartsOfNonceParams{AccountID: c.terms.Account, ProfileID: c.terms.Profile,
		Nonce: c.terms.Nonce})
	switch {
	case err != nil:
		return fmt.Errorf("add up the parts of a ticket: %w", err)
	case sum.Parts >= MaxParts:
		return problem.New(problem.TooLarge, "A concatenation may have %d parts. Send larger ones.", MaxParts)
	case sum.Bytes+c.Size > c.limit:
		return c.errTooLarge()
	}
	return nil
}

// join inserts an upload that takes the bytes of its parts. What they have reserved passes to it.
func (c *creation) join(ctx context.Context, q *store.Queries, key []byte) error {
	parts, err := c.parts(ctx, q)
	if err != nil {
		return err
	}
	if final := parts[0].FinalID; final != nil {
		return c.rejoin(ctx, q, key, *final)
	}
	c.Size = 0
	joined := store.JoinParams{AccountID: c.terms.Account, ID: c.id, Segments: []string{}, Sizes: []int64{}}
	for _, p := range parts {
		if p.FinalID != nil {
			return errPart
		}
		c.Size += p.Bytes
		joined.Segments, joined.Sizes = append(joined.Segments, p.Segments...), append(joined.Sizes, p.Sizes...)
		err := q.TakePart(ctx, store.TakePartParams{AccountID: p.AccountID, ID: p.ID, FinalID: c.id})
		if err != nil {
			return fmt.Errorf("take a part: %w", err)
		}
	}
	switch {
	case c.Size > c.limit:
		return c.errTooLarge()
	case c.Size == 0:
		return problem.New(problem.BadRequest, "The file is empty. Choose another.")
	}
	if err := c.insertRow(ctx, q, key, c.Size); err != nil {
		return err
	}
	joined.Bytes = c.Size
	if err := q.Join(ctx, joined); err != nil {
		return fmt.Errorf("join parts: %w", err)
	}
	return nil
}

var errPart = problem.New(problem.BadRequest, "A part of the concatenation is unknown, incomplete, of another upload, "+
	"or used already. Send the parts again.")

// parts returns the rows of the parts, in the order of the keys.
func (c *creation) parts(ctx context.Context, q *store.Queries) ([]store.Upload, error) {
	hashes := make([][]byte, len(c.Parts))
	for i, key := range c.Parts {
		hashes[i] = keyHash(key)
	}
	rows, err := q.PartsByKey(ctx, hashes)
	if err != nil {
		return nil, fmt.Errorf("read parts: %w", err)
	}
	parts := make([]store.Upload, len(hashes))
	for i, hash := range hashes {
		at := slices.IndexFunc(rows, func(row store.Upload) bool { return string(row.KeyHash) == string(hash) })
		if at < 0 || !c.owns(rows[at]) {
			return nil, errPart
		}
		parts[i] = rows[at]
		rows = slices.Delete(rows, at, at+1) // no part counts twice
	}
	return parts, nil
}

// owns reports whether a row is a complete part of this upload's ticket or user.
func (c *creation) owns(row store.Upload) bool {
	if !row.Partial || row.AccountID != c.terms.Account || row.SizeExpected == nil || row.Bytes != *row.SizeExpected {
		return false
	}
	if row.State != stateReceiving && row.FinalID == nil || row.State == stateReceiving && row.Writer != nil {
		return false
	}
	if c.Ticket != nil {
		return row.ProfileID != nil && *row.ProfileID == c.terms.Profile && row.Nonce != nil && *row.Nonce == c.terms.Nonce
	}
	return row.Ticket == nil && row.UserID != nil && *row.UserID == *c.user
}

// rejoin answers a client that has not received the answer to its concatenation. Other parts than those of the first
// time, or the same in another order, have another key.
func (c *creation) rejoin(ctx context.Context, q *store.Queries, key []byte, final uuid.UUID) error {
	row, err := q.ResumableByKey(ctx, key)
	switch {
	case errors.Is(err, pgx.ErrNoRows) || err == nil && row.ID != final:
		return errPart
	case err != nil:
		return fmt.Errorf("read a concatenation: %w", err)
	}
	return resumableOf(row).refusal()
}

// Assets adds files to items. Package attach implements it: it imports this package, never the reverse.
type Assets interface {
	// MayAddForm checks that the actor may add a file to an item, and the JSON of its form.
	MayAddForm(ctx context.Context, item uuid.UUID, form []byte) error
	// AddStored is what attach.Service.Add does, for a file of size bytes. It calls also in the same transaction.
	AddStored(ctx context.Context, id uuid.UUID, form []byte, size int64, content io.Reader,
		also func(ctx context.Context, tx pgx.Tx) error) (item.Document, error)
}
