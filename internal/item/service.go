package item

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/page"
	"itemcast/internal/problem"
)

// Service reads and writes items. Its methods may be called concurrently; each authorizes the context's actor first.
type Service struct {
	pool       *pgxpool.Pool
	feed       *change.Feed
	sequencer  *change.Sequencer
	check      Checker
	checkPatch Checker
	publicURL  string
	version    int32
	log        *slog.Logger
}

// Checker holds JSON against the contract, as strict JSON and by a schema. The error tells every fault.
type Checker func(input []byte) *problem.Error

// Config is what a Service is made of. PublicURL is the base of every URL, without a trailing slash.
type Config struct {
	Pool       *pgxpool.Pool
	Feed       *change.Feed
	Sequencer  *change.Sequencer
	Check      Checker // by the schema ItemInput
	CheckPatch Checker // by the schema ItemPatch
	PublicURL  string
	Log        *slog.Logger
}

// NewService makes a Service.
func NewService(c Config) *Service {
	return &Service{pool: c.Pool, feed: c.Feed, sequencer: c.Sequencer, check: c.Check, checkPatch: c.CheckPatch,
		publicURL: c.PublicURL, version: documentVersion(c.PublicURL), log: c.Log}
}

func (s *Service) url(id uuid.UUID) string { return s.publicURL + "/api/v1/items/" + id.String() }

// Get returns an item's document. Errors: NOT_FOUND, and those of account.Authorize.
func (s *Service) Get(ctx context.Context, id uuid.UUID) (Document, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return Document{}, err
	}
	return s.document(ctx, actor.AccountID, actor.RoleIn(), id)
}

// document is of the item, unless it is hidden from the role; nil sees all of the account.
func (s *Service) document(ctx context.Context, accountID uuid.UUID, role *uuid.UUID, id uuid.UUID) (Document, error) {
	row, err := store.New(db.Read(ctx, s.pool)).GetDocument(ctx, store.GetDocumentParams{AccountID: accountID, ID: id, RoleID: role})
	if errors.Is(err, pgx.ErrNoRows) {
		return Document{}, errNotFound
	}
	if err != nil {
		return Document{}, fmt.Errorf("read document: %w", err)
	}
	if row.DocumentVersion != s.version {
		return s.renew(ctx, accountID, id)
	}
	return Document{Bytes: row.Document, Revision: row.Revision}, nil
}

// Sample returns the document of an item to try a hook with: that of the id, else the newest, else one that is made up. A hook sees all of its
// account, and so does whoever manages them. Error: NOT_FOUND for an id that there is not.
func (s *Service) Sample(ctx context.Context, id *uuid.UUID) (Document, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Document{}, err
	}
	actor.RoleID = uuid.Nil
	if id != nil {
		return s.document(ctx, actor.AccountID, actor.RoleIn(), *id)
	}
	page, err := s.list(ctx, actor, Filter{}, Paging{Limit: 1})
	if err != nil {
		return Document{}, err
	}
	if len(page.Items) == 1 {
		return s.document(ctx, actor.AccountID, actor.RoleIn(), page.Items[0].ID)
	}
	made := uuid.Must(uuid.NewV7()) // fails only without a source of randomness
	now := time.Now()
	document, err := Encode(&Item{ID: made, URL: s.url(made), Name: "A sample item", Description: "Made up, to try a hook with.", Type: ItemTypeVideo,
		Privacy: PrivacyPrivate, Tags: []string{"sample"}, Metadata: json.RawMessage("{}"), ClientData: json.RawMessage("{}"), Assets: []Asset{},
		Snapshots: []Snapshot{}, CreatedAt: now, UpdatedAt: now, Revision: 1})
	return Document{Bytes: document, Revision: 1}, err
}

// GetMany returns the documents of those of the ids that there are, in one statement.
func (s *Service) GetMany(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]byte, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).DocumentsByID(ctx, store.DocumentsByIDParams{AccountID: actor.AccountID, Ids: ids, RoleID: actor.RoleIn()})
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	documents := make(map[uuid.UUID][]byte, len(rows))
	for _, row := range rows {
		if row.DocumentVersion != s.version {
			renewed, err := s.renew(ctx, actor.AccountID, row.ID)
			if problem.Is(err, problem.NotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			row.Document = renewed.Bytes
		}
		documents[row.ID] = row.Document
	}
	return documents, nil
}

// Tag is a tag in use, with the number of items that carry it.
type Tag struct {
	Name  string
	Items int64
}

// Tags returns every tag in use, by name.
func (s *Service) Tags(ctx context.Context) ([]Tag, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListTags(ctx, store.ListTagsParams{AccountID: actor.AccountID, RoleID: actor.RoleIn()})
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	tags := make([]Tag, len(rows))
	for i, row := range rows {
		tags[i] = Tag(row)
	}
	return tags, nil
}

// History returns up to limit changes of an item that the log retains, newest first, starting after a page token of an
// earlier call; next is empty on the last page. The history of a deleted item remains. Changes from a time when a workflow
// profile hid the item from the actor's role are left out, so a page may be short. Errors: INVALID_CURSOR; NOT_FOUND when
// the actor sees neither the item nor a change of it.
func (s *Service) History(ctx context.Context, id uuid.UUID, limit int, after string) (changes []*change.Change, next string, err error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, "", err
	}
	var before int64 // 0: from the newest
	if after != "" {
		if err := page.Read(after, "history", &before); err != nil {
			return nil, "", err
		}
	}
	for more := true; more && len(changes) == 0; more = next != "" {
		read, err := change.History(ctx, db.Read(ctx, s.pool), actor.AccountID, actor.RoleIn(), id, before, limit+1)
		if err != nil {
			return nil, "", err
		}
		read, next = page.Cut(read, limit, func(c *change.Change) string { return page.Token("history", c.ID) })
		if next != "" {
			before = read[limit-1].ID
		}
		if changes, err = s.seen(ctx, actor, read); err != nil {
			return nil, "", err
		}
	}
	if len(changes) == 0 {
		_, err := s.Get(ctx, id)
		return nil, "", err
	}
	return changes, next, nil
}

// seen leaves out the changes that are hidden from the actor.
func (s *Service) seen(ctx context.Context, actor account.Actor, changes []*change.Change) ([]*change.Change, error) {
	if !slices.ContainsFunc(changes, func(c *change.Change) bool { return account.MayHaveProfile(c.Document) }) {
		return changes, nil
	}
	hidden, err := account.HiddenFrom(ctx, db.Read(ctx, s.pool), actor.AccountID, actor.RoleIn())
	if err != nil {
		return nil, err
	}
	shown := changes[:0]
	for _, c := range changes {
		hides, err := hidden.Hides(c.Document)
		if err != nil {
			return nil, err
		}
		if !hides {
			shown = append(shown, c)
		}
	}
	return shown, nil
}
