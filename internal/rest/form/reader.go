package form

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"itemcast/internal/problem"
	"itemcast/internal/rest/incoming"
)

// FileField is the name of the fields of files.
const FileField = "file"

const (
	bufferSize = 128 << 10 // bytes; package multipart reads 4 kB at a time
	maxAfter   = 64 << 10  // bytes after the form's end
)

// Reader reads the parts of a form.
type Reader struct {
	body   *tail
	parts  *multipart.Reader
	end    []byte // the line that ends the form
	number int    // of the part
	ended  bool
}

// New returns the form that a request sends as its body. body is that of the request, or what the caller has wrapped
// around it. Error: BAD_REQUEST without a boundary.
func New(r *http.Request, body io.Reader) (*Reader, error) {
	_, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	boundary := parameters["boundary"]
	if err != nil || boundary == "" || len(boundary) > 70 { // RFC 2046 §5.1.1
		return nil, problem.New(problem.BadRequest, "The Content-Type must name the form's boundary, of at most 70 "+
			"characters. Leave the header out, so that the browser or curl -F sets it.")
	}
	all := &tail{r: bufio.NewReaderSize(body, bufferSize)}
	return &Reader{body: all, parts: multipart.NewReader(all, boundary), end: []byte("--" + boundary + "--")}, nil
}

// Next returns the next part. It skips what the caller has not read of the part before, and inputs of a page in which
// no file was chosen. At the end of the form it reads the rest of the body, and returns nil. Errors: BAD_REQUEST; those
// of the body.
func (f *Reader) Next() (*Part, error) {
	for !f.ended {
		f.number++
		raw, err := f.parts.NextRawPart()
		switch {
		case err == io.EOF && bytes.Contains(f.body.last, f.end): //nolint:errorlint // see explain
			f.ended = true
			return nil, f.readRest()
		case err != nil:
			return nil, f.explain(err)
		}
		p, err := f.read(raw)
		if err != nil {
			return nil, err
		}
		unfilled, err := p.isUnfilled()
		if err != nil || !unfilled {
			return p, err
		}
	}
	return nil, nil
}

// explain returns what a client sees of a part that cannot be read. A body that ends between parts has a wrapped
// io.EOF, and one that ends after a header line the same io.EOF as a whole form.
func (f *Reader) explain(err error) error {
	switch {
	case problem.Of(err) != nil:
		return err
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return incoming.ErrIncomplete
	case f.body.ended: // in a header line, which then looks malformed
		return incoming.ErrIncomplete
	case errors.Is(err, multipart.ErrMessageTooLarge):
		return problem.New(problem.BadRequest, "The headers of part %d of the form are too large.", f.number)
	}
	return problem.New(problem.BadRequest, "Part %d of the form cannot be read: its boundary or its headers are "+
		"malformed (RFC 7578).", f.number)
}

// readRest reads what follows the form, so that its end stands for the whole body.
func (f *Reader) readRest() error {
	n, err := io.Copy(io.Discard, io.LimitReader(f.body, maxAfter+1))
	switch {
	case err != nil:
		return err
	case n > maxAfter:
		return problem.New(problem.BadRequest, "More than %d bytes follow the end of the form.", maxAfter)
	}
	return nil
}

// tail keeps the last bytes that were read, of which package multipart holds some that it has not looked at.
type tail struct {
	r     io.Reader
	last  []byte
	ended bool
}

const tailSize = 8 << 10 // bytes; package multipart holds half of that

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.ended = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if t.last = append(t.last, p[:n]...); len(t.last) > 2*tailSize {
		t.last = append(t.last[:0], t.last[len(t.last)-tailSize:]...)
	}
	return n, err
}
