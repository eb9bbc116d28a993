package form

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"itemcast/internal/problem"
	"itemcast/internal/rest/incoming"
)

// Part is a part of a form. Read it before the next one.
type Part struct {
	Name     string
	FileName string // as the form has it; never "" for a file
	IsFile   bool   // it has a file name
	Number   int    // from 1

	raw    io.Reader
	length int64     // that its header says; -1: nothing
	digest []byte    // the SHA-256 that its header says; nil: nothing
	size   int64     // read
	hash   hash.Hash // of what was read, if there is a digest
	err    error     // why it ended; io.EOF: it is complete
}

// read reads the headers of a part.
func (f *Reader) read(raw *multipart.Part) (*Part, error) {
	dispositions := raw.Header["Content-Disposition"]
	if len(dispositions) != 1 {
		return nil, problem.New(problem.BadRequest, "Part %d of the form has %d headers Content-Disposition, and must have "+
			"one.", f.number, len(dispositions))
	}
	kind, parameters, err := mime.ParseMediaType(dispositions[0])
	switch {
	case err != nil || kind != "form-data":
		return nil, problem.New(problem.BadRequest, "The Content-Disposition of part %d of the form is malformed. Write "+
			`form-data; name="file"; filename="NAME", with quotes around each value.`, f.number)
	case parameters["name"] == "":
		return nil, problem.New(problem.BadRequest, "Part %d of the form has no name. Name the field of a file %s.",
			f.number, FileField)
	}
	if encoding := raw.Header.Get("Content-Transfer-Encoding"); encoding != "" &&
		!slices.Contains([]string{"binary", "8bit", "7bit"}, strings.ToLower(encoding)) {
		return nil, problem.New(problem.BadRequest, "Part %d of the form has the Content-Transfer-Encoding %q. Send files "+
			"as they are (RFC 7578 §4.7).", f.number, Shown(encoding))
	}
	p := &Part{Name: parameters["name"], Number: f.number, raw: raw}
	p.FileName, p.IsFile = parameters["filename"]
	if p.length, err = lengthOf(raw.Header.Values("Content-Length")); err != nil {
		return nil, problem.New(problem.BadRequest, "The Content-Length of part %d of the form is no number of bytes.",
			f.number)
	}
	if p.digest, err = sha256Of(raw.Header.Values("Content-Digest")); err != nil {
		return nil, problem.New(problem.BadRequest, "The Content-Digest of part %d of the form is malformed. Write "+
			"sha-256=:BASE64: (RFC 9530).", f.number)
	}
	if p.digest != nil {
		p.hash = sha256.New()
	}
	return p, nil
}

// isUnfilled reports whether the part is an input of a page in which no file was chosen: it has an empty file name and
// no content (HTML, "constructing the entry list"). Error: BAD_REQUEST for a content without a file name.
func (p *Part) isUnfilled() (bool, error) {
	if !p.IsFile || p.FileName != "" {
		return false, nil
	}
	n, err := p.Read(make([]byte, 1))
	switch {
	case n > 0:
		return false, ErrNoFileName(p.Number)
	case errors.Is(err, io.EOF):
		return true, nil
	}
	return false, err
}

// ErrNoFileName is the error of a file without a name, in a part.
func ErrNoFileName(part int) error {
	return problem.New(problem.BadRequest, "Part %d of the form has a file without a name. Give it one, as curl -F "+
		"file=@PATH does.", part)
}

// Read fills p as far as it can, so that a store does not write 4 kB at a time. Errors: BAD_REQUEST for a part that is
// cut off, or not as its header says; those of the body.
func (p *Part) Read(into []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	n, err := io.ReadFull(p.raw, into)
	p.size += int64(n)
	if p.digest != nil {
		p.hash.Write(into[:n])
	}
	switch {
	case n > 0 && errors.Is(err, io.ErrUnexpectedEOF):
		return n, nil // the next call returns the part's own error
	case errors.Is(err, io.ErrUnexpectedEOF):
		p.err = incoming.ErrIncomplete
	case err == io.EOF:
		p.err = p.verify()
	default:
		p.err = err
	}
	return n, p.err
}

// verify holds what was read of a whole part against its header. It returns io.EOF if they agree.
func (p *Part) verify() error {
	switch {
	case p.length >= 0 && p.size != p.length:
		return problem.New(problem.BadRequest, "Part %d of the form has %d bytes, and its Content-Length says %d. Send it "+
			"again.", p.Number, p.size, p.length)
	case p.digest != nil && !bytes.Equal(p.hash.Sum(nil), p.digest):
		return problem.New(problem.BadRequest, "Part %d of the form does not have the SHA-256 of its Content-Digest. Send "+
			"it again.", p.Number)
	}
	return io.EOF
}

// Text returns the value of a field of at most some bytes. Error: TOO_LARGE.
func (p *Part) Text(limit int) (string, error) {
	value, err := io.ReadAll(io.LimitReader(p, int64(limit)+1))
	switch {
	case err != nil:
		return "", err
	case len(value) > limit:
		return "", problem.New(problem.TooLarge, "The field in part %d of the form may have %d bytes.", p.Number, limit)
	}
	return string(value), nil
}

// Shown returns the beginning of a text that a client has sent, to show it in an error.
func Shown(text string) string {
	const most = 60
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
