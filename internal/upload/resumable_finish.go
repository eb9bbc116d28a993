package upload

import (
	"context"
	"crypto/sha256"
	"encoding"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/account/secret"
	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/problem"
	"itemcast/internal/upload/internal/store"
	"itemcast/internal/upload/ticket"
)

// Finish makes the item of an upload whose bytes have all come, or adds the file to its item, in one transaction with
// the upload's end. It does nothing for a part, an incomplete upload, and one that is done. An error that trying again
// does not mend ends the upload; after another one, Run tries again. Errors: UNSUPPORTED_MEDIA_TYPE, RULE_VIOLATED,
// UPLOADS_DISABLED, FORBIDDEN, NOT_FOUND and those of the item; STORAGE_UNAVAILABLE, UNAVAILABLE.
func (h *Held) Finish(ctx context.Context) error {
	if h.Partial || h.Done || !h.Complete() {
		return nil
	}
	ctx = context.WithoutCancel(ctx) // a client that is gone does not undo what has been stored
	items, err := h.makeItems(ctx)
	if err != nil {
		return h.refuse(ctx, err)
	}
	h.Done, h.Items = true, items
	h.s.setHeld(h, false)
	h.s.metrics.done.Add(1)
	if err := h.s.Media.DeleteSegments(ctx, append(h.row.Segments, h.row.OpenSegments...)...); err == nil {
		_ = store.New(h.s.Pool).ForgetSegments(ctx, store.ForgetSegmentsParams{AccountID: h.Account, ID: h.ID})
	}
	return nil
}

// refuse ends an upload that cannot become an item.
func (h *Held) refuse(ctx context.Context, err error) error {
	known := problem.From(err)
	if known.Code.IsTemporary() || known.Code == problem.Internal || errors.Is(err, errEnded) {
		return err
	}
	h.s.metrics.failed.Add(1)
	if ended := h.end(ctx, &known.Detail); ended != nil {
		return ended
	}
	if len(h.row.AssetIds) > 0 {
		_ = h.s.discardAll(ctx, h.Account, h.ID, h.row.AssetIds) // if that fails, Sweep does it
	}
	return err
}

func (h *Held) makeItems(ctx context.Context) ([]uuid.UUID, error) {
	if h.row.Ticket != nil {
		return h.makeTicketItem(ctx)
	}
	actor, err := account.Present(ctx, h.s.Pool, h.origin())
	if err != nil {
		return nil, err
	}
	ctx = account.WithActor(ctx, actor)
	if h.Metadata[metaItem] != "" {
		return h.addAsset(ctx)
	}
	input, err := itemInput(h.Metadata)
	if err != nil {
		return nil, err
	}
	t, err := h.s.addingTicket(ctx, actor, newProfile(actor, h.Metadata))
	if err != nil {
		return nil, err
	}
	return h.makeItem(ctx, t, input)
}

func (h *Held) origin() account.Origin {
	o := account.Origin{Account: h.Account, User: *h.row.UserID}
	if h.row.TokenDigest != nil {
		digest := secret.Digest(h.row.TokenDigest)
		o.Token = &digest
	}
	return o
}

// makeTicketItem makes an item by the terms that its ticket's profile has now.
func (h *Held) makeTicketItem(ctx context.Context) ([]uuid.UUID, error) {
	t, err := h.ticket(ctx)
	if err != nil {
		return nil, err
	}
	input, err := t.ItemInput(h.fileName())
	if err != nil {
		return nil, err
	}
	return h.makeItem(account.WithActor(ctx, actorOf(t.Terms)), t, input)
}

// ticket returns the ticket as the profile's terms of now allow it.
func (h *Held) ticket(ctx context.Context) (ticket.Ticket, error) {
	terms, err := h.s.Terms(ctx, *h.Profile)
	switch {
	case err != nil && !problem.Is(err, problem.NotFound):
		return ticket.Ticket{}, err
	case err != nil || !terms.Enabled:
		return ticket.Ticket{}, errDisabled
	}
	return ticket.Reread(*h.row.Ticket, h.row.StartedAt, terms)
}

// checkType ends an upload whose first bytes are of a type that its ticket does not take.
func (h *Held) checkType(ctx context.Context, head []byte) error {
	if h.Metadata[metaItem] != "" {
		return nil // the kind of the asset decides
	}
	t := ticket.Ticket{}
	if h.row.Ticket != nil {
		var err error
		if t, err = h.ticket(ctx); err != nil {
			return h.refuse(ctx, err)
		}
	}
	contentType, kind := Sniff(head)
	if err := (&Upload{ticket: t}).allow(h.fileName(), contentType, kind); err != nil {
		return h.refuse(ctx, err)
	}
	return nil
}

// makeItem stores the file and makes an item of it.
func (h *Held) makeItem(ctx context.Context, t ticket.Ticket, input []byte) ([]uuid.UUID, error) {
	contentType, kind, err := h.sniff(ctx)
	if err != nil {
		return nil, err
	}
	u := &Upload{s: h.s, id: h.ID, ticket: t}
	if err := u.allow(h.fileName(), contentType, kind); err != nil {
		return nil, err
	}
	f := media.File{Asset: uuid.Must(uuid.NewV7()), Name: h.fileName(), ContentType: contentType, Size: h.Size}
	if f.SHA256, err = h.sum(); err != nil {
		return nil, err
	}
	if err := h.recordAsset(ctx, f.Asset); err != nil {
		return nil, err
	}
	stored, err := h.s.Media.StageSegments(ctx, h.Account, f, h.segments())
	if err != nil {
		return nil, err
	}
	var made uuid.UUID
	err = db.Write(ctx, h.s.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if _, made, err = u.makeItemOf(ctx, input, received{stored, kind}); err != nil {
			return err
		}
		return h.finishRow(ctx, tx, made)
	})
	return []uuid.UUID{made}, err
}

// addAsset adds the file to the item that the metadata names.
func (h *Held) addAsset(ctx context.Context) ([]uuid.UUID, error) {
	id, err := uuid.Parse(h.Metadata[metaItem])
	if err != nil {
		return nil, fmt.Errorf("read the item of an upload: %w", err)
	}
	ctx = WithIncoming(ctx, Incoming{Size: h.Size, Instead: h.ID})
	content := h.s.Media.ReadSegments(ctx, h.segments())
	defer content.Close()
	_, err = h.s.Assets.AddStored(ctx, id, assetForm(h.Metadata), h.Size, content,
		func(ctx context.Context, tx pgx.Tx) error { return h.finishRow(ctx, tx, id) })
	return []uuid.UUID{id}, err
}

// finishRow spends the nonce in the transaction that shows the file. Whoever else finishes the upload makes nothing.
func (h *Held) finishRow(ctx context.Context, tx pgx.Tx, made uuid.UUID) error {
	finished, err := store.New(tx).Finish(ctx, store.FinishParams{AccountID: h.Account, ID: h.ID, Writer: &h.writer,
		Bytes: h.Received, ItemIds: []uuid.UUID{made}})
	switch {
	case err != nil:
		return fmt.Errorf("finish an upload: %w", err)
	case finished == 0:
		return errEnded
	}
	return nil
}

func (h *Held) recordAsset(ctx context.Context, asset uuid.UUID) error {
	recorded, err := store.New(h.s.Pool).AddHeldAsset(ctx, store.AddHeldAssetParams{AccountID: h.Account, ID: h.ID,
		Writer: h.writer, AssetID: asset})
	switch {
	case err != nil:
		return fmt.Errorf("record a file: %w", err)
	case recorded == 0:
		return errEnded
	}
	h.row.AssetIds = append(h.row.AssetIds, asset)
	return nil
}

func (h *Held) sniff(ctx context.Context) (contentType string, kind item.ItemType, err error) {
	head, err := h.head(ctx)
	if err != nil {
		return "", "", err
	}
	contentType, kind = Sniff(head)
	return contentType, kind, nil
}

// head returns the first bytes that are stored, at most HeadSize.
func (h *Held) head(ctx context.Context) ([]byte, error) {
	content := h.s.Media.ReadSegments(ctx, h.segments())
	defer content.Close()
	return io.ReadAll(io.LimitReader(content, HeadSize))
}

// sum returns the SHA-256 of the bytes; zero if it is unknown, or their last segment may still change.
func (h *Held) sum() (sum [sha256.Size]byte, err error) {
	if h.row.Hash == nil || h.row.Torn {
		return sum, nil
	}
	state := sha256.New()
	if err := state.(encoding.BinaryUnmarshaler).UnmarshalBinary(h.row.Hash); err != nil {
		return sum, fmt.Errorf("restore a hash: %w", err)
	}
	return [sha256.Size]byte(state.Sum(nil)), nil
}
