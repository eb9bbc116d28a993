package media

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/media/blob"
	"itemcast/internal/media/internal/store"
)

// Publish makes staged files of an item fetchable, in the transaction that puts their assets into the item. Each asset
// needs a staged file, and must be an asset or a snapshot of the item when the transaction ends: the sweep drops the
// files of others. Later files of an asset may be published by another call.
func (s *Service) Publish(ctx context.Context, tx pgx.Tx, account, item uuid.UUID, assets ...uuid.UUID) error {
	if len(assets) == 0 {
		return nil
	}
	published, err := store.New(tx).PublishFiles(ctx, store.PublishFilesParams{ItemID: &item, AccountID: account,
		AssetIds: assets})
	if err != nil {
		return fmt.Errorf("publish files: %w", err)
	}
	if int(published) != len(assets) {
		return fmt.Errorf("publish files: %d of %d assets have staged files", published, len(assets))
	}
	return nil
}

// Drop ends the files of assets, in the transaction that takes the assets out of their item. Their bytes are retained
// for a grace.
func (s *Service) Drop(ctx context.Context, tx pgx.Tx, account uuid.UUID, assets ...uuid.UUID) error {
	return Files{}.Drop(ctx, tx, account, assets...)
}

// Files ends the files of what an item loses. A Service needs the items, and the items need only this.
type Files struct{}

var _ item.Files = Files{}

// Drop is that of Service.
func (Files) Drop(ctx context.Context, tx pgx.Tx, account uuid.UUID, assets ...uuid.UUID) error {
	if len(assets) == 0 {
		return nil
	}
	err := store.New(db.Deferred(tx)).DropFiles(ctx, store.DropFilesParams{AccountID: account, AssetIds: assets})
	if err != nil {
		return fmt.Errorf("drop files: %w", err)
	}
	return nil
}

// Discard ends the staged files of assets that nobody wants any more. Their bytes have no grace.
func (s *Service) Discard(ctx context.Context, account uuid.UUID, assets ...uuid.UUID) error {
	if len(assets) == 0 {
		return nil
	}
	err := store.New(s.pool).DiscardFiles(ctx, store.DiscardFilesParams{AccountID: account, AssetIds: assets})
	if err != nil {
		return fmt.Errorf("discard files: %w", err)
	}
	s.discarded.Send()
	return nil
}

// Open returns a staged or published file, for the server's own work. Error: NOT_FOUND, STORAGE_UNAVAILABLE.
func (s *Service) Open(
	ctx context.Context, account, asset uuid.UUID, name string,
) (io.ReadSeekCloser, File, error) {
	row, err := store.New(db.Read(ctx, s.pool)).StoredFile(ctx, store.StoredFileParams{AccountID: account,
		AssetID: asset, Name: name})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, File{}, errNotFound
	}
	if err != nil {
		return nil, File{}, fmt.Errorf("read a file's row: %w", err)
	}
	f := File{Asset: row.AssetID, Name: row.Name, ContentType: row.ContentType, Size: *row.Size,
		SHA256: [len(File{}.SHA256)]byte(row.Sha256)}
	content, err := s.open(ctx, row.Key, f)
	return content, f, err
}

// open returns the bytes of a file.
func (s *Service) open(ctx context.Context, key string, f File) (io.ReadSeekCloser, error) {
	if s.bucket == nil {
		return nil, errNoStorage
	}
	content, err := s.bucket.Open(ctx, key, f.Size)
	if err != nil {
		return nil, s.explainRead(ctx, f, err)
	}
	return content, nil
}

// explainRead returns what the caller sees of a failed read, and logs the cause. A file that is not there may be lost,
// or else its storage.
func (s *Service) explainRead(ctx context.Context, f File, err error) error {
	if errors.Is(err, blob.ErrNotFound) {
		if away := s.explainCheck(ctx, s.Check(ctx)); away != nil {
			return away
		}
		return fmt.Errorf("the storage has lost the file %s of the asset %s", f.Name, f.Asset)
	}
	s.metrics.failed()
	s.log.Warn("cannot read a file", "asset_id", f.Asset, "name", f.Name, "error", err)
	return errStorage
}
