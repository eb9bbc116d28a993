package contract

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// body is what an operation takes as a body; nil for one that takes none.
type body struct {
	required  bool
	withRules bool // x-checked-with-rules: whoever takes it holds it against its schema, and the rules with it
	limit     int64
	types     []string
	schemas   map[string]*Schema // by media type; nil for what is no JSON, and streams through unread
}

// checkType settles whether there is a body, and whether it is of a kind that the operation takes, without reading it.
func (b *body) checkType(r *http.Request) error {
	switch {
	case b == nil && (isEmpty(r) || r.ContentLength < 0 && !hasByte(r.Body)):
		return nil
	case b == nil:
		return problem.New(problem.BadRequest, "This operation takes no body.")
	case isEmpty(r) && b.required:
		return errNoBody(b)
	case isEmpty(r):
		return nil
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return problem.New(problem.UnsupportedMediaType, "The body must be sent without Content-Encoding.")
	}
	if b.mediaType(r) == "" {
		return problem.New(problem.UnsupportedMediaType, "The Content-Type must be %s, in UTF-8.", strings.Join(b.types, " or "))
	}
	return nil
}

// check reads a JSON body, finds its faults, and puts back for the handler what was read. Of a body whose faults are told together with
// those against the rules it looks at no more than that it is JSON, if the rest of the request is sound.
func (b *body) check(w http.ResponseWriter, r *http.Request, sound bool) (problem.Faults, error) {
	if b == nil || isEmpty(r) {
		return nil, nil
	}
	schema := b.schemas[b.mediaType(r)]
	if schema == nil {
		return nil, nil
	}
	data, err := b.read(w, r)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	r.ContentLength = int64(len(data))
	if len(data) == 0 && !b.required {
		r.Body = http.NoBody
		return nil, nil
	}
	if len(data) == 0 {
		return nil, errNoBody(b)
	}
	value, invalid := strictjson.Parse(data, strictjson.Limits{})
	switch {
	case sound && b.withRules && (invalid == nil || invalid.Code == problem.InvalidInput):
		return nil, nil
	case invalid == nil:
		return schema.faults(value), nil
	case invalid.Code == problem.InvalidInput:
		return invalid.Faults, nil
	}
	return nil, invalid
}

func (b *body) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > b.limit {
		w.Header().Set("Connection", "close") // rather than read on to the end of it
		return nil, errTooLarge(b.limit)
	}
	var data bytes.Buffer
	if r.ContentLength > 0 {
		data.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := data.ReadFrom(http.MaxBytesReader(w, r.Body, b.limit))
	if err == nil {
		return data.Bytes(), nil
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, errTooLarge(tooLarge.Limit)
	}
	if gone := r.Context().Err(); gone != nil && !errors.Is(err, os.ErrDeadlineExceeded) { // with which net/http ends the context, too
		return nil, gone
	}
	return nil, problem.New(problem.BadRequest, "The body could not be read to its end.")
}

// mediaType returns which of the body's types the request has; "" for none.
func (b *body) mediaType(r *http.Request) string {
	given := r.Header["Content-Type"]
	if len(given) != 1 {
		return ""
	}
	if _, ok := b.schemas[given[0]]; ok {
		return given[0]
	}
	mediaType, parameters, err := mime.ParseMediaType(given[0])
	if err != nil {
		return ""
	}
	if charset, ok := parameters["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return ""
	}
	if _, ok := b.schemas[mediaType]; ok {
		return mediaType
	}
	return ""
}

// isEmpty reports whether a request is known to have no body; one that is sent in chunks may turn out to have none.
func isEmpty(r *http.Request) bool {
	return r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody
}

// hasByte reads a byte of a body that nobody wants, to learn whether there is one.
func hasByte(body io.Reader) bool {
	var one [1]byte
	n, _ := io.ReadFull(body, one[:])
	return n > 0
}

func errNoBody(b *body) error {
	return problem.New(problem.BadRequest, "A body is required: %s.", strings.Join(b.types, " or "))
}

func errTooLarge(limit int64) error {
	return problem.New(problem.TooLarge, "The body must be at most %d bytes.", limit)
}
