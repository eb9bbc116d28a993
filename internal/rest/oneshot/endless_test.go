package oneshot_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"itemcast/internal/disktest"
	"itemcast/internal/node/nodetest"
)

// endless never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestUpload_AnEndlessFileEndsAtTheLimit(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	claims := in.claims()
	claims.MaxSize = 3_000_000
	begun := form(fileNamed("clip.mp4", clip(100_000)))
	begun = begun[:len(begun)-len(boundary)-8] // without the end of the file
	got := send(t, in.Client, in.sign(t, claims), io.MultiReader(bytes.NewReader(begun), endless{}))
	got.WantProblem(t, "a file without an end", http.StatusRequestEntityTooLarge, "TOO_LARGE")
	name := []byte("--" + boundary + "\r\nContent-Disposition: form-data; name=\"")
	got = send(t, in.Client, in.sign(t, claims), io.MultiReader(bytes.NewReader(name), endless{}))
	if got.Status != http.StatusBadRequest && got.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("a header without an end: got %d %s", got.Status, got.Body)
	}
	wantNothingLeft(t, in.Pool)
}

// A server that sends without an end fills the disk at most.
func TestAttach_AnEndlessFileOfAServerLeavesNothing(t *testing.T) {
	t.Parallel()
	disk := disktest.Small(t, 8<<20)
	n := nodetest.StartStoring(t, "file://"+filepath.Join(disk, "media"))
	gone := make(chan bool, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(clip(10_000))
		_, err := io.Copy(w, endless{})
		gone <- err != nil
	}))
	t.Cleanup(server.Close)
	id := n.CreateItem(`{"name":"a"}`)
	got := n.Call(http.MethodPost, "/api/v1/items/"+id+"/assets", fmt.Sprintf(`{"url":%q}`, server.URL))
	got.WantProblem(t, "full", http.StatusServiceUnavailable, "STORAGE_UNAVAILABLE")
	if !nodetest.Next(t, gone) {
		t.Error("the server has sent an endless file to its end")
	}
	nodetest.Eventually(t, "no file is left", func() bool { return count(t, n.Pool, "media_file") == 0 })
	if left := files(t, disk); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
}
