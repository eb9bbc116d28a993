package tus

import (
	"context"
	"errors"
	"io"
	"maps"

	"github.com/tus/tusd/v2/pkg/handler"

	"itemcast/internal/problem"
	"itemcast/internal/upload"
)

// store gives tusd the uploads of package upload. tusd passes the context of the request to each call.
type store struct{ h *Handler }

var (
	_ handler.DataStore           = store{}
	_ handler.TerminaterDataStore = store{}
	_ handler.ConcaterDataStore   = store{}
	_ handler.Locker              = store{}
)

// known keeps the error of a request for its answer, and returns one that tusd sends on.
func known(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if c := callOf(ctx); c != nil {
		c.err = err
	}
	return handler.NewError("ERR_ITEMCAST", "", problem.From(err).Code.Status())
}

// NewUpload creates the upload that the handler has admitted.
func (s store) NewUpload(ctx context.Context, info handler.FileInfo) (handler.Upload, error) {
	c := callOf(ctx)
	n := *c.create
	n.Size, n.Partial = info.Size, info.IsPartial
	if info.IsFinal {
		n.Parts = info.PartialUploads
	}
	if n.Metadata == nil { // a draft's, which tusd reads from other headers
		n.Metadata = maps.Clone(map[string]string(info.MetaData))
	}
	key, err := s.h.Uploads.CreateResumable(ctx, n)
	if err != nil {
		return nil, known(ctx, err)
	}
	info.ID = key
	return &one{s.h, key, info}, nil
}

// GetUpload returns an upload. One whose bytes have all come is finished first: clients take the full length for the
// end.
func (s store) GetUpload(ctx context.Context, key string) (handler.Upload, error) {
	c := callOf(ctx)
	if c.held == nil || c.key != key {
		r, err := s.h.Uploads.Resumable(ctx, key)
		if err != nil {
			return nil, known(ctx, err)
		}
		return &one{s.h, key, infoOf(key, r)}, nil
	}
	if err := c.held.Finish(ctx); err != nil {
		return nil, known(ctx, err)
	}
	return &one{s.h, key, infoOf(key, c.held.Resumable)}, nil
}

func infoOf(key string, r upload.Resumable) handler.FileInfo {
	return handler.FileInfo{ID: key, Size: r.Size, Offset: r.Received, MetaData: r.Metadata, IsPartial: r.Partial,
		IsFinal: r.Joined}
}

func (s store) AsTerminatableUpload(u handler.Upload) handler.TerminatableUpload { return u.(*one) }
func (s store) AsConcatableUpload(u handler.Upload) handler.ConcatableUpload     { return u.(*one) }

// one is an upload.
type one struct {
	h    *Handler
	key  string
	info handler.FileInfo
}

func (o *one) GetInfo(context.Context) (handler.FileInfo, error) { return o.info, nil }

// WriteChunk stores the bytes of a request.
func (o *one) WriteChunk(ctx context.Context, _ int64, source io.Reader) (int64, error) {
	c := callOf(ctx)
	n, err := c.held.Write(ctx, source, c.checksum)
	if errors.Is(err, upload.ErrChecksum) && c.body.failed {
		return 0, nil // tusd answers with the failure of the body
	}
	return n, known(ctx, err)
}

// FinishUpload makes the upload an item.
func (o *one) FinishUpload(ctx context.Context) error {
	c := callOf(ctx)
	if c.held == nil {
		return nil
	}
	return known(ctx, c.held.Finish(ctx))
}

// ConcatUploads finishes an upload that NewUpload has made of parts.
func (o *one) ConcatUploads(ctx context.Context, _ []handler.Upload) error {
	held, err := o.h.Uploads.Hold(ctx, o.key, func() {})
	if err != nil {
		return known(ctx, err)
	}
	callOf(ctx).held = held
	err = held.Finish(ctx)
	return known(ctx, errors.Join(err, held.LetGo(ctx)))
}

// Terminate ends the upload.
func (o *one) Terminate(ctx context.Context) error {
	return known(ctx, callOf(ctx).held.Terminate(ctx))
}

func (o *one) GetReader(context.Context) (io.ReadCloser, error) {
	return nil, handler.ErrNotImplemented
}

// NewLock is of the Locker that tusd asks for.
func (s store) NewLock(key string) (handler.Lock, error) { return &lock{h: s.h, key: key}, nil }

// lock is the hold of an upload.
type lock struct {
	h    *Handler
	key  string
	held *upload.Held
	ctx  context.Context // of the request
}

func (l *lock) Lock(ctx context.Context, _ func()) error {
	c := callOf(ctx)
	held, err := l.h.Uploads.Hold(ctx, l.key, c.body.interrupt)
	if err != nil {
		return known(ctx, err)
	}
	l.held, l.ctx = held, context.WithoutCancel(ctx)
	c.held, c.key = held, l.key
	return nil
}

func (l *lock) Unlock() error { return l.held.LetGo(l.ctx) }
