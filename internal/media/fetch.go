package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/media/internal/store"
	"itemcast/internal/problem"
)

// Access says why a file may be fetched. It decides who may keep it.
type Access int

// The reasons.
const (
	ByPrivacy   Access = iota // the item is public or unlisted: anybody
	BySignature               // the request has a signature, which is valid for a time
	ByUser                    // the request's user may see the item now
)

// Request asks for a file.
type Request struct {
	Asset     uuid.UUID
	Name      string
	Signature string // of a link; "" for none
	// Identify returns the context of the request's user. It is called for private and for absent files only.
	Identify func() (context.Context, error)
}

// Fetched is a file that may be fetched.
type Fetched struct {
	File
	Stored time.Time // when its first byte was stored
	Access Access
	Until  time.Time // with BySignature: when the signature expires

	key string
}

// Fetch finds a file that the request may fetch. Public and unlisted files are for everybody. A signature that is
// wrong or has expired is none. Errors: NOT_FOUND, also if the user may not see the item; UNAUTHENTICATED for wrong
// credentials; those of Identify.
func (s *Service) Fetch(ctx context.Context, r Request) (Fetched, error) {
	if checkName(r.Name) != nil { // no file has it, and Postgres may not take it
		return Fetched{}, s.absent(r)
	}
	row, err := store.New(db.Read(ctx, s.pool)).FetchedFile(ctx, store.FetchedFileParams{AssetID: r.Asset, Name: r.Name})
	if errors.Is(err, pgx.ErrNoRows) {
		return Fetched{}, s.absent(r)
	}
	if err != nil {
		return Fetched{}, fmt.Errorf("find a file: %w", err)
	}
	f := Fetched{Stored: row.CreatedAt, key: row.Key, File: File{Asset: row.AssetID, Name: row.Name,
		ContentType: row.ContentType, Size: *row.Size, SHA256: [len(File{}.SHA256)]byte(row.Sha256)}}
	if item.Privacy(row.Privacy) != item.PrivacyPrivate {
		return f, nil
	}
	if r.Signature != "" {
		until, err := s.verify(ctx, mediaLink, r.Asset, r.Signature)
		if err != nil {
			return Fetched{}, err
		}
		f.Access, f.Until = BySignature, until
		return f, nil
	}
	f.Access = ByUser
	return f, MaySee(s.items, r.Identify, *row.ItemID)
}

// absent returns the error for a file that is not there.
func (s *Service) absent(r Request) error {
	if r.Signature == "" {
		if err := WrongCredentials(r.Identify); err != nil {
			return err
		}
	}
	return errNotFound
}

// WrongCredentials returns the error that a request with credentials gets for a private file. It also gets it for one
// that is not there: otherwise, wrong credentials would tell the two apart.
func WrongCredentials(identify func() (context.Context, error)) error {
	_, err := identify()
	if problem.Is(err, problem.NotFound) || problem.Is(err, problem.Forbidden) {
		return nil
	}
	return err
}

// MaySee returns NOT_FOUND unless a request's user may see an item. A request without a user gets the same answer.
func MaySee(items *item.Service, identify func() (context.Context, error), id uuid.UUID) error {
	ctx, err := identify()
	if err == nil {
		_, err = items.Get(ctx, id)
		if problem.Is(err, problem.Unauthenticated) { // nobody, as opposed to wrong credentials
			return errNotFound
		}
	}
	if problem.Is(err, problem.NotFound) || problem.Is(err, problem.Forbidden) {
		return errNotFound
	}
	return err
}

// Content returns the bytes of a file. ctx counts until they are closed. Error: STORAGE_UNAVAILABLE, also later when
// the first byte is asked for, by [Service.ExplainRead].
func (s *Service) Content(ctx context.Context, f Fetched) (io.ReadSeekCloser, error) {
	return s.open(ctx, f.key, f.File)
}

// ExplainRead returns what a client sees of an error of reading the content of a file: STORAGE_UNAVAILABLE.
func (s *Service) ExplainRead(ctx context.Context, f Fetched, err error) error {
	return s.explainRead(ctx, f.File, err)
}
