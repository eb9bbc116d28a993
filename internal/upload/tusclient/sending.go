package tusclient

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// unknown is the offset after a failure, until the server has told it.
const unknown = -1

// sending is an upload under way.
type sending struct {
	*Client
	Upload
	url    string
	offset int64       // that the server has; unknown: ask
	kept   int64       // the largest offset so far; unknown: none
	header http.Header // of the last answer

	failures int       // since the last progress
	failing  time.Time // since when there is no progress
}

// step sends the next request.
func (s *sending) step(ctx context.Context) error {
	switch {
	case s.url == "":
		return s.create(ctx)
	case s.offset == unknown:
		return s.locate(ctx)
	case s.offset < s.Size:
		return s.patch(ctx)
	}
	if err := s.locate(ctx); err != nil { // the server has all bytes and is not done with them
		return err
	}
	if !s.done() {
		return errUnfinished
	}
	return nil
}

func (s *sending) done() bool {
	return s.url != "" && s.offset == s.Size && (s.Complete == nil || s.Complete(s.header))
}

// create asks for an upload's URL.
func (s *sending) create(ctx context.Context) error {
	header := s.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Upload-Length", strconv.FormatInt(s.Size, 10))
	if metadata := encodeMetadata(s.Metadata); metadata != "" {
		header.Set("Upload-Metadata", metadata)
	}
	answer, err := s.request(ctx, http.MethodPost, s.Endpoint, header, nil)
	if err != nil {
		return err
	}
	if err := answer.want(http.StatusCreated); err != nil {
		return err
	}
	base, err := url.Parse(s.Endpoint)
	if err != nil {
		return fmt.Errorf("read the URL of the server: %w", err)
	}
	location, err := base.Parse(answer.header.Get("Location"))
	if err != nil || answer.header.Get("Location") == "" {
		return answer.malformed("a Location")
	}
	s.url, s.header = location.String(), answer.header
	s.reached(0)
	if s.Created != nil {
		return s.Created(s.url)
	}
	return nil
}

// locate asks how many bytes the server has.
func (s *sending) locate(ctx context.Context) error {
	answer, err := s.request(ctx, http.MethodHead, s.url, nil, nil)
	if err != nil {
		return err
	}
	switch err := answer.want(http.StatusOK, http.StatusNoContent); {
	case errors.Is(err, ErrGone):
		return s.whyGone(ctx, err)
	case err != nil:
		return err
	}
	if length := answer.header.Get("Upload-Length"); length != strconv.FormatInt(s.Size, 10) {
		return fmt.Errorf("%w: another one, of %s bytes, has its address", ErrGone, length)
	}
	offset, err := answer.offset()
	if err != nil || offset > s.Size {
		return answer.malformed("an Upload-Offset within the upload")
	}
	s.header = answer.header
	s.reached(offset)
	s.tell(offset)
	return nil
}

// whyGone asks why the server no longer has an upload, because an answer to HEAD cannot say it. An empty PATCH changes
// nothing. It returns gone if the server gives no reason.
func (s *sending) whyGone(ctx context.Context, gone error) error {
	answer, err := s.request(ctx, http.MethodPatch, s.url, http.Header{
		"Content-Type": {"application/offset+octet-stream"}, "Upload-Offset": {strconv.FormatInt(max(0, s.kept), 10)}}, nil)
	if err != nil {
		return gone
	}
	if why := answer.want(http.StatusNoContent); errors.Is(why, ErrGone) {
		return why
	}
	return gone
}

// patch sends the next chunk.
func (s *sending) patch(ctx context.Context) error {
	if s.Check != nil {
		if err := s.Check(); err != nil {
			return err
		}
	}
	size := s.ChunkSize
	if size <= 0 {
		size = DefaultChunkSize
	}
	from, size := s.offset, min(size, s.Size-s.offset)
	header := http.Header{
		"Content-Type":  {"application/offset+octet-stream"},
		"Upload-Offset": {strconv.FormatInt(from, 10)},
	}
	if !s.Unchecked {
		sum, err := checksum(io.NewSectionReader(s.Content, from, size))
		if err != nil {
			return err
		}
		header.Set("Upload-Checksum", sum)
	}
	s.offset = unknown
	answer, err := s.request(ctx, http.MethodPatch, s.url, header, &body{
		SectionReader: io.NewSectionReader(s.Content, from, size), sent: func(n int64) { s.tell(from + n) }})
	if err != nil {
		return err
	}
	if err := answer.want(http.StatusNoContent, http.StatusOK); err != nil {
		return err
	}
	offset, err := answer.offset()
	if err != nil || offset <= from || offset > from+size {
		return answer.malformed("an Upload-Offset within the chunk")
	}
	s.header = answer.header
	s.reached(offset)
	return nil
}

// checksum returns the header of a chunk that is about to be sent.
func checksum(chunk *io.SectionReader) (string, error) {
	sum := sha256.New()
	if n, err := io.Copy(sum, chunk); err != nil || n < chunk.Size() {
		return "", fmt.Errorf("read the file: %w", cmp.Or(err, io.ErrUnexpectedEOF))
	}
	return "sha256 " + base64.StdEncoding.EncodeToString(sum.Sum(nil)), nil
}

// request sends a request and notes that the server answers.
func (s *sending) request(
	ctx context.Context, method, url string, header http.Header, content *body,
) (*answer, error) {
	a, err := s.do(ctx, method, url, header, content, func() { s.answered.Store(true) })
	if err != nil && content != nil && content.failed() != nil {
		return nil, fmt.Errorf("read the file: %w", content.failed())
	}
	return a, err
}

// reached notes the server's offset. A larger one than ever is progress.
func (s *sending) reached(offset int64) {
	s.offset = offset
	if offset > s.kept {
		s.kept, s.failures, s.failing = offset, 0, time.Time{}
	}
}

func (s *sending) tell(sent int64) {
	if s.Progress != nil {
		s.Progress(sent)
	}
}

// retry waits before the next step after a failure that may pass, and returns any other.
func (s *sending) retry(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	passes, asked := mayPass(err)
	if !passes {
		return err
	}
	if s.url == "" && !s.answered.Load() { // probably a wrong address
		return &Away{Cause: err}
	}
	now := time.Now()
	if s.failing.IsZero() {
		s.failing = now
	}
	limit := s.RetryFor
	if limit == 0 {
		limit = DefaultRetryFor
	}
	if waited := now.Sub(s.failing); waited >= limit {
		return &Away{Cause: err, For: max(waited, 1)}
	}
	if s.Retrying != nil && !errors.Is(err, errUnfinished) {
		s.Retrying(err)
	}
	pause := max(backoff(s.failures), asked)
	s.failures++
	if s.offset == s.Size {
		s.offset = unknown
	}
	if s.Pause != nil {
		return s.Pause(ctx, pause)
	}
	return sleep(ctx, pause)
}
