package node_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

// elsewhere is a server that processes nothing itself, and the settings of processes beside it.
type elsewhere struct {
	t *testing.T
	*nodetest.Client
	environment []string
}

func startElsewhere(t *testing.T) *elsewhere {
	t.Helper()
	e := &elsewhere{t: t, environment: []string{"ITEMCAST_DATABASE_URL=" + dbtest.URL(t),
		"ITEMCAST_STORAGE_URL=file://" + t.TempDir()}}
	_, url := nodetest.StartServer(t, append(e.environment, "ITEMCAST_PROCESS_JOBS=0",
		"ITEMCAST_ADMIN_EMAIL="+nodetest.AdminEmail, "ITEMCAST_ADMIN_PASSWORD="+nodetest.AdminPassword)...)
	e.Client = nodetest.Connect(t, url)
	return e
}

// process starts itemcast process.
func (e *elsewhere) process(environment ...string) *nodetest.Process {
	e.t.Helper()
	p := nodetest.StartProcess(e.t, append(append(e.environment, "ITEMCAST_OPS_ADDR="), environment...), "process")
	p.AwaitStdout("Itemcast processes media")
	return p
}

// sourced makes an item with a source, whose workflow then begins.
func (e *elsewhere) sourced(file string) (id string) {
	e.t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		e.t.Fatal(err)
	}
	profile := e.Call(http.MethodPost, "/api/v1/workflow-profiles", processing).WantStatus(e.t, http.StatusCreated).
		Field(e.t, "id")
	id = e.CreateItem(`{"name":"clip","privacy":"public"}`)
	body, contentType := fileForm(e.t, "clip.mp4", string(content))
	e.Call(http.MethodPost, "/api/v1/items/"+id+"/assets", body, "Content-Type", contentType).
		WantStatus(e.t, http.StatusCreated)
	e.PatchItem(id, `{"workflow_profile_id":"`+profile+`"}`).WantStatus(e.t, http.StatusOK)
	return id
}

// stuckAt returns a PATH with an ffmpeg that hangs when its arguments contain a text.
func stuckAt(t *testing.T, text string) string {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *%s*) exec sleep 600;; esac\nexec %s \"$@\"\n", text, ffmpeg)
	if err := os.WriteFile(filepath.Join(dir, "ffmpeg"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return "PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH")
}

// A process that is told to stop gives its item back, and one that is killed loses it to another one. Both are stopped
// while the item shows a part. In the end it has everything once.
func TestProcess_AnotherTakesOverAndNothingIsLostOrDouble(t *testing.T) {
	t.Parallel()
	e := startElsewhere(t)
	stuck := stuckAt(t, "scale=1280:720")
	id := e.sourced(made(t, "clip.mp4", strings.Replace(clip, "320x180", "1280x720", 1)))
	n := &nodetest.Node{Client: e.Client}
	if got := explanation(t, e.Client, id); got != "Waits for the media processor." {
		t.Errorf("without a process, the run says %q", got)
	}
	hasPlaylist := func() bool {
		return strings.Contains(string(e.Call(http.MethodGet, "/api/v1/items/"+id, "").Body), "playlist")
	}

	told := e.process(stuck, "ITEMCAST_PROCESS_DRAIN_FOR=0s")
	nodetest.EventuallyWithin(t, nodetest.MediaTimeout, "the item shows its lowest rung", hasPlaylist)
	told.Signal(syscall.SIGTERM)
	if code := told.Wait(); code != 0 {
		t.Fatalf("%s ended with %d", told, code)
	}
	first := playlist(t, e.Client, id)
	killed := e.process(stuck)
	nodetest.EventuallyWithin(t, nodetest.MediaTimeout, "the second process shows its own",
		func() bool { return playlist(t, e.Client, id) != first })
	killed.Kill()

	e.process()
	status, fault, p := await(t, n, id)
	if status != "completed" || p.kinds() != "source playlist rendition storyboard 4" {
		t.Fatalf("the run %s (%s): %s", status, fault, p.kinds())
	}
	list := p.asset("playlist")
	if files := p.fetchAll(list.URL, p.fetch(list.URL, "application/vnd.apple.mpegurl")); files < 9 {
		t.Errorf("the playlist leads to %d files", files)
	}
}

func explanation(t *testing.T, c *nodetest.Client, id string) string {
	t.Helper()
	var text string
	nodetest.Eventually(t, "the run waits", func() bool {
		run := c.Call(http.MethodGet, "/api/v1/items/"+id+"/workflow", "").WantStatus(t, http.StatusOK).Object(t)
		text, _ = run["explanation"].(string)
		return strings.HasPrefix(text, "Waits for the")
	})
	return text
}

// playlist returns the id of an item's playlist.
func playlist(t *testing.T, c *nodetest.Client, id string) (found string) {
	t.Helper()
	for _, a := range heldIn(t, c.Call(http.MethodGet, "/api/v1/items/"+id, "")).Assets {
		if a.Kind == "playlist" {
			found += a.ID
		}
	}
	return found
}

func TestProcess_SaysWhatItLacks(t *testing.T) {
	t.Parallel()
	e := startElsewhere(t)
	e.sourced(made(t, "clip.mp4", clip))
	for want, environment := range map[string][]string{
		"ffmpeg, ffprobe, vips, vipsheader are missing": {"PATH=/nowhere"},
		"to the storage of the servers: the storage is not mounted, or is another one": {
			"ITEMCAST_STORAGE_URL=file://" + t.TempDir()},
		"must be auto, or 1 or more": {"ITEMCAST_PROCESS_JOBS=0"},
		"there is no data in":        {"ITEMCAST_DATABASE_URL=", "ITEMCAST_DATA_DIR=" + t.TempDir()},
	} {
		code, _, stderr := nodetest.RunProcess(t, append(append(e.environment, "ITEMCAST_OPS_ADDR="), environment...), "process")
		if code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("want %s, got %d %s", want, code, stderr)
		}
	}
}
