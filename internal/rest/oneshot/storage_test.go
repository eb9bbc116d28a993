package oneshot_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"itemcast/internal/disktest"
	"itemcast/internal/media/blob/s3test"
	"itemcast/internal/node/nodetest"
)

// A full disk is said, and costs neither the ticket nor anything else.
func TestUpload_SaysThatTheDiskIsFull(t *testing.T) {
	t.Parallel()
	disk := disktest.Small(t, 4<<20)
	in := newInbox(t, nodetest.StartStoring(t, "file://"+filepath.Join(disk, "media")), nil)
	header, body := in.sign(t, in.claims()), form(fileNamed("small.mp4", clip(1000)), fileNamed("clip.mp4", clip(2<<20)))
	free := disktest.Fill(t, disk)
	for _, sent := range []io.Reader{bytes.NewReader(body), io.MultiReader(bytes.NewReader(body))} {
		got := send(t, in.Client, header, sent)
		got.WantProblem(t, "full", http.StatusServiceUnavailable, "STORAGE_UNAVAILABLE")
		if !strings.Contains(got.Detail(t), "full") || got.Header.Get("Retry-After") == "" {
			t.Errorf("got %s with %v", got.Body, got.Header)
		}
	}
	wantNothingLeft(t, in.Pool)
	free()
	in.send(t, header, body).WantStatus(t, http.StatusCreated)
}

// failures returns how often the storage has failed on a node.
func failures(t *testing.T, n *nodetest.Node) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(n.Media)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "itemcast_storage_failures_total" {
			return family.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatal("there is no such metric")
	return 0
}

// What processing makes waits for a storage that is full or away, and nothing of it is lost.
func TestProcessing_WaitsForAStorageThatIsFullOrAway(t *testing.T) {
	t.Parallel()
	clip := ffmpeg(t, "clip.mp4", pattern+tone+h264+"-c:a aac")
	for name, fail := range map[string]func(t *testing.T, dir string) (mend func()){
		"full": func(t *testing.T, dir string) func() { return disktest.Fill(t, dir) },
		"away": func(t *testing.T, dir string) func() {
			media := filepath.Join(dir, "media")
			if err := errors.Join(os.Rename(media, media+".away"), os.Mkdir(media, 0o700)); err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := errors.Join(os.Remove(media), os.Rename(media+".away", media)); err != nil {
					t.Error(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := disktest.Small(t, 16<<20)
			in := processingInbox(t, nodetest.StartStoring(t, "file://"+filepath.Join(dir, "media")))
			first := in.bring(t, "clip.mp4", clip)
			in.wantEnd(t, "the first time", first, finished)
			mend := fail(t, dir)
			before := failures(t, in.Node)
			in.Call(http.MethodPost, "/api/v1/items/"+first.item+"/workflow", `{}`).WantStatus(t, http.StatusAccepted)
			nodetest.Eventually(t, "the storage fails", func() bool { return failures(t, in.Node) > before })
			mend()
			again := in.await(t, "the second time", first.item)
			in.wantEnd(t, "the second time", again, finished)
			if len(again.assets) != len(first.assets) || again.assets[1].URL == first.assets[1].URL {
				t.Errorf("first %v, then %v", first.assets, again.assets)
			}
		})
	}
}

// A storage that goes while files are sent ends the upload in words. When it is back, the same ticket works.
func TestUpload_AStorageThatGoesInTheMiddleLeavesNothing(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	in := newInbox(t, nodetest.StartStoring(t, server.URL), nil)
	header, body := in.sign(t, in.claims()), form(fileNamed("clip.mp4", clip(20<<20)))
	b := begin(t, in.Client, header, body)
	server.Stop()
	b.finish()
	got := nodetest.Next(t, b.answered)
	got.WantProblem(t, "away", http.StatusServiceUnavailable, "STORAGE_UNAVAILABLE")
	server.Restart()
	in.send(t, header, body).WantStatus(t, http.StatusCreated)
	if n := nodetest.CountItems(t, in.Pool); n != 1 {
		t.Errorf("there are %d items", n)
	}
}
