package tus_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/rest/tus"
	"itemcast/internal/upload/ticket"
)

// Every request that breaks the protocol is told what to do, and leaves nothing.
func TestTus_BadRequestsAreRefusedInWords(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	in := newInbox(t, n, map[string]any{"max_size": 1000, "content_types": []string{"video/*"}})
	for what, c := range map[string]struct {
		headers []string
		status  int
		code    string
		says    string
	}{
		"no length":             {nil, 400, "BAD_REQUEST", "Upload-Length"},
		"a length in words":     {[]string{"Upload-Length", "many"}, 400, "BAD_REQUEST", "whole number"},
		"a negative length":     {[]string{"Upload-Length", "-1"}, 400, "BAD_REQUEST", "whole number"},
		"a length of 2^70":      {[]string{"Upload-Length", "1180591620717411303424"}, 400, "BAD_REQUEST", "whole number"},
		"a deferred length":     {[]string{"Upload-Defer-Length", "1"}, 400, "BAD_REQUEST", "Upload-Length"},
		"an empty file":         {[]string{"Upload-Length", "0"}, 400, "BAD_REQUEST", "empty"},
		"beyond the profile":    {[]string{"Upload-Length", "1001"}, 413, "TOO_LARGE", "1000 bytes"},
		"2^62 bytes":            {[]string{"Upload-Length", "4611686018427387904"}, 413, "TOO_LARGE", "1000 bytes"},
		"no version":            {[]string{"Upload-Length", "10", "Tus-Resumable", ""}, 412, "UNSUPPORTED_VERSION", "1.0.0"},
		"metadata twice":        {[]string{"Upload-Length", "10", "Upload-Metadata", "a YQ==,a YQ=="}, 400, "BAD_REQUEST", "twice"},
		"metadata in no base64": {[]string{"Upload-Length", "10", "Upload-Metadata", "filename !"}, 400, "BAD_REQUEST", "filename"},
		"metadata in no UTF-8":  {[]string{"Upload-Length", "10", "Upload-Metadata", "filename /w=="}, 400, "BAD_REQUEST", "UTF-8"},
		"fields with a ticket":  {[]string{"Upload-Length", "10", "Upload-Metadata", metadata("item", "{}")}, 400, "INVALID_INPUT", "item"},
		"an item with a ticket": {[]string{"Upload-Length", "10", "Upload-Metadata", metadata("item_id", "x")}, 400, "INVALID_INPUT", "item_id"},
		"a strange concat":      {[]string{"Upload-Length", "10", "Upload-Concat", "half"}, 400, "BAD_REQUEST", "Upload-Concat"},
		"a concat of nothing":   {[]string{"Upload-Concat", "final;"}, 400, "BAD_REQUEST", "Upload-Concat"},
		"unknown parts":         {[]string{"Upload-Concat", "final;" + n.URL + tus.Path + "ABC"}, 404, "NOT_FOUND", "Start the upload again"},
		"parts elsewhere":       {[]string{"Upload-Concat", "final;https://example.com/a"}, 404, "NOT_FOUND", ""},
		"a trailer":             {[]string{"Upload-Length", "10", "Upload-Checksum", "sha1 x y"}, 400, "BAD_REQUEST", "Upload-Checksum"},
	} {
		got := call(t, http.MethodPost, n.URL+tus.Path, nil, append(in.sign(t, in.claims()), c.headers...)...)
		got.WantProblem(t, what, c.status, c.code)
		if !strings.Contains(got.Field(t, "detail"), c.says) {
			t.Errorf("%s: %s", what, got.Field(t, "detail"))
		}
	}

	url := create(t, n, 100, in.sign(t, in.claims())...)
	for what, c := range map[string]struct {
		method  string
		body    string
		headers []string
		status  int
		code    string
	}{
		"no offset":                {"PATCH", "abc", nil, 400, "BAD_REQUEST"},
		"a wrong offset":           {"PATCH", "abc", []string{"Upload-Offset", "5"}, 409, "CONFLICT"},
		"a negative offset":        {"PATCH", "abc", []string{"Upload-Offset", "-1"}, 400, "BAD_REQUEST"},
		"another content type":     {"PATCH", "abc", []string{"Upload-Offset", "0", "Content-Type", ""}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"beyond the length":        {"PATCH", strings.Repeat("x", 101), []string{"Upload-Offset", "0"}, 413, "TOO_LARGE"},
		"no version":               {"PATCH", "abc", []string{"Upload-Offset", "0", "Tus-Resumable", ""}, 412, "UNSUPPORTED_VERSION"},
		"GET":                      {"GET", "", nil, 405, "METHOD_NOT_ALLOWED"},
		"POST":                     {"POST", "", nil, 405, "METHOD_NOT_ALLOWED"},
		"PUT":                      {"PUT", "", nil, 405, "METHOD_NOT_ALLOWED"},
		"an override of PATCH":     {"POST", "abc", []string{"X-HTTP-Method-Override", "PATCH", "Upload-Offset", "7", "Content-Type", "application/offset+octet-stream"}, 409, "CONFLICT"},
		"an override to something": {"POST", "abc", []string{"X-HTTP-Method-Override", "GET"}, 405, "METHOD_NOT_ALLOWED"},
	} {
		call(t, c.method, url, strings.NewReader(c.body), c.headers...).WantProblem(t, what, c.status, c.code)
		if at := offset(t, url); at != 0 {
			t.Fatalf("%s: %d bytes came", what, at)
		}
	}
	call(t, http.MethodHead, url+"X", nil).WantStatus(t, http.StatusNotFound)
	patch(t, url+"X", 0, []byte("x")).WantProblem(t, "another URL", http.StatusNotFound, "NOT_FOUND")
	call(t, http.MethodDelete, url+"X", nil).WantProblem(t, "another URL", http.StatusNotFound, "NOT_FOUND")
	call(t, http.MethodGet, n.URL+tus.Path, nil).WantProblem(t, "the list", http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")

	got := call(t, http.MethodOptions, n.URL+tus.Path, nil).WantStatus(t, http.StatusNoContent)
	if got.Header.Get("Tus-Version") != "1.0.0" || !strings.Contains(got.Header.Get("Tus-Extension"), "checksum") ||
		!strings.Contains(got.Header.Get("Tus-Checksum-Algorithm"), "sha1") || got.Header.Get("Tus-Max-Size") == "" {
		t.Errorf("OPTIONS: %v", got.Header)
	}
	call(t, http.MethodDelete, url, nil).WantStatus(t, http.StatusNoContent)
	wantNothingLeft(t, n.Pool)
}

func TestTus_TicketsAreCheckedBeforeAByte(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	in := newInbox(t, n, nil)
	expired, far := in.claims(), in.claims()
	expired.Expires, far.Expires = time.Now().Add(-time.Minute).Unix(), time.Now().Add(8*24*time.Hour).Unix()
	good := in.sign(t, in.claims())
	other := newInbox(t, n, nil)
	forged := ticket.Claims{Profile: in.profile, Expires: time.Now().Add(time.Hour).Unix(), Nonce: "a"}
	for what, c := range map[string]struct {
		headers []string
		status  int
		code    string
	}{
		"none":               {nil, 401, "UNAUTHENTICATED"},
		"half":               {good[:2], 401, "TICKET_MISSING"},
		"another signature":  {[]string{good[0], good[1], good[2], strings.Repeat("0", 64)}, 401, "TICKET_INVALID"},
		"altered":            {[]string{good[0], good[1] + "A", good[2], good[3]}, 401, "TICKET_INVALID"},
		"two":                {append(good, good...), 401, "TICKET_INVALID"},
		"expired":            {in.sign(t, expired), 403, "TICKET_EXPIRED"},
		"too far ahead":      {in.sign(t, far), 401, "TICKET_INVALID"},
		"another's secret":   {other.sign(t, forged), 401, "TICKET_INVALID"},
		"half, in metadata":  {[]string{"Upload-Metadata", metadata(good[0], good[1])}, 401, "TICKET_MISSING"},
		"wrong, in metadata": {[]string{"Upload-Metadata", metadata(good[0], good[1], good[2], "x")}, 401, "TICKET_INVALID"},
	} {
		never := &unread{t: t, what: what}
		call(t, http.MethodPost, n.URL+tus.Path, never, append(c.headers, "Upload-Length", "1000000", "Content-Type",
			"application/offset+octet-stream", "Expect", "100-continue")...).WantProblem(t, what, c.status, c.code)
	}
	call(t, http.MethodPost, n.URL+tus.Path, nil, append(good, "Upload-Length", "5")...).WantStatus(t, http.StatusCreated)
	call(t, http.MethodPost, n.URL+tus.Path, nil, append(good, "Upload-Length", "5")...).
		WantProblem(t, "used", http.StatusConflict, "TICKET_USED")
}

// unread is a body that the server must not ask for.
type unread struct {
	t    *testing.T
	what string
}

func (u *unread) Read([]byte) (int, error) {
	u.t.Errorf("%s: the server asks for the body", u.what)
	return 0, io.EOF
}

// A file of a type that the ticket does not take is refused by its first bytes, and its ticket may be used again.
func TestTus_TheTypeIsThatOfTheFirstBytes(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	in := newInbox(t, n, map[string]any{"content_types": []string{"video/*"}})
	page := bytes.Repeat([]byte("<!DOCTYPE html><p>no video</p>\n"), 1000)
	for what, size := range map[string]int{"large": len(page), "small": 50} {
		headers := append(in.sign(t, in.claims()), "Upload-Metadata", metadata("filename", "a.mp4", "filetype", "video/mp4"))
		url := create(t, n, size, headers...)
		patch(t, url, 0, page[:size]).WantProblem(t, what, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
		again := patch(t, url, 0, page[:size])
		again.WantProblem(t, what, http.StatusGone, "GONE")
		if !strings.Contains(again.Field(t, "detail"), "text/html") {
			t.Errorf("%s: %s", what, again.Field(t, "detail"))
		}
		create(t, n, size, headers...)
	}
	for _, one := range n.Call(http.MethodGet, "/api/v1/uploads", "").WantStatus(t, http.StatusOK).Results(t) {
		n.Call(http.MethodDelete, "/api/v1/uploads/"+one["id"].(string), "").WantStatus(t, http.StatusNoContent)
	}
	wantNothingLeft(t, n.Pool)
}

func TestTus_QuotasAreReservedAtCreation(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	in := newInbox(t, n, map[string]any{"quota_bytes": 1_000_000})
	content := clip(700_000)
	url := create(t, n, len(content), in.sign(t, in.claims())...)
	next := append(in.sign(t, in.claims()), "Upload-Length", "400000")
	call(t, http.MethodPost, n.URL+tus.Path, nil, next...).WantProblem(t, "beyond", http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
	wantItem(t, n, patch(t, url, 0, content).WantStatus(t, 204), content)
	call(t, http.MethodPost, n.URL+tus.Path, nil, next...).WantProblem(t, "beyond", http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
	call(t, http.MethodPost, n.URL+tus.Path, nil, append(next[:4], "Upload-Length", "300000")...).WantStatus(t, http.StatusCreated)
}

// A type that the ticket does not take is refused before the file has come, however small the first request is.
func TestTus_TheTypeIsCheckedWhenItsBytesHaveCome(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	in := newInbox(t, n, map[string]any{"content_types": []string{"video/*"}})
	content := append([]byte("%PDF-1.7\n"), make([]byte, 99_991)...)
	for what, sizes := range map[string][]int{"at once": {5000}, "in two": {10, 5000}, "in three": {100, 3995, 1}} {
		url, at := create(t, n, len(content), in.sign(t, in.claims())...), 0
		for _, size := range sizes[:len(sizes)-1] {
			patch(t, url, at, content[at:at+size]).WantStatus(t, http.StatusNoContent)
			at += size
		}
		patch(t, url, at, content[at:at+sizes[len(sizes)-1]]).
			WantProblem(t, what, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
		call(t, http.MethodHead, url, nil).WantStatus(t, http.StatusGone)
	}
}
