package tus

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"itemcast/internal/problem"
	"itemcast/internal/publicurl"
)

// answer passes on what tusd answers, but for its errors, which become problems.
type answer struct {
	http.ResponseWriter
	h          *Handler
	call       *call
	r          *http.Request
	controller *http.ResponseController
	failed     int          // the status of tusd's error
	text       bytes.Buffer // of it
	allowed    bool         // the origin was decided
}

const maxText = 1 << 10 // bytes of an error of tusd

// ItemHeader has the id of the item that a finished upload has become, or whose asset it is.
const ItemHeader = "Itemcast-Item-Id"

func (a *answer) WriteHeader(status int) {
	switch {
	case status >= http.StatusBadRequest:
		a.failed = status
		return
	case status >= http.StatusOK:
		a.complete()
	}
	a.ResponseWriter.WriteHeader(status)
}

// complete adds the headers of a success.
func (a *answer) complete() {
	a.allowOrigin()
	held := a.call.held
	switch {
	case held != nil && len(held.Items) > 0:
		a.Header().Set(ItemHeader, held.Items[0].String())
	case held != nil && !held.ExpiresAt.IsZero():
		a.Header().Set("Upload-Expires", held.ExpiresAt.UTC().Format(http.TimeFormat))
	case a.r.Method == http.MethodPost:
		a.Header().Set("Upload-Expires", a.h.Uploads.ExpiresAt().UTC().Format(http.TimeFormat))
	}
	_ = a.controller.SetWriteDeadline(time.Now().Add(answerTimeout)) // the upload may have taken any time
}

func (a *answer) Write(p []byte) (int, error) {
	if a.failed == 0 {
		return a.ResponseWriter.Write(p)
	}
	if a.text.Len() < maxText {
		a.text.Write(p)
	}
	return len(p), nil
}

// SetReadDeadline is for tusd, which moves the deadline after each read, also after the last.
func (a *answer) SetReadDeadline(at time.Time) error { return a.call.body.deadline.Set(at) }

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// end answers a request that tusd has failed.
func (a *answer) end() {
	if a.failed == 0 {
		return
	}
	err := a.call.err
	switch {
	case err != nil:
	case a.call.body.interrupted.Load():
		err = errInterrupted
	default:
		err = explain(a.failed, a.text.String())
	}
	switch body := a.call.body; {
	case errors.Is(err, errCut) && body.silent:
		err = errSilent
		a.Header().Set("Connection", "close") // net/http may have met the deadline while it watched the connection
	case errors.Is(err, errCut) && body.gone():
		err = context.Canceled // nobody reads the answer
	}
	a.fail(err)
}

// fail answers with a problem.
func (a *answer) fail(err error) {
	a.allowOrigin()
	header := a.Header()
	for _, name := range []string{"Content-Type", "Content-Length", "Upload-Offset", "Location"} {
		header.Del(name)
	}
	code := problem.From(err).Code
	switch {
	case a.r.Method == http.MethodHead && code != problem.NotFound && code != problem.Gone &&
		code != problem.MethodNotAllowed && code != problem.BadRequest:
		if code == problem.Internal {
			a.h.Problems.Text(a.r, err) // logs it
		}
		err = errWait
	case code == problem.TicketMissing || code == problem.TicketInvalid:
		header.Set("WWW-Authenticate", "Itemcast-Upload-Ticket") // nothing for which a browser would ask its user
	case code == problem.UnsupportedVersion:
		header.Set("Tus-Version", "1.0.0")
	}
	_ = a.controller.SetWriteDeadline(time.Now().Add(answerTimeout))
	a.h.Problems.Write(a.ResponseWriter, a.r, err)
}

var errWait = problem.New(problem.Locked, "The upload cannot be continued at this moment. Try again in a second.")

// texts are the problems of what tusd refuses itself, by its codes.
var texts = map[string]*problem.Error{
	"ERR_UNSUPPORTED_VERSION": problem.New(problem.UnsupportedVersion,
		"The request must have the header Tus-Resumable: 1.0.0."),
	"ERR_INVALID_CONTENT_TYPE": problem.New(problem.UnsupportedMediaType,
		"PATCH must have the header Content-Type: application/offset+octet-stream."),
	"ERR_INVALID_UPLOAD_LENGTH": problem.New(problem.BadRequest,
		"Upload-Length must be the length of the file in bytes, a whole number."),
	"ERR_INVALID_UPLOAD_LENGTH_DEFER": problem.New(problem.BadRequest, "Upload-Defer-Length is not supported. Send "+
		"Upload-Length: the length of the file in bytes."),
	"ERR_AMBIGUOUS_UPLOAD_LENGTH": problem.New(problem.BadRequest, "Upload-Defer-Length is not supported. Send only "+
		"Upload-Length: the length of the file in bytes."),
	"ERR_NOT_IMPLEMENTED": problem.New(problem.BadRequest, "The length of the file must be known when its upload begins. "+
		"Send it as Upload-Length, in bytes."),
	"ERR_INVALID_OFFSET": problem.New(problem.BadRequest, "Upload-Offset must be the number of bytes that the upload "+
		"has. HEAD reports it."),
	"ERR_MISMATCHED_OFFSET": problem.New(problem.Conflict,
		"Upload-Offset is not the number of bytes that the upload has. HEAD reports it; resume from there."),
	"ERR_UPLOAD_SIZE_EXCEEDED": problem.New(problem.TooLarge,
		"The body goes beyond the Upload-Length that was announced. Start an upload with the right length."),
	"ERR_MAX_SIZE_EXCEEDED": problem.New(problem.TooLarge, "The file is larger than this server takes. Tus-Max-Size in "+
		"the answer to OPTIONS is the limit."),
	"ERR_UPLOAD_NOT_FINISHED": problem.New(problem.BadRequest,
		"A part of the concatenation is incomplete. Send the rest of it first."),
	"ERR_INVALID_CONCAT": problem.New(problem.BadRequest, "Upload-Concat must be partial, or final; and the URLs of the "+
		"parts with a space between two."),
	"ERR_MODIFY_FINAL":     problem.New(problem.Forbidden, "A concatenation takes no bytes but those of its parts."),
	"ERR_UPLOAD_NOT_FOUND": problem.New(problem.NotFound, "There is no upload at this URL. Start the upload again."),
	"ERR_UPLOAD_LOCKED":    errWait, "ERR_LOCK_TIMEOUT": errWait,
	"ERR_SERVER_SHUTDOWN": errShuttingDown,
}

// explain returns the problem of an error that tusd made.
func explain(status int, text string) error {
	code, _, _ := strings.Cut(text, ":")
	if found, ok := texts[code]; ok {
		return found
	}
	if status >= http.StatusInternalServerError { // of the connection
		return errCut
	}
	return problem.New(problem.BadRequest, "%s", cmp.Or(strings.TrimSpace(text), "The request breaks the tus protocol."))
}

var errInterrupted = problem.New(problem.Locked, "Another request has taken over this upload. What came is stored; "+
	"resume where HEAD reports.")

var errCut = problem.New(problem.Unavailable, "The body has not come to its end. What came is stored; resume where "+
	"HEAD reports.")

// errSilent is no 4xx: clients would give up.
var errSilent = problem.New(problem.Unavailable, "Nothing of the body has come for %d seconds. What came is stored; "+
	"resume where HEAD reports.", int(idleTimeout.Seconds()))

// allowOrigin lets the page that has sent a request read the answer (WHATWG Fetch, "HTTP-CORS protocol"), without
// cookies: if the upload's profile lists its origin, or an access token does. An unknown upload has no secret to keep.
func (a *answer) allowOrigin() {
	origin := a.r.Header.Get("Origin")
	if a.allowed || origin == "" || origin == publicurl.Origin(a.h.PublicURL) {
		return
	}
	a.allowed = true
	header := a.Header()
	if !slices.Contains(header["Vary"], "Origin") {
		header.Add("Vary", "Origin")
	}
	held := a.call.held
	if held != nil && !a.h.allows(a.r.Context(), held.Profile, origin) {
		return
	}
	allow(header, origin)
}

func allow(header http.Header, origin string) {
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", "Location, Retry-After, Tus-Checksum-Algorithm, Tus-Extension, "+
		"Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Concat, Upload-Complete, Upload-Draft-Interop-Version, "+
		"Upload-Expires, Upload-Incomplete, Upload-Length, Upload-Metadata, Upload-Offset, "+ItemHeader)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
