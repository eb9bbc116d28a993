package attach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/hook/egress"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

const (
	fetchIdle    = time.Minute // without a byte from the server
	maxRedirects = 5
)

// AddByURL is Add for a file at a URL. raw is the JSON of ByURL. Further errors: RULE_VIOLATED for an address that
// hooks may not reach, and for a server that does not send the file.
func (s *Service) AddByURL(ctx context.Context, id uuid.UUID, raw []byte) (item.Document, error) {
	if _, err := account.Authorize(ctx, account.ItemsEdit); err != nil {
		return item.Document{}, err
	}
	if invalid := s.checkByURL(raw); invalid != nil {
		return item.Document{}, invalid
	}
	var from ByURL
	if err := json.Unmarshal(raw, &from); err != nil {
		return item.Document{}, fmt.Errorf("decode the URL of a file: %w", err)
	}
	normal, fault, refusal := s.reach.CheckURL(from.URL)
	switch {
	case fault != "":
		return item.Document{}, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/url", Detail: fault})
	case refusal != nil:
		return item.Document{}, faultOfURL("%s", refusal)
	}
	if err := s.MayAdd(ctx, id); err != nil {
		return item.Document{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	fetched, err := s.fetch(ctx, cancel, normal)
	if err != nil {
		return item.Document{}, err
	}
	defer fetched.body.Close()
	if fetched.length > s.maxSize {
		return item.Document{}, problem.New(problem.TooLarge, "The file has %d bytes, and may have %d.", fetched.length,
			s.maxSize)
	}
	return s.add(ctx, id, from.Fields,
		source{name: fetched.name, byURL: true, size: max(fetched.length, 0), content: fetched}, nil)
}

// fetched is a file that a server sends. Its reads end when nothing has come for a time.
type fetched struct {
	body   io.ReadCloser
	name   string
	length int64 // -1: unknown
	cause  func() error
	idle   *time.Timer
}

func (s *Service) fetch(ctx context.Context, cancel context.CancelCauseFunc, address string) (*fetched, error) {
	idle := time.AfterFunc(fetchIdle, func() { cancel(errIdle) })
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	request.Header.Set("User-Agent", s.userAgent)
	request.Header.Set("Accept", "*/*")
	cause := func() error { return context.Cause(ctx) }
	response, err := s.client.Do(request)
	idle.Stop()
	if err != nil {
		return nil, explain(cause(), err)
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, faultOfURL("answers %s", response.Status)
	}
	return &fetched{body: response.Body, name: nameOf(response), length: response.ContentLength, cause: cause,
		idle: idle}, nil
}

func (f *fetched) Read(p []byte) (int, error) {
	f.idle.Reset(fetchIdle)
	n, err := f.body.Read(p)
	f.idle.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		return n, explain(f.cause(), err)
	}
	return n, err
}

// errIdle ends a fetch.
var errIdle = faultOfURL("has sent nothing for %d seconds", int(fetchIdle.Seconds()))

func faultOfURL(format string, arguments ...any) *problem.Error {
	return problem.Invalid(problem.RuleViolated,
		problem.Fault{Pointer: "#/url", Detail: fmt.Sprintf(format, arguments...)})
}

// explain returns what a user sees of a failed fetch. cause is why its context has ended.
func explain(cause, err error) error {
	if refusal, ok := errors.AsType[*egress.Refusal](err); ok {
		return faultOfURL("%s", refusal)
	}
	if known := problem.Of(err); known != nil { // a redirect was refused
		return known
	}
	if cause != nil {
		return cause
	}
	if lookUp, ok := errors.AsType[*net.DNSError](err); ok && lookUp.IsNotFound {
		return faultOfURL("names a host that does not exist")
	} else if ok {
		return faultOfURL("names a host that cannot be looked up: %s", lookUp.Err) // without the name server's address
	}
	if failure, ok := errors.AsType[*url.Error](err); ok {
		err = failure.Err
	}
	return faultOfURL("cannot be fetched: %s", err)
}

// checkRedirect checks where a server sends us. The transport checks the address of each connection.
func (s *Service) checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return faultOfURL("redirects more than %d times", maxRedirects)
	}
	_, fault, refusal := s.reach.CheckURL(request.URL.String())
	switch {
	case fault != "":
		return faultOfURL("redirects to a URL that %s", fault)
	case refusal != nil:
		return faultOfURL("redirects: %s", refusal)
	}
	return nil
}

// nameOf returns the name of a fetched file: the one that the server gives, else that in the last URL.
func nameOf(response *http.Response) string {
	_, parameters, err := mime.ParseMediaType(response.Header.Get("Content-Disposition"))
	if name := parameters["filename"]; err == nil && name != "" {
		return name
	}
	return path.Base(response.Request.URL.Path)
}
