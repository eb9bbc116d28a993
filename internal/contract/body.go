package contract

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// body checks the request body of one operation; nil if the operation takes none.
type body struct {
	required  bool
	withRules bool // x-checked-with-rules: the service checks the schema
	limit     int64
	types     []string
	serverSet *serverSet
	schemas   map[string]*Schema // by media type; nil for bodies that stream unread: of x-streams, and not JSON
}

// checkType checks, without reading the body, whether the operation takes one of this type.
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
		return problem.New(problem.UnsupportedMediaType, "Send the body without Content-Encoding.")
	}
	if b.mediaType(r) == "" {
		return problem.New(problem.UnsupportedMediaType, "The Content-Type must be %s, in UTF-8.",
			strings.Join(b.types, " or "))
	}
	return nil
}

// check reads a JSON body, returns its faults, and the request for the handler, which can read the body again. With
// withRules it checks only that the body is JSON, unless other parts of the request have faults: the service does not
// see such a request.
func (b *body) check(w http.ResponseWriter, r *http.Request, faulty bool) (*http.Request, problem.Faults, error) {
	if b == nil || isEmpty(r) {
		return r, nil, nil
	}
	schema := b.schemas[b.mediaType(r)]
	if schema == nil {
		return r, nil, nil
	}
	data, err := b.read(w, r)
	if err != nil {
		return r, nil, err
	}
	setBody(r, data)
	if len(data) == 0 && !b.required {
		r.Body = http.NoBody
		return r, nil, nil
	}
	if len(data) == 0 {
		return r, nil, errNoBody(b)
	}
	value, invalid := strictjson.Parse(data, strictjson.Limits{})
	var faults problem.Faults
	if object, ok := value.(map[string]any); ok && invalid == nil {
		if r, faults, err = b.cut(r, schema, object, data); err != nil {
			return r, nil, err
		}
	}
	switch {
	case b.withRules && !faulty && len(faults) == 0 && (invalid == nil || invalid.Code == problem.InvalidInput):
		return r, nil, nil
	case invalid == nil:
		faults.Add(schema.faults(value)...)
		return r, faults, nil
	case invalid.Code == problem.InvalidInput:
		return r, invalid.Faults, nil
	}
	return r, nil, invalid
}

// cut takes the members that only the server sets out of a body. A POST gets a fault for each. The handler of a PUT or
// a PATCH finds them in the context (ReturnedIn). A revision among them is a precondition, so that nothing changes
// between the comparison and the write.
func (b *body) cut(
	r *http.Request, schema *Schema, object map[string]any, data []byte,
) (*http.Request, problem.Faults, error) {
	rest, returned, err := b.serverSet.cut(object, data)
	switch {
	case err != nil || returned == nil:
		return r, nil, err
	case !b.serverSet.updates:
		return r, returned.refusals(), nil
	}
	returned.rest = func() problem.Faults { return schema.faults(object) }
	r = r.WithContext(context.WithValue(r.Context(), returnedKey{}, returned))
	setBody(r, rest)
	if revision := returned.revision(); revision != "" && b.serverSet.revision && len(r.Header["If-Match"]) == 0 {
		r.Header = r.Header.Clone()
		r.Header.Set("If-Match", `"`+revision+`"`)
	}
	return r, nil, nil
}

func setBody(r *http.Request, data []byte) {
	r.Body = io.NopCloser(bytes.NewReader(data))
	r.ContentLength = int64(len(data))
}

func (b *body) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > b.limit {
		w.Header().Set("Connection", "close") // or net/http would read the rest of the body
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
	// net/http ends the context after a deadline, too; the client is still there then.
	if ended := r.Context().Err(); ended != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, ended
	}
	return nil, problem.New(problem.BadRequest, "The body is incomplete.")
}

// mediaType returns the body's media type, "" if the operation does not take it.
func (b *body) mediaType(r *http.Request) string {
	given := r.Header["Content-Type"]
	if len(given) != 1 {
		return ""
	}
	if _, ok := b.schemas[given[0]]; ok { // nearly always
		return given[0]
	}
	mediaType, parameters, err := mime.ParseMediaType(given[0])
	if err != nil {
		return ""
	}
	schema, ok := b.schemas[mediaType]
	if !ok || !isCharset(parameters["charset"], schema == nil) {
		return ""
	}
	return mediaType
}

// isCharset reports whether the charset parameter of a body is UTF-8, by any of its names; "" is none given. A body
// that streams unread may be UTF-16.
func isCharset(charset string, streams bool) bool {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8":
		return true
	case "utf-16", "utf-16le", "utf-16be":
		return streams
	}
	return false
}

// isEmpty reports whether a request is known to have no body. A chunked body may also turn out to be empty.
func isEmpty(r *http.Request) bool {
	return r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody
}

// hasByte reads one byte, to learn whether a chunked body is empty.
func hasByte(body io.Reader) bool {
	var one [1]byte
	n, _ := io.ReadFull(body, one[:])
	return n > 0
}

func errNoBody(b *body) error {
	return problem.New(problem.BadRequest, "A body is required: %s.", strings.Join(b.types, " or "))
}

func errTooLarge(limit int64) error {
	return problem.New(problem.TooLarge, "The body must have at most %d bytes.", limit)
}
