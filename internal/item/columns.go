package item

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
)

// load reads an item from its columns, to render a stale document again. Error: NOT_FOUND.
func (s *Service) load(ctx context.Context, q *store.Queries, account, id uuid.UUID) (*Item, error) {
	row, err := q.GetItem(ctx, store.GetItemParams{AccountID: account, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read item: %w", err)
	}
	assets, err := q.AssetsOf(ctx, store.AssetsOfParams{AccountID: account, ItemID: id})
	if err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	snapshots, err := q.SnapshotsOf(ctx, store.SnapshotsOfParams{AccountID: account, ItemID: id})
	if err != nil {
		return nil, fmt.Errorf("read snapshots: %w", err)
	}
	return s.itemOf(row, assets, snapshots)
}

// itemOf returns the item of a row, and of the rows of its assets and snapshots in order.
func (s *Service) itemOf(row store.GetItemRow, assets []store.Asset, snapshots []store.Snapshot) (*Item, error) {
	i := &Item{
		ID: row.ID, URL: s.url(row.ID), Name: row.Name, Description: row.Description, Type: ItemType(row.Type),
		Privacy: Privacy(row.Privacy), Language: row.Language, Producer: row.Producer, Duration: row.Duration,
		Tags: row.Tags, ClientData: row.ClientData, Assets: []Asset{}, Snapshots: []Snapshot{}, SnapshotID: row.SnapshotID,
		EmbedCode: row.EmbedCode, PlayerURL: row.PlayerUrl, CreatedBy: row.CreatedBy, CreatedAt: row.CreatedAt,
		UpdatedAt: row.UpdatedAt, PublishedAt: row.PublishedAt, Revision: row.Revision,
	}
	var err error
	if i.Metadata, err = sortKeys(row.Metadata); err != nil {
		return nil, err
	}
	if row.WorkflowProfileID != nil && row.WorkflowStatus != nil {
		i.Workflow = &ItemWorkflow{
			ProfileID: *row.WorkflowProfileID, Status: *row.WorkflowStatus, CurrentAction: row.WorkflowAction,
		}
	}
	for _, a := range assets {
		i.Assets = append(i.Assets, Asset{
			ID: a.ID, Kind: AssetKind(a.Kind), URL: s.documentURL(a.Url), ContentType: a.ContentType, Size: a.Size,
			Width: a.Width, Height: a.Height, Bitrate: a.Bitrate, Language: a.Language,
		})
	}
	for _, p := range snapshots {
		i.Snapshots = append(i.Snapshots, Snapshot{ID: p.ID, URL: s.documentURL(p.Url)})
	}
	s.setPlayer(i, nil)
	return i, nil
}

func (s *Service) insertRow(ctx context.Context, tx pgx.Tx, account uuid.UUID, i *Item, document []byte) error {
	profile, status, action := i.workflowColumns()
	embedCode, playerURL := s.playerColumns(i)
	err := store.New(db.Deferred(tx)).InsertItem(ctx, store.InsertItemParams{
		WorkflowProfileID: profile, WorkflowStatus: status, WorkflowAction: action, ID: i.ID, AccountID: account,
		Name: i.Name, Description: i.Description, Type: string(i.Type), Privacy: string(i.Privacy), Language: i.Language,
		Producer: i.Producer, Duration: i.Duration, Tags: i.Tags, Metadata: i.Metadata, ClientData: i.ClientData,
		SnapshotID: i.SnapshotID, EmbedCode: embedCode, PlayerUrl: playerURL, CreatedBy: i.CreatedBy,
		CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt, PublishedAt: i.PublishedAt, Revision: i.Revision,
		Document: document, DocumentVersion: s.version, Search: i.words().String(),
	})
	if err != nil {
		return fmt.Errorf("insert item: %w", err)
	}
	return s.insertMedia(ctx, store.New(tx), account, i)
}

// updateRow also replaces the rows of assets and snapshots if media is true, and the words of the search unless they
// are nil.
func (s *Service) updateRow(
	ctx context.Context, tx pgx.Tx, account uuid.UUID, i *Item, document []byte, media bool, words *string,
) error {
	q := store.New(db.Deferred(tx))
	profile, status, action := i.workflowColumns()
	embedCode, playerURL := s.playerColumns(i)
	err := q.UpdateItem(ctx, store.UpdateItemParams{
		WorkflowProfileID: profile, WorkflowStatus: status, WorkflowAction: action, ID: i.ID, AccountID: account,
		Name: i.Name, Description: i.Description, Type: string(i.Type), Privacy: string(i.Privacy), Language: i.Language,
		Producer: i.Producer, Duration: i.Duration, Tags: i.Tags, Metadata: i.Metadata, ClientData: i.ClientData,
		SnapshotID: i.SnapshotID, EmbedCode: embedCode, PlayerUrl: playerURL, UpdatedAt: i.UpdatedAt,
		PublishedAt: i.PublishedAt, Revision: i.Revision, Document: document, DocumentVersion: s.version,
		Search: words,
	})
	if err != nil {
		return fmt.Errorf("update item: %w", err)
	}
	if !media {
		return nil
	}
	if err := q.DeleteAssets(ctx, store.DeleteAssetsParams{AccountID: account, ItemID: i.ID}); err != nil {
		return fmt.Errorf("delete assets: %w", err)
	}
	if err := q.DeleteSnapshots(ctx, store.DeleteSnapshotsParams{AccountID: account, ItemID: i.ID}); err != nil {
		return fmt.Errorf("delete snapshots: %w", err)
	}
	return s.insertMedia(ctx, store.New(tx), account, i)
}

func (i *Item) workflowColumns() (profile *uuid.UUID, status, action *string) {
	if i.Workflow == nil {
		return nil, nil, nil
	}
	return &i.Workflow.ProfileID, &i.Workflow.Status, i.Workflow.CurrentAction
}

func (s *Service) insertMedia(ctx context.Context, q *store.Queries, account uuid.UUID, i *Item) error {
	if len(i.Assets) > 0 {
		rows := make([]store.InsertAssetParams, len(i.Assets))
		for n, a := range i.Assets {
			rows[n] = store.InsertAssetParams{
				ID: a.ID, AccountID: account, ItemID: i.ID, Position: int32(n), Kind: string(a.Kind),
				Url: s.columnURL(a.ID, a.URL), ContentType: a.ContentType, Size: a.Size, Width: a.Width, Height: a.Height,
				Bitrate: a.Bitrate, Language: a.Language,
			}
		}
		if _, err := q.InsertAsset(ctx, rows); err != nil {
			return fmt.Errorf("insert assets: %w", err)
		}
	}
	if len(i.Snapshots) > 0 {
		rows := make([]store.InsertSnapshotParams, len(i.Snapshots))
		for n, p := range i.Snapshots {
			rows[n] = store.InsertSnapshotParams{
				ID: p.ID, AccountID: account, ItemID: i.ID, Position: int32(n), Url: s.columnURL(p.ID, p.URL),
			}
		}
		if _, err := q.InsertSnapshot(ctx, rows); err != nil {
			return fmt.Errorf("insert snapshots: %w", err)
		}
	}
	return nil
}
