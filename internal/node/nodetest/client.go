package nodetest

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"itemcast/internal/contract"
	"itemcast/internal/publicurl"
	"itemcast/openapi"
)

// Client calls a server as one user, or as nobody. Every REST response must fit the contract.
type Client struct {
	T             testing.TB
	URL           string // of the server
	Authorization string // the header; empty: none
}

// Connect returns a client that calls the server at a URL as the administrator.
func Connect(t testing.TB, url string) *Client {
	return &Client{T: t, URL: url, Authorization: BasicAuth(AdminEmail, AdminPassword)}
}

// As returns a client of the same server for another user.
func (c *Client) As(email, password string) *Client {
	return c.WithAuthorization(BasicAuth(email, password))
}

// WithAuthorization returns a client of the same server with another Authorization header.
func (c *Client) WithAuthorization(authorization string) *Client {
	other := *c
	other.Authorization = authorization
	return &other
}

// BasicAuth returns an Authorization header.
func BasicAuth(email, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(email+":"+password))
}

// Call sends a request. The headers are names and values in turn; an empty value removes a header that the client sends
// by default. A body is JSON unless Content-Type says otherwise, and a merge patch with PATCH.
func (c *Client) Call(method, path, body string, header ...string) Response {
	c.T.Helper()
	request := c.newRequest(method, path, body)
	switch {
	case body == "":
	case method == http.MethodPatch:
		request.Header.Set("Content-Type", "application/merge-patch+json")
	default:
		request.Header.Set("Content-Type", "application/json")
	}
	setHeaders(request.Header, header)
	got := c.send(http.DefaultClient, request)
	c.validate(request, got)
	return got
}

func (c *Client) newRequest(method, path, body string) *http.Request {
	c.T.Helper()
	request, err := http.NewRequestWithContext(c.T.Context(), method, c.URL+path, strings.NewReader(body))
	if err != nil {
		c.T.Fatal(err)
	}
	if c.Authorization != "" {
		request.Header.Set("Authorization", c.Authorization)
	}
	return request
}

func setHeaders(header http.Header, pairs []string) {
	for i := 0; i < len(pairs); i += 2 {
		header.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			header.Del(pairs[i])
		}
	}
}

func (c *Client) send(client *http.Client, request *http.Request) Response {
	c.T.Helper()
	response, err := client.Do(request)
	if err != nil {
		c.T.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.T.Fatal(err)
	}
	return Response{Status: response.StatusCode, Header: response.Header, Body: body}
}

// contractRouter finds the operation of a request in the contract.
var contractRouter = sync.OnceValues(func() (routers.Router, error) {
	document, err := contract.Load(openapi.Files, "core")
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(document.Spec())
})

// validate holds a REST response against the contract: status, headers and body.
func (c *Client) validate(request *http.Request, got Response) {
	c.T.Helper()
	path := strings.TrimPrefix(request.URL.Path, publicurl.Path(c.URL))
	if !strings.HasPrefix(path, "/api/v1/") || strings.Contains(path, "openapi") {
		return
	}
	router, err := contractRouter()
	if err != nil {
		c.T.Fatal(err)
	}
	local := request.Clone(context.Background())
	local.URL.Scheme, local.URL.Host, local.Host, local.URL.Path = "", "", "", path
	route, parameters, err := router.FindRoute(local)
	if err != nil {
		if got.Status != http.StatusNotFound && got.Status != http.StatusMethodNotAllowed {
			c.T.Errorf("%s %s is not in the contract and has status %d", request.Method, request.URL.Path, got.Status)
		}
		return
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: local, PathParams: parameters, Route: route},
		Status:                 got.Status,
		Header:                 got.Header,
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	input.SetBodyBytes(got.Body)
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		c.T.Errorf("%s %s: the response breaks the contract: %v\n%d %s",
			request.Method, request.URL.Path, err, got.Status, got.Body)
	}
}
