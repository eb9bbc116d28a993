package upload

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"itemcast/internal/media"
	"itemcast/internal/problem"
	"itemcast/internal/upload/internal/store"
)

// Checksum is what a client says of the bytes of one request.
type Checksum struct {
	Hash hash.Hash
	Sum  []byte
}

// ErrChecksum is returned for bytes that do not have their checksum.
var ErrChecksum = problem.New(problem.ChecksumMismatch,
	"The bytes of this request do not have its Upload-Checksum. None was kept; send them again.")

// countEvery is how long bytes may be stored and not counted. A killed node loses these and no more.
const countEvery = 5 * time.Second

// progress is what the table says of an upload's bytes.
type progress struct {
	segments []media.Segment
	open     []string // keys that may have bytes which do not count
	received int64
	hash     hash.Hash // of all bytes; nil: unknown
	torn     bool
}

// Write stores what source returns after the bytes that have come, and returns how many of them count then. What was
// stored before an error counts, too, but for a wrong checksum: then nothing does. The source's end is that of its
// request, complete or not. Errors: CHECKSUM_MISMATCH; UNSUPPORTED_MEDIA_TYPE, which ends the upload; GONE;
// STORAGE_UNAVAILABLE.
func (h *Held) Write(ctx context.Context, source io.Reader, want *Checksum) (int64, error) {
	before := h.Received
	if before < HeadSize && !h.Partial {
		var err error
		if source, err = h.withHead(ctx, source); err != nil {
			return 0, err
		}
	}
	now, err := h.progress()
	if err != nil {
		return 0, err
	}
	w := &writing{h: h, source: source, want: want, now: now}
	for !w.ended && w.now.received < h.Size {
		if err := w.segment(ctx); err != nil {
			return h.Received - before, err
		}
	}
	if want == nil {
		return h.Received - before, nil
	}
	if !bytes.Equal(want.Hash.Sum(nil), want.Sum) {
		w.discard(ctx)
		return 0, ErrChecksum
	}
	err = h.count(ctx, w.now)
	return h.Received - before, err
}

// withHead checks the type of a file when the source completes its head, before a byte of it is stored. It returns a
// reader of the whole source.
func (h *Held) withHead(ctx context.Context, source io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(source, HeadSize)
	rest, _ := buffered.Peek(HeadSize - int(h.Received)) // what fails here fails again
	if int(h.Received)+len(rest) < HeadSize {
		return buffered, nil
	}
	head, err := h.head(ctx)
	if err != nil {
		return nil, err
	}
	return buffered, h.checkType(ctx, append(head, rest...))
}

func (h *Held) progress() (progress, error) {
	p := progress{segments: h.segments(), open: slices.Clone(h.row.OpenSegments), received: h.Received, torn: h.row.Torn}
	if p.received > 0 && h.row.Hash == nil {
		return p, nil
	}
	p.hash = sha256.New()
	if p.received == 0 {
		return p, nil
	}
	if err := p.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(h.row.Hash); err != nil {
		return p, fmt.Errorf("restore a hash: %w", err)
	}
	return p, nil
}

// writing stores the bytes of one request.
type writing struct {
	h      *Held
	source io.Reader
	want   *Checksum
	now    progress // with what does not count yet
	opened []string // new keys
	ended  bool     // the source has ended
}

// segment stores the next run of bytes. Without a checksum, they count at once.
func (w *writing) segment(ctx context.Context) error {
	segment, grown, err := w.target(ctx)
	if err != nil {
		return err
	}
	r := &run{r: w.source, left: min(w.h.s.Media.MaxSegment(), w.h.Size-w.now.received)}
	if w.want == nil {
		r.until = time.Now().Add(countEvery)
	}
	into := []io.Writer{}
	if w.now.hash != nil {
		into = append(into, w.now.hash)
	}
	if w.want != nil {
		into = append(into, w.want.Hash)
	}
	n, err := w.h.s.Media.Extend(ctx, segment, r, io.MultiWriter(into...))
	if err != nil {
		w.discard(ctx)
		return err
	}
	w.ended = r.ended
	if n == 0 {
		return nil
	}
	segment.Size += n
	if grown {
		w.now.segments[len(w.now.segments)-1] = segment
	} else {
		w.now.segments = append(w.now.segments, segment)
		w.now.open = slices.DeleteFunc(w.now.open, func(key string) bool { return key == segment.Key })
		w.now.torn = false
	}
	w.now.received += n
	if w.want != nil {
		return nil
	}
	return w.h.count(ctx, w.now)
}

// target returns the segment that gets the next bytes: the last one, if it can grow, or a new one, which is recorded
// before its first byte.
func (w *writing) target(ctx context.Context) (segment media.Segment, grown bool, err error) {
	if last := len(w.now.segments) - 1; last >= 0 && !w.now.torn && w.h.s.Media.SegmentsGrow() {
		return w.now.segments[last], true, nil
	}
	segment.Key = media.NewSegment()
	w.now.open, w.opened = append(w.now.open, segment.Key), append(w.opened, segment.Key)
	h := w.h
	recorded, err := store.New(h.s.Pool).OpenSegments(ctx, store.OpenSegmentsParams{AccountID: h.Account, ID: h.ID,
		Writer: h.writer, OpenSegments: w.now.open})
	switch {
	case err != nil:
		return segment, false, fmt.Errorf("record a segment: %w", err)
	case recorded == 0:
		return segment, false, errEnded
	}
	h.row.OpenSegments = w.now.open
	return segment, false, nil
}

// discard deletes what this request has stored in new segments and does not count. What fails is deleted at the end.
func (w *writing) discard(ctx context.Context) {
	for _, key := range w.opened {
		if !slices.Contains(w.h.row.Segments, key) {
			_ = w.h.s.Media.DeleteSegments(ctx, key)
		}
	}
}

// count makes stored bytes count.
func (h *Held) count(ctx context.Context, p progress) error {
	keep := 0
	before := h.segments()
	for keep < len(before) && keep < len(p.segments) && before[keep] == p.segments[keep] {
		keep++
	}
	var state []byte
	if p.hash != nil {
		var err error
		if state, err = p.hash.(encoding.BinaryMarshaler).MarshalBinary(); err != nil {
			return fmt.Errorf("store a hash: %w", err)
		}
	}
	keys, sizes := []string{}, []int64{}
	for _, segment := range p.segments[keep:] {
		keys, sizes = append(keys, segment.Key), append(sizes, segment.Size)
	}
	expires := h.s.now().Add(ExpireAfter)
	counted, err := store.New(h.s.Pool).StoreSegments(ctx, store.StoreSegmentsParams{AccountID: h.Account, ID: h.ID,
		Writer: h.writer, Keep: int32(keep), Segments: keys, Sizes: sizes, OpenSegments: p.open, Bytes: p.received,
		Hash: state, Torn: p.torn, ExpiresAt: &expires})
	switch {
	case err != nil:
		return fmt.Errorf("count an upload's bytes: %w", err)
	case counted == 0: // it was stopped, or has another holder, who may need the segments that counted before
		keys = slices.DeleteFunc(keys, func(key string) bool { return slices.Contains(h.row.Segments, key) })
		_ = h.s.Media.DeleteSegments(ctx, keys...)
		return errEnded
	}
	h.s.metrics.bytes.Add(p.received - h.Received)
	h.row.Segments = append(h.row.Segments[:keep:keep], keys...)
	h.row.Sizes = append(h.row.Sizes[:keep:keep], sizes...)
	h.row.OpenSegments, h.row.Hash, h.row.Torn, h.Received, h.ExpiresAt = p.open, state, p.torn, p.received, expires
	return nil
}

// run reads a run of bytes, up to a length and a time.
type run struct {
	r     io.Reader
	left  int64
	until time.Time // zero: at any time
	ended bool      // the reader has ended
}

func (r *run) Read(p []byte) (int, error) {
	if r.left == 0 || !r.until.IsZero() && time.Now().After(r.until) {
		return 0, io.EOF
	}
	n, err := r.r.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if err == io.EOF {
		r.ended = true
	}
	return n, err
}
