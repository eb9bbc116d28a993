package oneshot_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/media/blob"
	"itemcast/internal/node/nodetest"
)

// begun is an upload of which a part has been sent.
type begun struct {
	rest     []byte
	pipe     *io.PipeWriter
	answered chan nodetest.Response
}

// begin sends the first half of a body, and waits until the server lists the upload.
func begin(t *testing.T, c *nodetest.Client, header http.Header, body []byte) *begun {
	t.Helper()
	return beginTo(t, c, "/api/v1/uploads", header, body)
}

// beginAt is begin for a file that a signed-in user sends.
func beginAt(t *testing.T, c *nodetest.Client, path string, body []byte) *begun {
	t.Helper()
	return beginTo(t, c, path, http.Header{"Authorization": {nodetest.BasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)}},
		body)
}

func beginTo(t *testing.T, c *nodetest.Client, path string, header http.Header, body []byte) *begun {
	t.Helper()
	before := len(underWay(t, c))
	reader, writer := io.Pipe()
	b := &begun{rest: body[len(body)/2:], pipe: writer, answered: make(chan nodetest.Response, 1)}
	header = header.Clone()
	header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	request.Header, request.ContentLength = header, int64(len(body))
	go func() {
		defer close(b.answered)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return // the server was killed
		}
		defer response.Body.Close()
		answer, _ := io.ReadAll(response.Body)
		b.answered <- nodetest.Response{Status: response.StatusCode, Header: response.Header, Body: answer}
	}()
	if _, err := writer.Write(body[:len(body)/2]); err != nil {
		t.Fatal(err)
	}
	nodetest.Eventually(t, "the upload is under way", func() bool { return len(underWay(t, c)) > before })
	return b
}

// finish sends the other half.
func (b *begun) finish() {
	_, _ = b.pipe.Write(b.rest)
	_ = b.pipe.Close()
}

func underWay(t *testing.T, c *nodetest.Client) []map[string]any {
	t.Helper()
	return c.Call(http.MethodGet, "/api/v1/uploads", "").WantStatus(t, http.StatusOK).Results(t)
}

func TestUploads_ListsAndStopsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	c := in.claims()
	header, body := in.sign(t, c), form(fileNamed("clip.mp4", clip(2<<20)))
	b := begin(t, in.Client, header, body)
	defer b.pipe.Close()
	shown := underWay(t, in.Client)[0]
	if shown["nonce"] != c.Nonce || shown["profile_id"] != in.profile.String() || shown["user_id"] != nil ||
		shown["way"] != "form" || shown["size_expected"] != float64(len(body)) {
		t.Errorf("shows %v", shown)
	}
	in.send(t, header, body).WantProblem(t, "the same ticket", http.StatusConflict, "TICKET_USED")

	id := shown["id"].(string)
	viewer := in.CreateUser("viewer@example.com", in.CreateRole("only views", account.APIAccess, account.ItemsView))
	viewer.Call(http.MethodDelete, "/api/v1/uploads/"+id, "").WantProblem(t, "a viewer", http.StatusForbidden, "FORBIDDEN")
	stranger := in.CreateStranger()
	stranger.Call(http.MethodDelete, "/api/v1/uploads/"+id, "").
		WantProblem(t, "a stranger", http.StatusNotFound, "NOT_FOUND")
	if n := len(underWay(t, stranger)); n != 0 {
		t.Errorf("a stranger sees %d uploads", n)
	}
	graph := in.GraphQL(`{ uploads { nodes { id way sizeExpected user { id } } } }`, nil)
	if !bytes.Contains(graph, []byte(id)) {
		t.Errorf("GraphQL shows %s", graph)
	}

	in.Call(http.MethodDelete, "/api/v1/uploads/"+id, "").WantStatus(t, http.StatusNoContent)
	got := nodetest.Next(t, b.answered)
	got.WantProblem(t, "a stopped upload", http.StatusConflict, "CONFLICT")
	in.Call(http.MethodDelete, "/api/v1/uploads/"+id, "").WantProblem(t, "again", http.StatusNotFound, "NOT_FOUND")
	wantNothingLeft(t, in.Pool)
	in.send(t, header, body).WantStatus(t, http.StatusCreated) // the nonce is free
}

// An upload has reserved what it needs of the quota, so that another is refused before its first byte, and not at its
// last.
func TestUpload_QuotasAreReservedBeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	in := setup(t, map[string]any{"quota_bytes": 3_000_000})
	body := form(fileNamed("clip.mp4", clip(2_000_000)))
	b := begin(t, in.Client, in.sign(t, in.claims()), body)
	in.send(t, in.sign(t, in.claims()), body).WantProblem(t, "over the quota", http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
	b.finish()
	made := nodetest.Next(t, b.answered)
	made.WantStatus(t, http.StatusCreated)
	in.send(t, in.sign(t, in.claims()), body).WantProblem(t, "over the quota", http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
	small := form(fileNamed("small.mp4", clip(900_000)))
	in.send(t, in.sign(t, in.claims()), small).WantStatus(t, http.StatusCreated)

	in.Call(http.MethodDelete, "/api/v1/items/"+made.Results(t)[0]["id"].(string), "").WantStatus(t, http.StatusNoContent)
	in.send(t, in.sign(t, in.claims()), body).WantStatus(t, http.StatusCreated) // a deleted item counts no more

	// One that does not announce its length reserves as it grows.
	got := send(t, in.Client, in.sign(t, in.claims()), io.MultiReader(bytes.NewReader(body)))
	got.WantProblem(t, "in chunks", http.StatusRequestEntityTooLarge, "QUOTA_EXCEEDED")
}

// A killed node leaves a reservation, which is free again when the node has not been seen for two minutes, and files,
// which another node discards.
func TestUpload_AKilledNodeLosesTheUploadAndLeavesNothing(t *testing.T) {
	t.Parallel()
	database := dbtest.URL(t)
	storage := filepath.Join(t.TempDir(), "media")
	environment := []string{"ITEMCAST_DATABASE_URL=" + database, "ITEMCAST_STORAGE_URL=file://" + storage,
		"ITEMCAST_ADMIN_EMAIL=" + nodetest.AdminEmail, "ITEMCAST_ADMIN_PASSWORD=" + nodetest.AdminPassword}
	server, url := nodetest.StartServer(t, environment...)
	c := nodetest.Connect(t, url)
	in := &inbox{Node: &nodetest.Node{Client: c}}
	in.profile, in.secret = takeUploads(t, c, nil)
	header, body := in.sign(t, in.claims()), form(fileNamed("clip.mp4", clip(8<<20)))
	b := begin(t, c, header, body)
	nodetest.Eventually(t, "bytes are stored", func() bool { return len(files(t, storage)) > 0 })
	server.Kill()
	_ = b.pipe.Close()

	_, url = nodetest.StartServer(t, environment...)
	c = nodetest.Connect(t, url)
	send(t, c, header, bytes.NewReader(body)).
		WantProblem(t, "while the node may live", http.StatusConflict, "TICKET_USED")
	if used := usage(t, c); used["uploads"] != 1.0 || used["reserved_bytes"] != float64(len(body)) {
		t.Errorf("while the node may live, the account uses %v", used)
	}
	pool := nodetest.OpenPool(t, database)
	if _, err := pool.Exec(t.Context(), "UPDATE upload SET seen_at = seen_at - interval '3 minutes'"); err != nil {
		t.Fatal(err)
	}
	send(t, c, header, bytes.NewReader(body)).WantStatus(t, http.StatusCreated)
	if n := nodetest.CountItems(t, pool); n != 1 {
		t.Errorf("there are %d items", n)
	}
	if _, err := pool.Exec(t.Context(), "UPDATE upload SET ended_at = ended_at - interval '1 minute'"); err != nil {
		t.Fatal(err)
	}
	nodetest.StartServer(t, environment...) // sweeps when it starts
	nodetest.Eventually(t, "the dead upload's file is gone", func() bool { return len(files(t, storage)) == 1 })
	if used := usage(t, c); used["uploads"] != 0.0 || used["reserved_bytes"] != 0.0 || used["bytes"] != float64(8<<20) {
		t.Errorf("the account uses %v", used)
	}
}

func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && e.Name() != blob.MarkName {
			all = append(all, path)
		}
		return nil
	})
	return all
}

// A storage that fails is said, and costs neither the ticket nor anything else.
func TestUpload_SaysThatTheStorageIsAway(t *testing.T) {
	t.Parallel()
	storage := filepath.Join(t.TempDir(), "media")
	in := newInbox(t, nodetest.StartStoring(t, "file://"+storage), nil)
	header, body := in.sign(t, in.claims()), form(fileNamed("clip.mp4", clip(100_000)))
	if err := errors.Join(os.Rename(storage, storage+".away"), os.WriteFile(storage, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	in.send(t, header, body).WantProblem(t, "away", http.StatusServiceUnavailable, "STORAGE_UNAVAILABLE")
	if err := errors.Join(os.Remove(storage), os.Rename(storage+".away", storage)); err != nil {
		t.Fatal(err)
	}
	in.send(t, header, body).WantStatus(t, http.StatusCreated)
}

// The node does not end an upload that is slow, and does not wait for one that has ended.
func TestUpload_AShutdownEndsItInWords(t *testing.T) {
	t.Parallel()
	n, stop := nodetest.Serve(t, dbtest.New(t), nodetest.ListenWatched(t))
	in := newInbox(t, n, nil)
	b := begin(t, in.Client, in.sign(t, in.claims()), form(fileNamed("clip.mp4", clip(2<<20))))
	defer b.pipe.Close()
	began := time.Now()
	stop()
	got := nodetest.Next(t, b.answered)
	got.WantProblem(t, "a shutdown", http.StatusServiceUnavailable, "UNAVAILABLE")
	if took := time.Since(began); took > 14*time.Second {
		t.Errorf("the shutdown took %s", took)
	}
	if n := count(t, in.Pool, "upload WHERE state = 'receiving'"); n != 0 {
		t.Error("the reservation is left")
	}
}
