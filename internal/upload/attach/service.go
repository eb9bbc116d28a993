package attach

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/hook/egress"
	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/optional"
	"itemcast/internal/upload"
)

// Config is what a Service needs.
type Config struct {
	Items     *item.Service
	Media     *media.Service
	Uploads   *upload.Service   // reserves what files need of the account's quotas
	Reach     egress.Policy     // the addresses that may be fetched
	Transport http.RoundTripper // of Reach
	UserAgent string
	MaxSize   int64 // of a file, in bytes; 0: upload.DefaultMaxSize

	CheckForm  item.Checker // against the contract's schema AssetForm
	CheckByURL item.Checker // against its schema AssetByURL
}

// Service adds files to items. Its methods may be called concurrently.
type Service struct {
	items     *item.Service
	media     *media.Service
	uploads   *upload.Service
	reach     egress.Policy
	client    *http.Client
	userAgent string
	maxSize   int64

	checkForm, checkByURL item.Checker
}

// NewService returns a Service.
func NewService(c Config) *Service {
	s := &Service{items: c.Items, media: c.Media, uploads: c.Uploads, reach: c.Reach, userAgent: c.UserAgent,
		maxSize:   cmp.Or(c.MaxSize, upload.DefaultMaxSize),
		checkForm: c.CheckForm, checkByURL: c.CheckByURL}
	s.client = &http.Client{Transport: c.Transport, CheckRedirect: s.checkRedirect}
	return s
}

// Fields are what a client says of a file.
type Fields struct {
	Kind     item.AssetKind `json:"kind,omitempty"` // "": a source
	Language *string        `json:"language,omitempty"`
}

// Form is what a form says of its file, whose name stands for it.
type Form struct {
	Fields
	File string `json:"file"`
}

// ByURL is what a client says of a file at a URL.
type ByURL struct {
	Fields
	URL string `json:"url"`
}

// MayAdd checks that the actor may add files to an item. Call it before the file is read. Errors: NOT_FOUND, FORBIDDEN
// without items.edit.
func (s *Service) MayAdd(ctx context.Context, id uuid.UUID) error {
	return s.items.Hold(ctx, id, func(context.Context, pgx.Tx, item.Held) error { return nil })
}

// Add adds a file to an item as an asset. raw is the JSON of Form. A source takes the place of the item's present
// source, and subtitles that of the present ones in their language; their files end.
// Subtitles in SubRip become WebVTT. Errors: INVALID_INPUT; NOT_FOUND; FORBIDDEN without items.edit;
// UNSUPPORTED_MEDIA_TYPE for a file that is not of its kind; RULE_VIOLATED for text in place of a video or a sound;
// those of media.Service.Stage and item.Service.ChangeMedia, and those of content.
func (s *Service) Add(ctx context.Context, id uuid.UUID, raw []byte, content io.Reader) (item.Document, error) {
	form, err := s.readForm(ctx, raw)
	if err != nil {
		return item.Document{}, err
	}
	return s.add(ctx, id, form.Fields, source{name: form.File, content: content}, nil)
}

func (s *Service) readForm(ctx context.Context, raw []byte) (form Form, err error) {
	if _, err := account.Authorize(ctx, account.ItemsEdit); err != nil {
		return form, err
	}
	if invalid := s.checkForm(raw); invalid != nil {
		return form, invalid
	}
	if err := json.Unmarshal(raw, &form); err != nil {
		return form, fmt.Errorf("decode the fields of a form: %w", err)
	}
	return form, nil
}

// add adds a file to an item. also, unless it is nil, joins the transaction.
func (s *Service) add(
	ctx context.Context, id uuid.UUID, fields Fields, from source, also func(ctx context.Context, tx pgx.Tx) error,
) (item.Document, error) {
	kind := cmp.Or(fields.Kind, item.AssetKindSource)
	f, err := from.read(kind)
	if err != nil {
		return item.Document{}, err
	}
	f.plays = kind == item.AssetKindSource && (f.Kind == item.ItemTypeVideo || f.Kind == item.ItemTypeAudio)
	may := func(held item.Held) error { return s.mayReplace(held, f, kind) }
	return s.store(ctx, id, f, may, also, func(stored media.File, held item.Held) item.Media {
		added := s.media.AssetOf(stored, kind)
		added.Language = fields.Language
		change := item.Media{Add: []item.Asset{added}, Remove: s.superseded(held, added)}
		if kind == item.AssetKindSource {
			change.Set.Type = f.Kind
		}
		return change
	})
}

var _ upload.Assets = (*Service)(nil)

// MayAddForm is MayAdd, and checks the JSON of Form. Further error: INVALID_INPUT.
func (s *Service) MayAddForm(ctx context.Context, id uuid.UUID, raw []byte) error {
	if err := s.MayAdd(ctx, id); err != nil {
		return err
	}
	if invalid := s.checkForm(raw); invalid != nil {
		return invalid
	}
	return nil
}

// AddStored is Add for a file of size bytes. It calls also in the transaction of the item's change.
func (s *Service) AddStored(
	ctx context.Context, id uuid.UUID, raw []byte, size int64, content io.Reader,
	also func(ctx context.Context, tx pgx.Tx) error,
) (item.Document, error) {
	form, err := s.readForm(ctx, raw)
	if err != nil {
		return item.Document{}, err
	}
	return s.add(ctx, id, form.Fields, source{name: form.File, size: size, content: content}, also)
}

// AddSnapshot adds a picture to an item as a snapshot. With poster it represents the item. Errors: those of Add.
func (s *Service) AddSnapshot(
	ctx context.Context, id uuid.UUID, name string, poster bool, content io.Reader,
) (item.Document, error) {
	if _, err := account.Authorize(ctx, account.ItemsEdit); err != nil {
		return item.Document{}, err
	}
	f, err := source{name: name, content: content}.readPicture()
	if err != nil {
		return item.Document{}, err
	}
	may := func(item.Held) error { return nil }
	return s.store(ctx, id, f, may, nil, func(stored media.File, _ item.Held) item.Media {
		change := item.Media{AddSnapshots: []item.Snapshot{s.media.SnapshotOf(stored)}}
		if poster {
			change.Poster = &stored.Asset
		}
		return change
	})
}

// store stores a file and publishes it in the transaction of the item's change. What it needs of the quotas of the
// account and of the item's profile is reserved before a byte of it is stored. may is asked before that, and again in
// the transaction.
func (s *Service) store(
	ctx context.Context, id uuid.UUID, f file, may func(item.Held) error,
	also func(ctx context.Context, tx pgx.Tx) error, change func(stored media.File, held item.Held) item.Media,
) (item.Document, error) {
	adding := upload.Adding{ByURL: f.byURL, Size: f.size, Plays: f.plays}
	err := s.items.Hold(ctx, id, func(_ context.Context, _ pgx.Tx, held item.Held) error {
		if held.Workflow != nil {
			adding.Profile = &held.Workflow.ProfileID
		}
		return may(held)
	})
	if err != nil {
		return item.Document{}, err
	}
	u, err := s.uploads.BeginAdding(ctx, adding)
	if err != nil {
		return item.Document{}, err
	}
	defer u.End()
	stored, err := u.Store(media.File{Name: f.name, ContentType: f.ContentType, Size: f.size}, f)
	if err != nil {
		return item.Document{}, err
	}
	document, err := s.items.ChangeMedia(u.Context(), id,
		func(ctx context.Context, tx pgx.Tx, held item.Held) (item.Media, error) {
			if err := may(held); err != nil {
				return item.Media{}, err
			}
			if also != nil {
				if err := also(ctx, tx); err != nil {
					return item.Media{}, err
				}
			}
			return change(stored, held), u.Publish(ctx, tx, id, stored)
		})
	return document, u.Explain(err)
}

// superseded returns the assets of an item whose place a new one takes. External ones stay.
func (s *Service) superseded(held item.Held, added item.Asset) (ids []uuid.UUID) {
	for _, a := range held.Assets {
		takesPlace := a.Kind == added.Kind && s.items.HeldName(a.ID, a.URL) != "" && (a.Kind == item.AssetKindSource ||
			a.Kind == item.AssetKindSubtitle && optional.Equal(a.Language, added.Language))
		if takesPlace {
			ids = append(ids, a.ID)
		}
	}
	return slices.Clip(ids)
}
