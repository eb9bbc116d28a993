package tusclient

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	version = "1.0.0" // of the protocol

	stallTimeout = time.Minute // for a connection to take a piece of a chunk

	// answerTimeout is for a server that has all bytes of a request. It may join and measure a large upload first.
	answerTimeout = 10 * time.Minute

	maxAnswer = 64 << 10 // bytes that are read of an answer
)

// answer is the response to a request, with the beginning of its body.
type answer struct {
	method string
	status int
	header http.Header
	text   []byte
}

// do sends a request. An error is a *lostConnection unless ctx has ended. answered is called before the answer is
// looked at.
func (c *Client) do(
	ctx context.Context, method, url string, header http.Header, content *body, answered func(),
) (*answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(answerTimeout, func() { cancel(errSilent) })
	defer silent.Stop()
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, fmt.Errorf("read the URL: %w", err)
	}
	if content != nil {
		content.silent = silent
		defer content.end()
		request.Body, request.ContentLength = content, content.Size()
	}
	maps.Copy(request.Header, header)
	request.Header.Set("Tus-Resumable", version)
	response, err := c.client().Do(request)
	if err != nil {
		return nil, lost(ctx, err)
	}
	defer response.Body.Close()
	if answered != nil {
		answered()
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, lost(ctx, err)
	}
	return &answer{method: method, status: response.StatusCode, header: response.Header, text: text}, nil
}

// lost returns the error of a request without an answer.
func lost(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errSilent) {
		err = errSilent
	}
	if failure, ok := errors.AsType[*url.Error](err); ok {
		err = failure.Err // without the URL, which is a key
	}
	return &lostConnection{err}
}

var defaultHTTP = sync.OnceValue(NewHTTP)

func (c *Client) client() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return defaultHTTP()
}

// NewHTTP returns a client that follows no redirect: a PATCH would lose its body, and credentials would go elsewhere.
func NewHTTP() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.WriteBufferSize = 256 << 10 // fewer system calls for large bodies
	return &http.Client{Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// want returns nil for one of the statuses, and else what is wrong.
func (a *answer) want(statuses ...int) error {
	switch {
	case slices.Contains(statuses, a.status):
		return nil
	case a.method != http.MethodPost && (a.status == http.StatusNotFound || a.status == http.StatusGone):
		if why := a.refused().Detail; why != "" {
			return fmt.Errorf("%w: %s", ErrGone, why)
		}
		return ErrGone
	}
	return a.refused()
}

func (a *answer) malformed(lacks string) error {
	return &Refused{Method: a.method, Status: a.status, Header: a.header,
		Detail: fmt.Sprintf("the answer to %s lacks %s: is this the URL of a tus server?", a.method, lacks)}
}

func (a *answer) offset() (int64, error) {
	offset, err := strconv.ParseInt(a.header.Get("Upload-Offset"), 10, 64)
	if err == nil && offset < 0 {
		err = strconv.ErrRange
	}
	return offset, err
}

// encodeMetadata writes the header Upload-Metadata: keys and values in base64, sorted by key.
func encodeMetadata(metadata map[string]string) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		pairs = append(pairs, key+" "+base64.StdEncoding.EncodeToString([]byte(metadata[key])))
	}
	return strings.Join(pairs, ",")
}
