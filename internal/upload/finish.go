package upload

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/problem"
)

// Made is an item that an upload has made.
type Made struct {
	ID       uuid.UUID
	Document []byte
}

// Finish makes an item of each file, publishes the files, starts the items' workflows and spends the nonce, in one
// transaction. Errors: BAD_REQUEST without a file; RULE_VIOLATED; CONFLICT if somebody has stopped the upload;
// UPLOADS_DISABLED if the profile has stopped to take uploads meanwhile.
func (u *Upload) Finish() ([]Made, error) {
	if len(u.files) == 0 {
		return nil, problem.New(problem.BadRequest, "The upload has no file. Send one or more in fields with the name file.")
	}
	terms, err := u.s.Terms(u.ctx, u.ticket.Profile) // those of now
	switch {
	case err != nil && !problem.Is(err, problem.NotFound):
		return nil, err
	case err != nil || !terms.Enabled:
		return nil, errDisabled
	}
	ctx := account.WithActor(u.ctx, actorOf(terms))
	made := make([]Made, len(u.files))
	err = db.Write(ctx, u.s.Pool, func(ctx context.Context, tx pgx.Tx) error {
		items := make([]uuid.UUID, len(u.files))
		for i, f := range u.files {
			document, id, err := u.makeItem(ctx, f)
			if err != nil {
				return err
			}
			made[i], items[i] = Made{ID: id, Document: document.Bytes}, id
		}
		return u.finish(ctx, tx, items...)
	})
	if err != nil {
		return nil, u.Explain(err)
	}
	u.finished = true
	return made, nil
}

var errDisabled = problem.New(problem.UploadsDisabled,
	"The ticket's workflow profile has stopped to take uploads. Ask its owner to enable them.")

// makeItem makes an item with a file as its source.
func (u *Upload) makeItem(ctx context.Context, f received) (document item.Document, id uuid.UUID, err error) {
	input, err := u.ticket.ItemInput(f.Name)
	if err != nil {
		return item.Document{}, uuid.Nil, err
	}
	return u.makeItemOf(ctx, input, f)
}

func (u *Upload) makeItemOf(
	ctx context.Context, input []byte, f received,
) (document item.Document, id uuid.UUID, err error) {
	document, err = u.s.Items.CreateWithMedia(ctx, input,
		func(ctx context.Context, tx pgx.Tx, made uuid.UUID) (item.Media, error) {
			id = made
			counts := media.Measures{Profile: u.profile()}
			if f.kind == item.ItemTypeVideo || f.kind == item.ItemTypeAudio {
				counts.Length = unmeasured
			}
			if err := u.s.Media.Measure(ctx, tx, u.ticket.Account, f.Asset, counts); err != nil {
				return item.Media{}, err
			}
			if err := u.s.Media.Publish(ctx, tx, u.ticket.Account, made, f.Asset); err != nil {
				return item.Media{}, fmt.Errorf("publish a file: %w", err)
			}
			source := u.s.Media.AssetOf(f.File, item.AssetKindSource)
			return item.Media{Add: []item.Asset{source}, Set: item.MediaFields{Type: f.kind}}, nil
		})
	return document, id, err
}
