package upload

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/media"
	"itemcast/internal/problem"
	"itemcast/internal/upload/internal/store"
)

const (
	wayTus         = "tus"
	stateReceiving = "receiving"
)

// ExpireAfter is how long a resumable upload waits for its next bytes.
const ExpireAfter = 24 * time.Hour

// Resumable is an upload that comes in several requests. Whoever has its key may continue and end it.
type Resumable struct {
	ID        uuid.UUID
	Account   uuid.UUID
	Profile   *uuid.UUID        // of its ticket; nil: a user's upload
	Size      int64             // bytes
	Received  int64             // bytes that are stored
	Metadata  map[string]string // without the ticket
	Partial   bool              // it is a part of a concatenation, and makes no item itself
	Joined    bool              // it has the bytes of parts, and takes no more
	Done      bool              // its item has it
	Items     []uuid.UUID       // that it has made, or belongs to
	ExpiresAt time.Time

	row store.Upload
}

// Complete reports whether all bytes are stored. Only Done says that the item has them.
func (r Resumable) Complete() bool { return r.Received == r.Size }

// keyLength is that of rand.Text: 26 characters of base32, which have 130 bits.
const keyLength = 26

// newKey returns a random key for the URL of an upload. The table has only its digest.
func newKey() string { return rand.Text() }

// joinedKey returns the key of the upload that takes parts. It is the same for the same parts, so a client that asks
// again gets the same URL. Who knows the keys of the parts may know it.
func joinedKey(parts []string) string {
	sum := sha256.Sum256([]byte("parts " + strings.Join(parts, " ")))
	return base32.StdEncoding.EncodeToString(sum[:])[:keyLength]
}

func keyHash(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

var (
	errNoUpload = problem.New(problem.NotFound, "There is no upload at this URL. Start the upload again.")
	errEnded    = problem.New(problem.Gone, "The upload was stopped. Nothing of it was kept; start it again.")
	errLocked   = problem.New(problem.Locked, "Another request holds the upload at the moment. Try again in a second.")
)

// Resumable returns the upload with a key. Errors: NOT_FOUND; GONE if it has ended without an item.
func (s *Service) Resumable(ctx context.Context, key string) (Resumable, error) {
	row, err := store.New(db.Read(ctx, s.Pool)).ResumableByKey(ctx, keyHash(key))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Resumable{}, errNoUpload
	case err != nil:
		return Resumable{}, fmt.Errorf("read an upload: %w", err)
	}
	r := resumableOf(row)
	return r, r.refusal()
}

// refusal returns why an upload has ended; nil if it has not, or a later one has taken its bytes.
func (r Resumable) refusal() error {
	switch {
	case r.row.State == stateReceiving || r.Done || r.row.FinalID != nil:
		return nil
	case r.row.Refusal != nil:
		return problem.New(problem.Gone, "%s", *r.row.Refusal)
	}
	return errEnded
}

func resumableOf(row store.Upload) Resumable {
	r := Resumable{ID: row.ID, Account: row.AccountID, Received: row.Bytes, Partial: row.Partial, Joined: row.Joined,
		Done: row.State == stateDone, Items: row.ItemIds, row: row}
	if row.Ticket != nil {
		r.Profile = row.ProfileID
	}
	if row.SizeExpected != nil {
		r.Size = *row.SizeExpected
	}
	if row.ExpiresAt != nil {
		r.ExpiresAt = *row.ExpiresAt
	}
	_ = json.Unmarshal(row.Metadata, &r.Metadata) // CreateResumable has encoded it
	return r
}

func (r Resumable) segments() []media.Segment {
	all := make([]media.Segment, len(r.row.Segments))
	for i, key := range r.row.Segments {
		all[i] = media.Segment{Key: key, Size: r.row.Sizes[i]}
	}
	return all
}

// The names under which tus clients send a file's name.
const (
	metaFileName = "filename"
	metaName     = "name"
)

// fileName returns the name of the file as its user knows it.
func (r Resumable) fileName() string { return nameIn(r.Metadata) }

func nameIn(metadata map[string]string) string {
	for _, key := range []string{metaFileName, metaName} {
		if metadata[key] != "" {
			return CleanName(metadata[key])
		}
	}
	return noName
}
