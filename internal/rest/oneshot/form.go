package oneshot

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"itemcast/internal/problem"
	"itemcast/internal/rest/incoming"
	"itemcast/internal/upload"
	"itemcast/internal/upload/ticket"
)

const (
	fileField  = "file"
	bufferSize = 128 << 10 // bytes; package multipart reads 4 kB at a time
	maxAfter   = 64 << 10  // bytes after the form's end
)

// form reads a multipart form in its order. Package multipart leaves out, without an error, parts whose names it cannot
// read, so names are read here.
type form struct {
	body    *tail
	parts   *multipart.Reader
	end     []byte // the line that ends the form
	number  int    // of the part
	pending *part
	files   bool // a file has come
}

// part is a part of a form. Its content must be read before the next part.
type part struct {
	name     string
	fileName string
	isFile   bool // it has a file name, which may be empty
	header   textproto.MIMEHeader
	content  io.Reader
}

// file is a file of a form.
type file struct {
	upload.File
	content io.Reader
}

func newForm(r *http.Request, body io.Reader) (*form, error) {
	_, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	boundary := parameters["boundary"]
	if err != nil || boundary == "" || len(boundary) > 70 { // RFC 2046 §5.1.1
		return nil, problem.New(problem.BadRequest, "The Content-Type must name the form's boundary, of at most 70 "+
			"characters. Leave the header out, so that the browser or curl -F sets it.")
	}
	all := &tail{r: bufio.NewReaderSize(body, bufferSize)}
	return &form{body: all, parts: multipart.NewReader(all, boundary), end: []byte("--" + boundary + "--")}, nil
}

// ticket reads the fields before the first file, which must be those of a ticket. Errors: BAD_REQUEST.
func (f *form) ticket() (infos, signatures []string, err error) {
	for {
		p, err := f.next()
		switch {
		case err != nil:
			return nil, nil, err
		case p == nil:
			return infos, signatures, nil
		case p.isFile:
			f.pending = p
			return infos, signatures, nil
		}
		value, err := p.text(f.number)
		if err != nil {
			return nil, nil, err
		}
		switch p.name {
		case ticket.InfoName:
			infos = append(infos, value)
		case ticket.SignatureName:
			signatures = append(signatures, value)
		default:
			return nil, nil, f.errField(p.name)
		}
	}
}

// nextFile returns the next file; nil at the end of the form. It skips an input of a page in which no file was chosen.
// Errors: BAD_REQUEST.
func (f *form) nextFile() (*file, error) {
	for {
		p, err := f.next()
		switch {
		case err != nil:
			return nil, err
		case p == nil:
			return nil, f.readRest()
		case !p.isFile && f.files:
			return nil, problem.New(problem.BadRequest, "The field %q comes after a file. Put all fields before the files.",
				shown(p.name))
		case !p.isFile:
			return nil, f.errField(p.name)
		case p.name != fileField:
			return nil, problem.New(problem.BadRequest, "A file is in the field %q. Name the field %s.", shown(p.name),
				fileField)
		}
		f.files = true
		content := bufio.NewReader(p.content)
		if _, err := content.Peek(1); p.fileName == "" && errors.Is(err, io.EOF) {
			continue // HTML, "constructing the entry list": an empty name, and no content
		}
		described, err := p.describe(f.number)
		if err != nil {
			return nil, err
		}
		return &file{described, whole{content}}, nil
	}
}

// next returns the next part; nil at the end of the form. Errors: BAD_REQUEST.
func (f *form) next() (*part, error) {
	if p := f.pending; p != nil {
		f.pending = nil
		return p, nil
	}
	f.number++
	raw, err := f.parts.NextRawPart()
	switch {
	case err == io.EOF && bytes.Contains(f.body.last, f.end):
		return nil, nil
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		// A body that ends between parts has a wrapped io.EOF, one that ends after a header line the same as a whole form.
		return nil, incoming.ErrIncomplete
	case errors.Is(err, multipart.ErrMessageTooLarge):
		return nil, problem.New(problem.BadRequest, "The headers of part %d of the form are too large.", f.number)
	case err != nil:
		return nil, problem.New(problem.BadRequest, "Part %d of the form cannot be read: its boundary or its headers are "+
			"malformed (RFC 7578).", f.number)
	}
	return f.read(raw)
}

// read reads the headers of a part.
func (f *form) read(raw *multipart.Part) (*part, error) {
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
			f.number, fileField)
	}
	if encoding := raw.Header.Get("Content-Transfer-Encoding"); encoding != "" &&
		!slices.Contains([]string{"binary", "8bit", "7bit"}, strings.ToLower(encoding)) {
		return nil, problem.New(problem.BadRequest, "Part %d of the form has the Content-Transfer-Encoding %q. Send files "+
			"as they are (RFC 7578 §4.7).", f.number, shown(encoding))
	}
	fileName, isFile := parameters["filename"]
	return &part{name: parameters["name"], fileName: fileName, isFile: isFile, header: raw.Header, content: raw}, nil
}

// readRest reads what follows the form, so that a 2xx stands for the whole body.
func (f *form) readRest() error {
	n, err := io.Copy(io.Discard, io.LimitReader(f.body, maxAfter+1))
	switch {
	case err != nil:
		return err
	case n > maxAfter:
		return problem.New(problem.BadRequest, "More than %d bytes follow the end of the form.", maxAfter)
	}
	return nil
}

// text returns the value of a field.
func (p *part) text(number int) (string, error) {
	value, err := io.ReadAll(io.LimitReader(p.content, ticket.MaxInfo+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "", incoming.ErrIncomplete
	case err != nil:
		return "", err
	case len(value) > ticket.MaxInfo:
		return "", problem.New(problem.TooLarge, "The field in part %d of the form may have %d characters.", number,
			ticket.MaxInfo)
	}
	return string(value), nil
}

// describe returns what the headers of a file say of it.
func (p *part) describe(number int) (upload.File, error) {
	f := upload.File{Name: p.fileName, Size: -1}
	if f.Name == "" {
		return f, errNoName(number)
	}
	if length := p.header.Get("Content-Length"); length != "" {
		size, err := strconv.ParseInt(length, 10, 64)
		if err != nil || size < 0 {
			return f, problem.New(problem.BadRequest, "The Content-Length of part %d of the form is no number of bytes.",
				number)
		}
		f.Size = size
	}
	digest, err := sha256Of(p.header.Values("Content-Digest"))
	if err != nil {
		return f, problem.New(problem.BadRequest, "The Content-Digest of part %d of the form is malformed. Write "+
			"sha-256=:BASE64: (RFC 9530).", number)
	}
	f.SHA256 = digest
	return f, nil
}

var errDigest = errors.New("malformed digest")

// sha256Of returns the SHA-256 of a header Content-Digest (RFC 9530 §2), nil if it has none. Other algorithms are
// ignored.
func sha256Of(values []string) (digest []byte, err error) {
	for entry := range strings.SplitSeq(strings.Join(values, ","), ",") {
		algorithm, value, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if !strings.EqualFold(algorithm, "sha-256") {
			continue
		}
		value, begins := strings.CutPrefix(value, ":")
		value, ends := strings.CutSuffix(value, ":")
		digest, err = base64.StdEncoding.DecodeString(value)
		if err != nil || !begins || !ends || len(digest) != 32 {
			return nil, errDigest
		}
	}
	return digest, nil
}

func (f *form) errField(name string) error {
	if name == fileField {
		return errNoName(f.number)
	}
	return problem.New(problem.BadRequest, "The form has a field %q. It may have %s and %s, then one or more files in "+
		"fields with the name %s.", shown(name), ticket.InfoName, ticket.SignatureName, fileField)
}

func errNoName(number int) error {
	return problem.New(problem.BadRequest, "Part %d of the form has a file without a name. Give it one, as curl -F "+
		"file=@PATH does.", number)
}

// shown returns the beginning of a text that a client has sent.
func shown(text string) string {
	const most = 60
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// whole fills the buffers of its reader, so that a store does not write 4 kB at a time.
type whole struct{ r io.Reader }

func (w whole) Read(p []byte) (int, error) {
	n, err := io.ReadFull(w.r, p)
	switch {
	case n > 0 && errors.Is(err, io.ErrUnexpectedEOF):
		return n, nil // the next call returns the reader's own error
	case errors.Is(err, io.ErrUnexpectedEOF):
		return 0, incoming.ErrIncomplete
	}
	return n, err
}

// tail keeps the last bytes that were read, of which package multipart holds some that it has not looked at.
type tail struct {
	r    io.Reader
	last []byte
}

const tailSize = 8 << 10 // bytes; package multipart holds half of that

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if t.last = append(t.last, p[:n]...); len(t.last) > 2*tailSize {
		t.last = append(t.last[:0], t.last[len(t.last)-tailSize:]...)
	}
	return n, err
}
