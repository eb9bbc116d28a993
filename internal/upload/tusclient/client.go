package tusclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// DefaultChunkSize is how much is sent again after a failure. It takes half a minute at 4 Mbit/s.
	DefaultChunkSize = 16 << 20 // bytes

	// DefaultRetryFor outlasts the restart of a server, and of its machine.
	DefaultRetryFor = 10 * time.Minute
)

// Client uploads to a server. Its methods may be called concurrently.
type Client struct {
	HTTP      *http.Client  // nil: NewHTTP()
	Endpoint  string        // the URL at which uploads are created
	Header    http.Header   // of the request that creates an upload: credentials
	ChunkSize int64         // bytes of a PATCH request; 0: DefaultChunkSize
	RetryFor  time.Duration // gives up after so long without progress; 0: DefaultRetryFor
	Unchecked bool          // chunks carry no checksum, so the content is read once

	// Pause waits before a request is repeated. nil: sleep.
	Pause func(ctx context.Context, d time.Duration) error

	answered atomic.Bool // the server, to any request
}

// Upload is what to send.
type Upload struct {
	Content  io.ReaderAt
	Size     int64
	Metadata map[string]string
	URL      string // of an upload to resume; "": create one

	// Created is told the URL before the first byte is sent, so that the upload can be resumed. Its error ends the upload.
	Created func(url string) error
	// Check is called before each chunk is read. Its error ends the upload, which stays on the server.
	Check func() error
	// Progress is told how many bytes have been sent. After a failure the number may be smaller than before.
	Progress func(sent int64)
	// Retrying is told why the client waits before it tries again.
	Retrying func(cause error)
	// Complete reports whether a server that has all bytes has also finished its own work with them, by the header of its
	// answer. Until then the client asks again. nil: always.
	Complete func(http.Header) bool
}

// Done is an upload that the server has completely.
type Done struct {
	URL    string
	Header http.Header // of the answer that completed it, or of a later HEAD
}

// ErrGone is returned when the server no longer has an upload: it has expired, or somebody has stopped it.
var ErrGone = errors.New("the server no longer has the upload")

// Away is returned when a server was away, or made no progress, for too long. The upload can be resumed later.
type Away struct {
	Cause error
	For   time.Duration // 0: the server could not be reached at all
}

func (a *Away) Error() string {
	if a.For == 0 {
		return a.Cause.Error()
	}
	return fmt.Sprintf("no progress for %s: %v", a.For.Round(time.Second), a.Cause)
}

// Unwrap returns the last failure.
func (a *Away) Unwrap() error { return a.Cause }

// Send sends a file, or the rest of it. Errors: ErrGone; *Away; *Refused; those of Created, Check and the content.
func (c *Client) Send(ctx context.Context, u Upload) (Done, error) {
	s := &sending{Client: c, Upload: u, url: u.URL, offset: unknown, kept: unknown}
	for {
		err := s.step(ctx)
		switch {
		case err != nil:
			err = s.retry(ctx, err)
		case s.done():
			return Done{URL: s.url, Header: s.header}, nil
		}
		if err != nil {
			return Done{URL: s.url}, err
		}
	}
}

// Terminate deletes an upload on the server (the protocol's termination extension).
func (c *Client) Terminate(ctx context.Context, url string) error {
	answer, err := c.do(ctx, http.MethodDelete, url, nil, nil, nil)
	if err != nil {
		return err
	}
	return answer.want(http.StatusNoContent, http.StatusOK, http.StatusNotFound, http.StatusGone)
}
