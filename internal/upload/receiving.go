package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/problem"
	"itemcast/internal/upload/internal/store"
	"itemcast/internal/upload/ticket"
)

const (
	wayForm   = "form"
	wayURL    = "url"
	stateDone = "done"
)

// Upload is an upload that this node receives. Its methods must not be called concurrently.
type Upload struct {
	s      *Service
	id     uuid.UUID
	ticket ticket.Ticket
	size   int64 // that the client has announced; -1: none
	limit  int64 // bytes of its files

	ctx    context.Context
	cancel context.CancelCauseFunc

	way     string
	user    *uuid.UUID // who sends it; nil: it came with a ticket
	instead uuid.UUID  // an upload whose reservation this one takes over
	minutes int32      // that it reserves
	limited bool       // its account or its profile has a quota
	begun   bool       // it has its reservation
	release func()     // ends what ends with ctx; nil: nothing

	reserved int64 // bytes of the quotas
	received atomic.Int64
	assets   []uuid.UUID // recorded
	files    []received  // stored
	finished bool
}

// received is a file that has been stored.
type received struct {
	media.File
	kind item.ItemType
}

func newUpload(ctx context.Context, s *Service, t ticket.Ticket, size int64) *Upload {
	u := &Upload{s: s, id: uuid.Must(uuid.NewV7()), ticket: t, size: size, limit: s.MaxSize, way: wayForm, minutes: 1}
	if t.Limit > 0 {
		u.limit = min(u.limit, t.Limit)
	}
	u.ctx, u.cancel = context.WithCancelCause(ctx)
	return u
}

// Context ends when somebody stops the upload; its cause then says so. What reads from the client must end with it.
func (u *Upload) Context() context.Context { return u.ctx }

func (u *Upload) announced() *int64 {
	if u.size < 0 {
		return nil
	}
	return &u.size
}

// Add stores a file, which nobody can fetch before Finish. name is that of the form; see CleanName. Errors: BAD_REQUEST
// for an empty file; TOO_LARGE; UNSUPPORTED_MEDIA_TYPE; STORAGE_UNAVAILABLE; those of r.
func (u *Upload) Add(name string, r io.Reader) error {
	if len(u.files) == MaxFiles {
		return problem.New(problem.TooLarge, "An upload may have %d files. Send the others with another ticket.", MaxFiles)
	}
	name = CleanName(name)
	counted := &counted{u: u, r: r}
	content, err := Recognize(name, counted)
	if err != nil {
		return err
	}
	if err := u.allow(name, content.ContentType, content.Kind); err != nil {
		return err
	}
	stored, err := u.store(media.File{Asset: uuid.Must(uuid.NewV7()), Name: name, ContentType: content.ContentType},
		u.room()+counted.n, counted, content)
	if err != nil {
		return err
	}
	if stored.Size != counted.n {
		return fmt.Errorf("the store has %d bytes of %d", stored.Size, counted.n)
	}
	u.files = append(u.files, received{stored, content.Kind})
	return nil
}

// store stores a file of which content is read, and r all of it.
func (u *Upload) store(f media.File, maxSize int64, content *counted, r io.Reader) (media.File, error) {
	if err := u.record(f.Asset); err != nil {
		return media.File{}, err
	}
	stored, err := u.s.Media.Stage(u.ctx, u.ticket.Account, f, maxSize, r)
	if failure := content.failure(); failure != nil {
		err = failure
	}
	return stored, u.Explain(err)
}

// Explain returns why somebody has stopped the upload, if that may have caused an error, and else the error.
func (u *Upload) Explain(err error) error {
	if cause := context.Cause(u.ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// allow refuses a type that the ticket does not take.
func (u *Upload) allow(name, contentType string, kind item.ItemType) error {
	if contentType == unknownType && len(u.ticket.ContentTypes) == 0 {
		return problem.New(problem.UnsupportedMediaType, "The first bytes of the file %q are of no kind that Itemcast "+
			"knows. Send a video, a sound, a picture or a document.", name)
	}
	if !allows(u.ticket, contentType) {
		return problem.New(problem.UnsupportedMediaType, "The file %q is of the type %s by its content, which the ticket "+
			"does not allow. Send another, or ask for another ticket.", name, contentType)
	}
	return u.allowKind(name, contentType, kind)
}

// record writes down the file before its first byte is stored, so that it can be found and discarded whatever happens.
func (u *Upload) record(asset uuid.UUID) error {
	recorded, err := store.New(u.s.Pool).AddAsset(u.ctx, store.AddAssetParams{AccountID: u.ticket.Account, ID: u.id,
		AssetID: asset})
	switch {
	case err != nil && u.ctx.Err() != nil:
		return context.Cause(u.ctx)
	case err != nil:
		return fmt.Errorf("record a file: %w", err)
	case recorded == 0:
		return errStopped
	}
	u.assets = append(u.assets, asset)
	return nil
}

// Limit is how many bytes the files of the upload may have together.
func (u *Upload) Limit() int64 { return u.limit }

// room is how many more bytes the files may have.
func (u *Upload) room() int64 { return u.limit - u.received.Load() }

// counted counts what is read of a file, and holds it against the upload's limits.
type counted struct {
	u   *Upload
	r   io.Reader
	n   int64
	err error // why it ended; io.EOF: it is complete
}

// failure returns why a file cannot be read to its end; nil while it can.
func (c *counted) failure() error {
	if c.err == io.EOF { //nolint:errorlint // readers return it as it is
		return nil
	}
	return c.err
}

func (c *counted) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	received := c.u.received.Add(int64(n))
	if c.u.room() < 0 {
		err = c.u.tooLarge()
	} else if received > c.u.reserved {
		if full := c.u.grow(); full != nil {
			err = full
		}
	}
	c.err = err
	return n, err
}

// grow reserves more of the quota for an upload that is longer than what it has reserved.
func (u *Upload) grow() error {
	if !u.limited {
		return nil
	}
	received, granted := u.received.Load(), int64(0)
	err := db.Write(u.ctx, u.s.Pool, func(ctx context.Context, tx pgx.Tx) (err error) {
		q := store.New(tx)
		if granted, err = u.s.keepQuota(ctx, q, u, received, received+firstReserve); err != nil {
			return err
		}
		reserved, err := q.Reserve(ctx, store.ReserveParams{AccountID: u.ticket.Account, ID: u.id, Reserved: granted})
		if err == nil && reserved == 0 {
			return errStopped
		}
		return err
	})
	if err == nil {
		u.reserved = granted
	}
	return err
}

// releaseTimeout is for ending an upload whose request has ended.
const releaseTimeout = 15 * time.Second

// End ends the upload: without Finish, its nonce is free again, and its files are discarded. What fails is left to Run.
func (u *Upload) End() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), releaseTimeout)
	defer cancel()
	defer u.cancel(nil)
	if u.release != nil {
		u.release()
	}
	u.s.forget(u)
	u.s.metrics.bytes.Add(u.received.Load())
	if u.finished {
		u.s.metrics.done.Add(1)
		return
	}
	u.s.metrics.failed.Add(1)
	q := store.New(u.s.Pool)
	err := q.Release(ctx, store.ReleaseParams{AccountID: u.ticket.Account, ID: u.id, Bytes: u.received.Load()})
	if err != nil {
		u.s.Log.WarnContext(ctx, "an upload cannot be released now", "upload_id", u.id, "error", err)
		return
	}
	if err := u.s.discardAll(ctx, u.ticket.Account, u.id, u.assets); err != nil {
		u.s.Log.WarnContext(ctx, "an upload's files cannot be discarded now", "upload_id", u.id, "error", err)
	}
}
