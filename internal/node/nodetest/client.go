package nodetest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"itemcast/internal/contract"
	"itemcast/openapi"
)

// Client calls a node as one user, or as nobody. It holds every REST response against the contract.
type Client struct {
	T             *testing.T
	URL           string
	Authorization string // the header
}

// Connect returns a client that calls the server at a URL as the first administrator.
func Connect(t *testing.T, url string) *Client {
	return &Client{T: t, URL: url, Authorization: BasicAuth(AdminEmail, AdminPassword)}
}

// As returns a client that calls as another user.
func (n *Client) As(email, password string) *Client {
	return n.WithAuthorization(BasicAuth(email, password))
}

// With returns a client with another Authorization header; "" sends none.
func (n *Client) WithAuthorization(authorization string) *Client {
	other := *n
	other.Authorization = authorization
	return &other
}

// apiRouter finds the operation of a request in the contract.
var contractRouter = sync.OnceValues(func() (routers.Router, error) {
	document, err := contract.Load(openapi.Files, "core.yaml")
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(document.Spec())
})

// call sends a request as the administrator. The headers come in pairs.
func (n *Client) Call(method, path, body string, header ...string) Response {
	n.T.Helper()
	request, err := http.NewRequestWithContext(n.T.Context(), method, n.URL+path, strings.NewReader(body))
	if err != nil {
		n.T.Fatal(err)
	}
	if n.Authorization != "" {
		request.Header.Set("Authorization", n.Authorization)
	}
	switch {
	case body == "":
	case method == http.MethodPatch:
		request.Header.Set("Content-Type", "application/merge-patch+json")
	default:
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			request.Header.Del(header[i])
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		n.T.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		n.T.Fatal(err)
	}
	got := Response{Status: response.StatusCode, Header: response.Header, Body: raw}
	n.validate(request, got)
	return got
}

// validate holds a REST response against the contract: status, headers, and body.
func (n *Client) validate(request *http.Request, got Response) {
	n.T.Helper()
	if !strings.HasPrefix(request.URL.Path, "/api/v1/") || strings.Contains(request.URL.Path, "openapi") {
		return
	}
	local := request.Clone(context.Background())
	local.URL.Scheme, local.URL.Host, local.Host = "", "", ""
	router, err := contractRouter()
	if err != nil {
		n.T.Fatal(err)
	}
	route, parameters, err := router.FindRoute(local)
	if err != nil {
		if got.Status != http.StatusNotFound && got.Status != http.StatusMethodNotAllowed {
			n.T.Errorf("%s %s is not in the contract and answers %d", request.Method, request.URL.Path, got.Status)
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
		n.T.Errorf("%s %s answers against the contract: %v\n%d %s", request.Method, request.URL.Path, err, got.Status, got.Body)
	}
}
