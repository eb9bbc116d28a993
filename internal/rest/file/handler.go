// Package file serves the files of items: /media/ASSET/NAME, and /media/s/SIGNATURE/ASSET/NAME with a signed link.
//
// Package media decides who may fetch a file. This package speaks HTTP: ranges, validators, caching, CORS, and headers
// that keep a browser from running what somebody has uploaded. It promises that a download lasts as long as its client
// takes bytes, that a file in a folder is sent by sendfile, and that a storage that does not answer is told before the
// first byte. It must not know SQL, nor where files are stored.
package file

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/contract"
	"itemcast/internal/media"
	"itemcast/internal/media/blob"
	"itemcast/internal/problem"
)

// Handler serves files.
type Handler struct {
	Media    *media.Service
	Problems *contract.Problems
	// Identify returns the context with the request's user; without a user if the request has no credentials.
	Identify func(http.ResponseWriter, *http.Request) (context.Context, error)
}

// findTimeout limits the time to find a file in the database. A download itself has no such limit.
const findTimeout = 45 * time.Second

const methods = "GET, HEAD, OPTIONS"

func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if err := h.serve(w, r); err != nil {
			h.Problems.Write(w, r, err)
		}
	case http.MethodOptions:
		preflight(w)
	default:
		w.Header().Set("Allow", methods)
		h.Problems.Write(w, r, problem.New(problem.MethodNotAllowed, "A file can only be fetched. Use GET or HEAD."))
	}
}

// serve answers with a file. An error is returned before the answer has begun.
func (h Handler) serve(w http.ResponseWriter, r *http.Request) error {
	f, err := h.find(w, r)
	if err != nil {
		return err
	}
	header := w.Header()
	setSafe(header, f.File)
	setAccess(header, f)
	header.Set("ETag", `"`+hex.EncodeToString(f.SHA256[:])+`"`)
	content, err := h.Media.Content(r.Context(), f)
	if err != nil {
		clearFile(header)
		return err
	}
	defer content.Close()
	if err := prepare(r, content); err != nil {
		clearFile(header)
		return h.Media.ExplainRead(r.Context(), f, err)
	}
	paced := newPacedWriter(w)
	http.ServeContent(paced, r, "", f.Stored, content)
	switch {
	case paced.failure != nil:
		clearFile(header)
		return h.Media.ExplainRead(r.Context(), f, paced.failure)
	case paced.refused != 0:
		clearFile(header)
		return refusal(header, paced.refused, f.File)
	}
	paced.begin()
	return nil
}

// prepare asks a storage for the file before the answer to several ranges begins. The writer sees only the text around
// them.
func prepare(r *http.Request, content io.Reader) error {
	if remote, ok := content.(blob.Preparer); ok && strings.Contains(r.Header.Get("Range"), ",") {
		return remote.Prepare(1)
	}
	return nil
}

// refusal returns the error of a request that http.ServeContent has refused.
func refusal(header http.Header, status int, f media.File) error {
	switch status {
	case http.StatusPreconditionFailed:
		return problem.New(problem.RevisionMismatch, "The file is not the one that the condition of the request names. "+
			"Fetch it without If-Match and If-Unmodified-Since.")
	case http.StatusRequestedRangeNotSatisfiable:
		header.Set("Content-Range", fmt.Sprintf("bytes */%d", f.Size)) // RFC 9110 §14.4
		return problem.New(problem.RangeNotSatisfiable, "The file has %d bytes, and none in the range. Ask for a range "+
			"such as bytes=0-99 within it.", f.Size)
	}
	return fmt.Errorf("serve a file: http.ServeContent answers %d", status)
}

func (h Handler) find(w http.ResponseWriter, r *http.Request) (media.Fetched, error) {
	asset, err := uuid.Parse(r.PathValue("asset"))
	if err != nil {
		return media.Fetched{}, problem.New(problem.NotFound, "There is no such file: its address has no asset's id.")
	}
	ctx, cancel := context.WithTimeout(r.Context(), findTimeout)
	defer cancel()
	user := ctx
	f, err := h.Media.Fetch(ctx, media.Request{Asset: asset, Name: r.PathValue("name"),
		Signature: r.PathValue("signature"), Identify: func() (identified context.Context, err error) {
			user, err = h.Identify(w, r.WithContext(ctx))
			return user, err
		}})
	if err == nil && f.Access == media.ByUser {
		allowTokenOrigin(w.Header(), r, user)
	}
	return f, err
}

// allowTokenOrigin lets a page of another origin read the answer to its access token. The gate has checked the origin.
func allowTokenOrigin(header http.Header, r *http.Request, user context.Context) {
	actor, _ := account.ActorFrom(user)
	if origin := r.Header.Get("Origin"); origin != "" && actor.Token != nil {
		header.Set("Access-Control-Allow-Origin", origin)
		header.Add("Vary", "Origin")
		header.Set("Access-Control-Expose-Headers", exposed)
	}
}

const exposed = "Accept-Ranges, Content-Length, Content-Range, ETag"

// publicMaxAge is a year, in seconds. A file never changes.
const publicMaxAge = "31536000"

// setAccess sets who may keep the answer, and which pages may read it. Players on other sites load public files, and
// those of signed links, by scripts.
func setAccess(header http.Header, f media.Fetched) {
	switch f.Access {
	case media.ByPrivacy:
		header.Set("Cache-Control", "public, max-age="+publicMaxAge+", immutable")
	case media.BySignature:
		seconds := max(0, int(time.Until(f.Until).Seconds()))
		header.Set("Cache-Control", "private, max-age="+strconv.Itoa(seconds))
	case media.ByUser:
		header.Set("Cache-Control", "private, no-cache")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		if header.Get("Access-Control-Allow-Origin") != "" {
			header.Set("Cross-Origin-Resource-Policy", "cross-origin")
		}
		return
	}
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Expose-Headers", exposed)
}

// preflight allows any page to ask for a file. The answer to its request then says whether it may read it.
func preflight(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Allow", methods)
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Allow-Methods", methods)
	header.Set("Access-Control-Allow-Headers", "Authorization, Cache-Control, If-Match, If-Modified-Since, "+
		"If-None-Match, If-Range, If-Unmodified-Since, Range, X-Requested-With")
	header.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// clearFile removes the headers of a file that cannot be sent.
func clearFile(header http.Header) {
	for _, name := range []string{"Accept-Ranges", "Content-Disposition", "Content-Range", "Content-Security-Policy",
		"Cache-Control", "ETag"} {
		header.Del(name)
	}
}
