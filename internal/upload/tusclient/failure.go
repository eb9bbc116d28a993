package tusclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Refused is an answer that ends an upload.
type Refused struct {
	Method string
	Status int
	Code   string // of problem+json (RFC 9457); "": the answer is none
	Detail string // for people
	Header http.Header
}

func (r *Refused) Error() string {
	if r.Detail != "" {
		return r.Detail
	}
	text := fmt.Sprintf("the server answers %d %s", r.Status, http.StatusText(r.Status))
	switch to := r.Header.Get("Location"); {
	case r.Status == http.StatusRequestEntityTooLarge && r.Method == http.MethodPatch:
		text += ": it, or a proxy before it, takes no chunk of this size"
	case to != "" && r.Status/100 == 3:
		text += ": it has moved to " + to
	}
	return text
}

// refused reads the answer of a request that has failed.
func (a *answer) refused() *Refused {
	r := &Refused{Method: a.method, Status: a.status, Header: a.header}
	var problem struct{ Code, Detail string }
	switch contentType := a.header.Get("Content-Type"); {
	case strings.HasPrefix(contentType, "application/problem+json") && json.Unmarshal(a.text, &problem) == nil:
		r.Code, r.Detail = problem.Code, problem.Detail
	case strings.HasPrefix(contentType, "text/plain"):
		r.Detail, _, _ = strings.Cut(strings.TrimSpace(string(a.text)), "\n")
	}
	return r
}

// failedChecksum is the status of the checksum extension for a chunk that does not match. The chunk was discarded.
const failedChecksum = 460

var (
	errSilent     = errors.New("the server is silent")
	errUnfinished = errors.New("the server has all bytes, and is not done with them")
)

// mayPass reports whether a request may succeed later, and after which time at the earliest if the server has said so.
func mayPass(err error) (passes bool, after time.Duration) {
	if errors.Is(err, errUnfinished) {
		return true, 0
	}
	if refused, ok := errors.AsType[*Refused](err); ok {
		return refused.mayPass(), refused.retryAfter()
	}
	_, lost := errors.AsType[*lostConnection](err)
	return lost, 0
}

func (r *Refused) mayPass() bool {
	switch r.Status {
	case http.StatusConflict: // the offset was another one; when it creates an upload, a conflict stays
		return r.Method != http.MethodPost
	case http.StatusRequestTimeout, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests, failedChecksum:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return r.Status >= http.StatusInternalServerError
}

// maxRetryAfter limits what a server may ask for.
const maxRetryAfter = time.Minute

func (r *Refused) retryAfter() time.Duration {
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}

// lostConnection is a request without a complete answer.
type lostConnection struct{ error }

func (l *lostConnection) Unwrap() error { return l.error }

const (
	firstPause = 250 * time.Millisecond
	maxPause   = 10 * time.Second
)

// backoff doubles the pause with each failure. It differs by up to a quarter, so that the clients of a server that is
// back do not all come at once.
func backoff(failures int) time.Duration {
	pause := maxPause
	if failures < 6 {
		pause = min(firstPause<<failures, maxPause)
	}
	return pause - time.Duration(rand.Int64N(int64(pause/4)))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
