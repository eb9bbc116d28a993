package node_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/node/nodetest"
)

// processed is an item whose source has been processed.
type processed struct {
	t *testing.T
	n *nodetest.Node
	item.Item
}

// made makes a file by ffmpeg.
func made(t *testing.T, name string, args string) string {
	t.Helper()
	file := path.Join(t.TempDir(), name)
	all := append([]string{"-v", "error", "-nostdin"}, append(strings.Fields(args), file)...)
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", all...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return file
}

// upload creates a public item with a source and a workflow that processes it, as an upload does.
func upload(t *testing.T, n *nodetest.Node, file, profile string) (id string) {
	t.Helper()
	var owner uuid.UUID
	if err := n.Pool.QueryRow(t.Context(), `SELECT id FROM account`).Scan(&owner); err != nil {
		t.Fatal(err)
	}
	ctx := account.WithActor(t.Context(), account.Actor{AccountID: owner, Permissions: account.All()})
	content, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	asset := uuid.Must(uuid.NewV7())
	stored, err := n.Media.Stage(ctx, owner, media.File{Asset: asset, Name: path.Base(file), ContentType: "video/mp4"},
		1<<30, content)
	if err != nil {
		t.Fatal(err)
	}
	input := fmt.Sprintf(`{"name":%q,"privacy":"public","workflow_profile_id":%q}`, path.Base(file), profile)
	document, err := n.Items.CreateWithMedia(ctx, []byte(input),
		func(ctx context.Context, tx pgx.Tx, i uuid.UUID) (item.Media, error) {
			return item.Media{Add: []item.Asset{{ID: asset, Kind: item.AssetKindSource, ContentType: stored.ContentType,
				URL: n.Media.Path(asset, stored.Name), Size: &stored.Size}}}, n.Media.Publish(ctx, tx, owner, i, asset)
		})
	if err != nil {
		t.Fatal(err)
	}
	var created item.Item
	if err := json.Unmarshal(document.Bytes, &created); err != nil {
		t.Fatal(err)
	}
	return created.ID.String()
}

const processing = `{"name":"Processing","actions":[{"key":"process","kind":"process","name":"Make it playable"}]}`

func processingProfile(n *nodetest.Node, body string) string {
	return n.Call(http.MethodPost, "/api/v1/workflow-profiles", body).WantStatus(n.T, http.StatusCreated).Field(n.T, "id")
}

// await waits for the end of an item's run, and returns its status, error and item.
func await(t *testing.T, n *nodetest.Node, id string) (status, fault string, p processed) {
	t.Helper()
	nodetest.EventuallyWithin(t, nodetest.MediaTimeout, "the run ends", func() bool {
		run := n.Call(http.MethodGet, "/api/v1/items/"+id+"/workflow", "").WantStatus(t, http.StatusOK)
		var answer struct {
			Status  string
			Actions []struct{ Status, Error string }
		}
		if err := json.Unmarshal(run.Body, &answer); err != nil {
			t.Fatal(err)
		}
		status, fault = answer.Status, answer.Actions[0].Error
		return status == "completed" || status == "failed"
	})
	p = processed{t: t, n: n}
	if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/items/"+id, "").Body, &p.Item); err != nil {
		t.Fatal(err)
	}
	return status, fault, p
}

// kinds are the kinds of the assets and the number of snapshots.
func (p processed) kinds() string {
	var kinds []string
	for _, a := range p.Assets {
		kinds = append(kinds, string(a.Kind))
	}
	return fmt.Sprintf("%s %d", strings.Join(kinds, " "), len(p.Snapshots))
}

func (p processed) asset(kind item.AssetKind) item.Asset {
	p.t.Helper()
	for _, a := range p.Assets {
		if a.Kind == kind {
			return a
		}
	}
	p.t.Fatalf("there is no %s", kind)
	return item.Asset{}
}

// fetch gets a file as anybody.
func (p processed) fetch(url, contentType string) string {
	p.t.Helper()
	client := http.Client{Timeout: nodetest.Timeout}
	response, err := client.Get(url)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), contentType) {
		p.t.Errorf("%s: got %d, %s, %v", url, response.StatusCode, response.Header.Get("Content-Type"), err)
	}
	return string(body)
}

// fetchAll gets every file that a playlist names, and returns their number.
func (p processed) fetchAll(url, playlist string) (files int) {
	p.t.Helper()
	base := url[:strings.LastIndex(url, "/")+1]
	lines := bufio.NewScanner(strings.NewReader(playlist))
	for lines.Scan() {
		name := lines.Text()
		if _, rest, ok := strings.Cut(name, `URI="`); ok {
			name, _, _ = strings.Cut(rest, `"`)
		} else if name == "" || name[0] == '#' {
			continue
		}
		files++
		if strings.HasSuffix(name, ".m3u8") {
			files += p.fetchAll(base+name, p.fetch(base+name, "application/vnd.apple.mpegurl"))
			continue
		}
		p.fetch(base+name, "")
	}
	return files
}

const clip = "-f lavfi -i testsrc2=s=320x180:r=30:d=2 -f lavfi -i sine=d=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"

func TestProcessing_AVideoPlaysFromItsURLs(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	profile := processingProfile(n, processing)
	id := upload(t, n, made(t, "clip.mp4", clip), profile)
	status, fault, p := await(t, n, id)
	if status != "completed" {
		t.Fatalf("the run %s: %s", status, fault)
	}
	if got := p.kinds(); got != "source playlist rendition storyboard 4" {
		t.Errorf("the item has %s", got)
	}
	if p.Duration == nil || *p.Duration < 1.9 || *p.Duration > 2.1 || p.Type != item.ItemTypeVideo || p.SnapshotID == nil ||
		*p.SnapshotID != p.Snapshots[0].ID {
		t.Errorf("got %+v", p.Item)
	}
	list := p.asset(item.AssetKindPlaylist)
	master := p.fetch(list.URL, "application/vnd.apple.mpegurl")
	if !strings.Contains(master, "RESOLUTION=320x180") || *list.Width != 320 || *list.Height != 180 {
		t.Errorf("got %+v: %s", list, master)
	}
	if files := p.fetchAll(list.URL, master); files < 6 {
		t.Errorf("the playlist leads to %d files", files)
	}
	p.fetch(p.Snapshots[0].URL, "image/jpeg")
	board := p.asset(item.AssetKindStoryboard)
	if text := p.fetch(board.URL, "text/vtt"); !strings.Contains(text, "sheet_001.jpg#xywh=") {
		t.Errorf("got %s", text)
	}
	p.fetch(board.URL[:strings.LastIndex(board.URL, "/")+1]+"sheet_001.jpg", "image/jpeg")
	p.fetch(p.asset(item.AssetKindRendition).URL, "video/mp4")

	// A second run replaces what the first one has made, at other addresses.
	n.Call(http.MethodPost, "/api/v1/items/"+id+"/workflow", `{}`).WantStatus(t, http.StatusAccepted)
	status, fault, again := await(t, n, id)
	if status != "completed" || again.kinds() != p.kinds() || again.asset(item.AssetKindPlaylist).ID == list.ID ||
		again.SnapshotID == nil || *again.SnapshotID != again.Snapshots[0].ID {
		t.Errorf("the second run %s (%s): %s", status, fault, again.kinds())
	}
}

func TestProcessing_SoundsAndPicturesGetTheirOwnFiles(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	profile := processingProfile(n, processing)
	sound := upload(t, n, made(t, "tone.wav", "-f lavfi -i sine=d=2"), profile)
	picture := upload(t, n, made(t, "itemcast-still.png", "-f lavfi -i testsrc2=s=160x90 -frames:v 1"), profile)
	text := made(t, "notes.txt", "-f lavfi -i sine=d=0.1 -f ffmetadata")
	if err := os.WriteFile(text, []byte(strings.Repeat("notes\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused := upload(t, n, text, profile)
	status, fault, p := await(t, n, sound)
	if status != "completed" || p.kinds() != "source playlist rendition 0" || p.Type != item.ItemTypeAudio {
		t.Errorf("sound: %s %s: %s, %s", status, fault, p.kinds(), p.Type)
	}
	p.fetch(p.asset(item.AssetKindRendition).URL, "audio/mp4")
	status, fault, p = await(t, n, picture)
	if status != "completed" || p.kinds() != "source rendition 1" || p.Type != item.ItemTypeImage || p.Duration != nil {
		t.Errorf("picture: %s %s: %s, %s", status, fault, p.kinds(), p.Type)
	}
	status, fault, p = await(t, n, refused)
	if status != "failed" || !strings.HasPrefix(fault, "The file is no video, sound, picture or PDF") || p.kinds() != "source 0" {
		t.Errorf("text: %s %s: %s", status, fault, p.kinds())
	}
	empty := n.CreateItem(`{"name":"x","workflow_profile_id":"` + profile + `"}`)
	status, fault, _ = await(t, n, empty)
	if status != "completed" || fault != "The item has no source file that Itemcast holds." {
		t.Errorf("without a source: %s %s", status, fault)
	}
}
