package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// request formats a request that signs in, for the load generator.
func (n *node) request(method, path, headers string, body []byte) []byte {
	return message(method, n.addr, path, "Authorization: "+authorization+"\r\n"+headers, body)
}

// api sends a request and returns the body of its response. A status other than 2xx is an error.
func (n *node) api(ctx context.Context, method, path, body string) ([]byte, error) {
	return n.apiAs(ctx, method, path, "application/json", strings.NewReader(body))
}

func (n *node) apiAs(ctx context.Context, method, path, contentType string, body io.Reader) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+n.addr+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", authorization)
	if request.ContentLength != 0 {
		request.Header.Set("Content-Type", contentType)
	}
	return fetch(request)
}

// ops reads a path of the operators' address.
func (n *node) ops(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.opsAddr+path, nil)
	if err != nil {
		return nil, err
	}
	return fetch(request)
}

func fetch(request *http.Request) ([]byte, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s responds %s: %.200s", request.Method, request.URL.Path, response.Status, body)
	}
	return body, err
}

// between returns the text between the first occurrence of before and the next occurrence of after. It replaces a JSON
// decoder, which would cost too much.
func between(text []byte, before, after string) string {
	_, rest, _ := bytes.Cut(text, []byte(before))
	value, _, _ := bytes.Cut(rest, []byte(after))
	return string(value)
}
