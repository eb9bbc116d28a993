package file_test

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/media/blob/s3test"
	"itemcast/internal/node/nodetest"
)

func TestFile_ComesFromS3AsFromAFolder(t *testing.T) {
	t.Parallel()
	n := nodetest.StartStoring(t, s3test.Start(t).URL)
	answersRangesAndConditions(t, n)
	empty := store(n, "public", "empty.vtt", "text/vtt", "")
	if got := get(n, empty.path).WantStatus(t, http.StatusOK); len(got.Body) > 0 {
		t.Errorf("an empty file has %d bytes", len(got.Body))
	}
	all := strings.Repeat("0123456789", 2<<20) // S3 gets it in parts
	large := store(n, "public", "large.mp4", "video/mp4", all)
	if got := get(n, large.path).WantStatus(t, http.StatusOK); sha256.Sum256(got.Body) != sha256.Sum256([]byte(all)) {
		t.Errorf("%d bytes came, of %d", len(got.Body), len(all))
	}
	if got := get(n, large.path, "Range", "bytes=10000000-10000004"); string(got.Body) != "01234" {
		t.Errorf("a range: %s", got.Body)
	}
}

func TestFile_SaysThatTheStorageIsAway(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	n := nodetest.StartStoring(t, server.URL)
	f := store(n, "public", "clip.mp4", "video/mp4", text)
	server.Stop()
	for _, header := range [][]string{nil, {"Range", "bytes=1-2"}, {"Range", "bytes=1-2,4-5"}} {
		got := get(n, f.path, header...)
		got.WantProblem(t, "away", http.StatusServiceUnavailable, "STORAGE_UNAVAILABLE")
		if got.Header.Get("Retry-After") == "" || got.Header.Get("Cache-Control") != "no-store" ||
			got.Header.Get("ETag")+got.Header.Get("Content-Range")+got.Header.Get("Content-Disposition") != "" {
			t.Errorf("away: %v", got.Header)
		}
	}
	n.Call(http.MethodGet, "/api/v1/items/"+f.item, "").WantStatus(t, http.StatusOK)
	server.Restart()
	if got := get(n, f.path).WantStatus(t, http.StatusOK); string(got.Body) != text {
		t.Errorf("back: %s", got.Body)
	}
}
