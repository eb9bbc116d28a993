package tus_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"itemcast/internal/media/blob/s3test"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/rest/tus"
)

// on runs a test on a folder, and on S3.
func on(t *testing.T, test func(t *testing.T, n *nodetest.Node)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) { t.Parallel(); test(t, nodetest.Start(t)) })
	t.Run("S3", func(t *testing.T) { t.Parallel(); test(t, nodetest.StartStoring(t, s3test.Start(t).URL)) })
}

func TestTus_AFileComesInPiecesAndBecomesAnItem(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, n *nodetest.Node) {
		in := newInbox(t, n, nil)
		content := clip(17 << 20)
		url := create(t, n, len(content), append(in.sign(t, in.claims()),
			"Upload-Metadata", metadata("filename", "Der müde Tod.mp4", "filetype", "video/mp4"))...)
		if at := offset(t, url); at != 0 {
			t.Errorf("a new upload has %d bytes", at)
		}
		at := 0
		for _, size := range []int{100, 5 << 20, 0, 12<<20 - 100} { // the last piece is cut below
			got := patch(t, url, at, content[at:min(at+size, len(content)-1)]).WantStatus(t, http.StatusNoContent)
			at = min(at+size, len(content)-1)
			if got.Header.Get("Upload-Expires") == "" || got.Header.Get(tus.ItemHeader) != "" {
				t.Errorf("after %d bytes: %v", at, got.Header)
			}
			if now := offset(t, url); now != at {
				t.Fatalf("HEAD reports %d, not %d", now, at)
			}
		}
		if items := nodetest.CountItems(t, n.Pool); items != 0 {
			t.Errorf("%d items before the last byte", items)
		}
		last := patch(t, url, at, content[at:]).WantStatus(t, http.StatusNoContent)
		item := wantItem(t, n, last, content)
		if name := item.Field(t, "name"); name != "Der müde Tod.mp4" {
			t.Errorf("the item's name is %q", name)
		}

		// A second use is answered with the item, and makes no other.
		again := call(t, http.MethodHead, url, nil).WantStatus(t, http.StatusOK)
		if again.Header.Get(tus.ItemHeader) != last.Header.Get(tus.ItemHeader) || again.Header.Get("Upload-Offset") != again.Header.Get("Upload-Length") {
			t.Errorf("a second use: %v", again.Header)
		}
		patch(t, url, len(content), nil).WantStatus(t, http.StatusNoContent)
		patch(t, url, 5, content[5:]).WantProblem(t, "another file", http.StatusConflict, "CONFLICT")
		call(t, http.MethodDelete, url, nil).WantProblem(t, "a finished upload", http.StatusForbidden, "FORBIDDEN")
		if items := nodetest.CountItems(t, n.Pool); items != 1 {
			t.Errorf("%d items", items)
		}
		nodetest.Eventually(t, "the pieces are deleted", func() bool { return count(t, n.Pool, "upload WHERE segments <> '{}'") == 0 })
	})
}

func TestTus_CreationMayBringBytes(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	in := newInbox(t, n, nil)
	content := clip(100_000)
	got := call(t, http.MethodPost, n.URL+tus.Path, bytes.NewReader(content), append(in.sign(t, in.claims()), "Upload-Length",
		"100000", "Content-Type", "application/offset+octet-stream")...).WantStatus(t, http.StatusCreated)
	wantItem(t, n, got, content)

	// A ticket may be metadata: some browsers' libraries can set no headers.
	pairs := in.sign(t, in.claims())
	got = call(t, http.MethodPost, n.URL+tus.Path, bytes.NewReader(content[:40_000]), "Upload-Length", "100000", "Content-Type",
		"application/offset+octet-stream", "Upload-Metadata", metadata(append(pairs, "name", "a.mp4")...)).
		WantStatus(t, http.StatusCreated)
	url := got.Header.Get("Location")
	if shown := call(t, http.MethodHead, url, nil); shown.Header.Get("Upload-Metadata") != metadata("name", "a.mp4") {
		t.Errorf("HEAD shows %s", shown.Header.Get("Upload-Metadata"))
	}
	wantItem(t, n, patch(t, url, 40_000, content[40_000:]).WantStatus(t, http.StatusNoContent), content)
}

func TestTus_OneNonceMakesOneUpload(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	in := newInbox(t, n, nil)
	headers := append(in.sign(t, in.claims()), "Upload-Length", "1000")
	var mu sync.Mutex
	answers, url := map[string]int{}, ""
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			got, err := try(t.Context(), http.MethodPost, n.URL+tus.Path, nil, headers...)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case got.Status == http.StatusCreated:
				answers["created"]++
				url = got.Header.Get("Location")
			default:
				answers[got.Field(t, "code")]++
			}
		})
	}
	all.Wait()
	if answers["created"] != 1 || answers["TICKET_USED"] != 99 {
		t.Fatalf("got %v", answers)
	}
	call(t, http.MethodDelete, url, nil).WantStatus(t, http.StatusNoContent)
	call(t, http.MethodHead, url, nil).WantStatus(t, http.StatusGone)
	patch(t, url, 0, []byte("x")).WantProblem(t, "ended", http.StatusGone, "GONE")
	create(t, n, 1000, headers[:4]...) // the nonce is free
}

func TestTus_ChecksumsAreVerified(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, n *nodetest.Node) {
		in := newInbox(t, n, nil)
		content := clip(20 << 20)
		half := len(content) - 1<<20
		url := create(t, n, len(content), in.sign(t, in.claims())...)
		for _, c := range []struct {
			at     int
			bytes  []byte
			sum    string
			status int
			code   string
		}{
			{0, content[:half], "sha1 " + sum("sha1", content[1:half]), 460, "CHECKSUM_MISMATCH"},
			{0, content[:half], "sha1 " + sum("sha1", content[:half]), 204, ""},
			{half, content[half : half+1000], "md5 " + sum("md5", content), 460, "CHECKSUM_MISMATCH"},
			{half, content[half : half+1000], "md5 " + sum("md5", content[half:half+1000]), 204, ""},
			{half + 1000, content[half+1000:], "crc32 AAAA", 400, "BAD_REQUEST"},
			{half + 1000, content[half+1000:], "sha1", 400, "BAD_REQUEST"},
			{half + 1000, content[half+1000:], "sha1 AAAA", 400, "BAD_REQUEST"},
			{half + 1000, content[half+1000:], "sha256 " + sum("sha256", content), 460, "CHECKSUM_MISMATCH"},
		} {
			got := patch(t, url, c.at, c.bytes, "Upload-Checksum", c.sum)
			want := c.at
			if c.status == 204 {
				want += len(c.bytes)
				got.WantStatus(t, 204)
			} else {
				got.WantProblem(t, c.sum, c.status, c.code)
			}
			if at := offset(t, url); at != want {
				t.Fatalf("after %s the upload has %d bytes, want %d", c.sum, at, want)
			}
		}
		last := patch(t, url, half+1000, content[half+1000:], "Upload-Checksum", "sha256 "+sum("sha256", content[half+1000:]))
		wantItem(t, n, last.WantStatus(t, 204), content)
	})
}

func TestTus_PartsAreJoined(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, n *nodetest.Node) {
		in := newInbox(t, n, map[string]any{"max_size": 3_000_000, "quota_bytes": 4_000_000})
		content := clip(2_500_000)
		ticket := in.sign(t, in.claims())
		var urls []string
		for at := 0; at < len(content); at += 1_000_000 {
			part := content[at:min(at+1_000_000, len(content))]
			url := create(t, n, len(part), append(ticket, "Upload-Concat", "partial")...)
			patch(t, url, 0, part[:len(part)/2]).WantStatus(t, 204)
			if at == 0 {
				patch(t, url, len(part)/2, part[len(part)/2:]).WantStatus(t, 204)
			}
			urls = append(urls, url)
		}
		if shown := call(t, http.MethodHead, urls[0], nil); shown.Header.Get("Upload-Concat") != "partial" {
			t.Errorf("a part: %v", shown.Header)
		}
		call(t, http.MethodPost, n.URL+tus.Path, nil, append(ticket, "Upload-Concat", "partial", "Upload-Length", "600000")...).
			WantProblem(t, "parts beyond the ticket's size", http.StatusRequestEntityTooLarge, "TOO_LARGE")
		final := slices.Concat(ticket, []string{"Upload-Concat", "final;" + strings.Join(urls, " "), "Upload-Metadata",
			metadata("filename", "a.mp4")})
		call(t, http.MethodPost, n.URL+tus.Path, nil, final...).WantProblem(t, "incomplete", 400, "BAD_REQUEST")
		for i, url := range urls[1:] {
			part := content[(i+1)*1_000_000 : min((i+2)*1_000_000, len(content))]
			patch(t, url, len(part)/2, part[len(part)/2:]).WantStatus(t, 204)
		}
		twice := slices.Concat(ticket, []string{"Upload-Concat", "final;" + urls[0] + " " + urls[0]})
		call(t, http.MethodPost, n.URL+tus.Path, nil, twice...).WantProblem(t, "a part twice", 400, "BAD_REQUEST")
		other := append(in.sign(t, in.claims()), "Upload-Concat", "final;"+strings.Join(urls, " "))
		call(t, http.MethodPost, n.URL+tus.Path, nil, other...).WantProblem(t, "another ticket's parts", 400, "BAD_REQUEST")

		left := create(t, n, 400_000, append(ticket, "Upload-Concat", "partial")...)
		answers := make(chan nodetest.Response, 4)
		for range cap(answers) { // a client that does not wait for its first answer
			go func() {
				got, err := try(t.Context(), http.MethodPost, n.URL+tus.Path, nil, final...)
				if err != nil {
					t.Error(err)
				}
				answers <- got
			}()
		}
		got := nodetest.Next(t, answers).WantStatus(t, http.StatusCreated)
		wantItem(t, n, got, content)
		for range cap(answers) - 1 {
			other := nodetest.Next(t, answers).WantStatus(t, http.StatusCreated)
			if other.Header.Get(tus.ItemHeader) != got.Header.Get(tus.ItemHeader) || other.Header.Get("Location") != got.Header.Get("Location") {
				t.Errorf("at once: %v", other.Header)
			}
		}
		reordered := slices.Concat(ticket, []string{"Upload-Concat", "final;" + urls[1] + " " + urls[0] + " " + urls[2]})
		call(t, http.MethodPost, n.URL+tus.Path, nil, reordered...).WantProblem(t, "other parts", 400, "BAD_REQUEST")
		// A part that is left over ends, and frees what it has reserved.
		call(t, http.MethodHead, left, nil).WantStatus(t, http.StatusGone)
		// The answer was lost: the same request is answered with the same item.
		again := call(t, http.MethodPost, n.URL+tus.Path, nil, final...).WantStatus(t, http.StatusCreated)
		if again.Header.Get(tus.ItemHeader) != got.Header.Get(tus.ItemHeader) {
			t.Errorf("again: %v", again.Header)
		}
		whole := call(t, http.MethodHead, again.Header.Get("Location"), nil).WantStatus(t, http.StatusOK)
		if !strings.HasPrefix(whole.Header.Get("Upload-Concat"), "final") || whole.Header.Get("Upload-Length") != "2500000" {
			t.Errorf("the whole: %v", whole.Header)
		}
		patch(t, again.Header.Get("Location"), 2_500_000, nil).WantProblem(t, "bytes after the parts", http.StatusForbidden, "FORBIDDEN")
		if items := nodetest.CountItems(t, n.Pool); items != 1 {
			t.Errorf("%d items", items)
		}
		call(t, http.MethodPost, n.URL+tus.Path, nil, append(ticket, "Upload-Concat", "partial", "Upload-Length", "5")...).
			WantProblem(t, "parts of a spent ticket", http.StatusConflict, "TICKET_USED")
	})
}
