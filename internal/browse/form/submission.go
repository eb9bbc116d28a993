package form

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"itemcast/internal/browse/jsontree"
	"itemcast/internal/problem"
)

// ContentType is how browsers send forms.
const ContentType = "application/x-www-form-urlencoded"

const (
	// MaxSize is how many bytes a form may have: enough for a body of 1 MiB, the values that filled the form, and their
	// escapes.
	MaxSize = 8 << 20
	// MaxSignedOutSize is how many bytes of a form are read without a sign-in, only to show it again.
	MaxSignedOutSize = 256 << 10
)

// Submission is a form that a browser sent.
type Submission struct {
	Form   *Form // nil when the address does not take the method
	Method string
	Body   []byte
	Faults []problem.Fault // why it cannot become a request

	values    url.Values
	raw       bool // sent from the raw editor
	mediaType string
	was       Record // what the form was filled with
}

// Read reads a form of at most maxSize bytes. formOf returns the form of a method at the request's address, nil for
// none. Errors: TOO_LARGE, BAD_REQUEST.
func Read(
	w http.ResponseWriter, r *http.Request, maxSize int64, formOf func(method string) *Form,
) (*Submission, error) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSize))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, problem.New(problem.TooLarge, "A form can have at most %d bytes. Shorten it.", maxSize)
		}
		return nil, problem.New(problem.BadRequest, "The form did not arrive in full. Send it again.")
	}
	values, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, problem.New(problem.BadRequest,
			"The form is not valid %s. Load the page and send it again.", ContentType)
	}
	s := &Submission{
		Method: cmp.Or(strings.ToUpper(values.Get(methodName)), http.MethodPost),
		values: values, raw: values.Has(contentName), was: ParseRecord([]byte(values.Get(wasName))),
	}
	s.Form = formOf(s.Method)
	s.compose()
	return s, nil
}

// ETag returns the entity tag of the representation that filled the form; "" for none.
func (s *Submission) ETag() string { return s.values.Get(etagName) }

// Request returns the API request that the form stands for. r is the browser's.
func (s *Submission) Request(r *http.Request) *http.Request {
	made := r.Clone(r.Context())
	made.Method = s.Method
	made.Header.Del("Content-Type")
	made.Header.Del("Content-Length")
	made.Header.Set("Accept", "*/*")
	query := url.Values{}
	if s.Form != nil {
		s.setAsides(query, made.Header)
		s.setConditions(made.Header)
	}
	made.URL.RawQuery = encodeQuery(query)
	made.Body, made.ContentLength = http.NoBody, 0
	if s.mediaType != "" && (len(s.Body) > 0 || s.Form.Operation.BodyRequired) {
		made.Header.Set("Content-Type", s.mediaType)
		made.Body, made.ContentLength = io.NopCloser(bytes.NewReader(s.Body)), int64(len(s.Body))
	}
	return made
}

func (s *Submission) setAsides(query url.Values, header http.Header) {
	for i := range s.Form.asides {
		f := &s.Form.asides[i]
		switch values := f.queryValues(s.values[f.Control]); {
		case len(values) == 0:
		case f.place == queryPrefix:
			query[f.Name] = values
		default:
			header.Set(f.Name, values[0])
		}
	}
}

func (s *Submission) setConditions(header http.Header) {
	if etag := s.ETag(); etag != "" && s.Form.takes("If-Match") {
		header.Set("If-Match", etag)
	}
	if key := s.values.Get(keyName); key != "" && s.Form.takes("Idempotency-Key") {
		// The body is part of the key: when a user goes back, changes the form and sends it again, that is a new
		// request.
		sum := sha256.Sum256(s.Body)
		header.Set("Idempotency-Key", key+"-"+base64.RawURLEncoding.EncodeToString(sum[:9]))
	}
}

// MaskedBody returns the body with its secrets replaced by "…", to show it.
func (s *Submission) MaskedBody() []byte {
	if s.Form == nil {
		return s.Body
	}
	var secrets []string
	for i := range s.Form.bodies {
		secrets = append(secrets, s.Form.bodies[i].secrets()...)
	}
	if len(secrets) == 0 {
		return s.Body
	}
	parsed, err := jsontree.Parse(s.Body)
	object, ok := parsed.(*jsontree.Object)
	if err != nil || !ok {
		return []byte("…")
	}
	masked := s.Body
	for _, name := range secrets {
		if object.Has(name) {
			object.Set(name, "…")
			masked = []byte(jsontree.Encode(object))
		}
	}
	return masked
}
