package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/porttest"
	"itemcast/internal/upload/ticket"
)

// uploads is a server, and the variables with which the command signs in at it.
type uploads struct {
	*nodetest.Client
	gate        *gate
	server      *nodetest.Process
	settings    []string // of the server
	environment []string // of the command
}

func startUploads(t *testing.T) *uploads {
	t.Helper()
	address := porttest.Reserve(t)
	u := &uploads{gate: newGate(t, address)}
	url := u.gate.URL
	u.settings = []string{"ITEMCAST_DATABASE_URL=" + dbtest.URL(t), "ITEMCAST_ADDR=" + address,
		"ITEMCAST_PUBLIC_URL=" + url, "ITEMCAST_DATA_DIR=" + t.TempDir(), "ITEMCAST_ADMIN_EMAIL=" + nodetest.AdminEmail,
		"ITEMCAST_ADMIN_PASSWORD=" + nodetest.AdminPassword}
	u.server, _ = nodetest.StartServer(t, u.settings...)
	u.Client = nodetest.Connect(t, url)
	u.environment = []string{"ITEMCAST_UPLOAD_SERVER=" + url, "ITEMCAST_UPLOAD_USER=" + nodetest.AdminEmail,
		"ITEMCAST_UPLOAD_PASSWORD=" + nodetest.AdminPassword, "ITEMCAST_UPLOAD_STATE=" + t.TempDir()}
	return u
}

// film writes a file that looks like a video.
func film(t *testing.T, name string, size int) (path string) {
	t.Helper()
	content := make([]byte, size)
	_, _ = rand.Read(content)
	copy(content, "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42")
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// uploadedItem is what the tests read of a document.
type uploadedItem struct {
	Name, Privacy string
	Tags          []string
	Metadata      map[string]any
	Assets        []struct {
		Kind, URL string
		Language  *string
	}
}

func (u *uploads) item(t *testing.T, id string) (i uploadedItem) {
	t.Helper()
	body := u.Call(http.MethodGet, "/api/v1/items/"+id, "").WantStatus(t, http.StatusOK).Body
	if err := json.Unmarshal(body, &i); err != nil {
		t.Fatal(err)
	}
	return i
}

// wantFile checks that an asset has the bytes of a file.
func (u *uploads) wantFile(t *testing.T, url, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := u.Call(http.MethodGet, strings.TrimPrefix(url, u.URL), "").WantStatus(t, http.StatusOK).Body
	if want, have := sha256.Sum256(content), sha256.Sum256(got); want != have {
		t.Errorf("%s has the SHA-256 %s instead of %s", url, hex.EncodeToString(have[:]), hex.EncodeToString(want[:]))
	}
}

func (u *uploads) countItems(t *testing.T) string {
	t.Helper()
	return u.Call(http.MethodGet, "/api/v1/items?count=true&limit=1", "").WantStatus(t, http.StatusOK).Field(t, "count")
}

// uploaded returns the lines of JSON that the command has printed.
func uploaded(t *testing.T, out string) (all []uploadedFile) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(out))
	for decoder.More() {
		var one uploadedFile
		if err := decoder.Decode(&one); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		all = append(all, one)
	}
	return all
}

func TestUpload_EachFileBecomesAnItem(t *testing.T) {
	t.Parallel()
	u := startUploads(t)
	first, second := film(t, "Metropolis.mp4", 3_000_000), film(t, "Nosferatu.mp4", 1_000_000)
	code, out, errs := nodetest.RunProcess(t, u.environment, "upload", first, second, "--chunk-size=1MiB",
		"--privacy=public", "--tags=silent,1920s", "--json", `--fields={"producer":"Ufa"}`)
	wantExit(t, code, out, errs, 0, "")
	all := uploaded(t, out)
	if len(all) != 2 || all[0].Status != "uploaded" || all[0].URL != u.URL+"/api/v1/items/"+all[0].Item {
		t.Fatalf("got %+v\n%s", all, errs)
	}
	i := u.item(t, all[0].Item)
	if i.Name != "Metropolis.mp4" || i.Privacy != "public" || strings.Join(i.Tags, " ") != "1920s silent" ||
		len(i.Assets) != 1 || i.Assets[0].Kind != "source" {
		t.Fatalf("the item is %+v", i)
	}
	u.wantFile(t, i.Assets[0].URL, first)

	code, out, errs = nodetest.RunProcess(t, u.environment, "upload", first, "--chunk-size=1MiB",
		"--privacy=public", "--tags=silent,1920s", `--fields={"producer":"Ufa"}`)
	wantExit(t, code, out, errs, 0, all[0].Item)
	if n := u.countItems(t); n != "2" || !strings.Contains(errs, "was uploaded before") {
		t.Errorf("the second run makes %s items\n%s", n, errs)
	}
}

func TestUpload_AsksWhetherWhatItHasUploadedIsStillThere(t *testing.T) {
	t.Parallel()
	u := startUploads(t)
	args := []string{"upload", film(t, "Metropolis.mp4", 1000), "--json"}
	code, out, errs := nodetest.RunProcess(t, u.environment, args...)
	wantExit(t, code, out, errs, 0, "")
	id := uploaded(t, out)[0].Item
	bad := []string{u.environment[0], u.environment[3], "ITEMCAST_UPLOAD_TOKEN=ict_none"}
	code, out, errs = nodetest.RunProcess(t, bad, args...)
	wantExit(t, code, out, errs, 1, `"failed"`)

	u.Call(http.MethodDelete, "/api/v1/items/"+id, "").WantStatus(t, http.StatusNoContent)
	code, out, errs = nodetest.RunProcess(t, u.environment, args...)
	wantExit(t, code, out, errs, 0, `"uploaded"`, "has been deleted")
	other := uploaded(t, out)[0].Item

	args = append(args, "--item="+other)
	for _, want := range []string{`"uploaded"`, `"present"`} {
		code, out, errs = nodetest.RunProcess(t, u.environment, args...)
		wantExit(t, code, out, errs, 0, want)
	}
	asset := u.Call(http.MethodGet, "/api/v1/items/"+other, "").Object(t)["assets"].([]any)[0].(map[string]any)["id"]
	u.Call(http.MethodDelete, "/api/v1/items/"+other+"/assets/"+asset.(string), "").WantStatus(t, http.StatusNoContent)
	code, out, errs = nodetest.RunProcess(t, u.environment, args...)
	wantExit(t, code, out, errs, 0, `"uploaded"`, "has been deleted")
}

func TestUpload_SaysWhyTheServerNoLongerHasIt(t *testing.T) {
	t.Parallel()
	u := startUploads(t)
	u.gate.after(2)
	command := nodetest.StartProcess(t, u.environment, "upload", film(t, "film.mp4", 2<<20), "--chunk-size=1MiB")
	release := u.gate.await(t)
	id := u.Call(http.MethodGet, "/api/v1/uploads", "").WantStatus(t, http.StatusOK).Results(t)[0]["id"].(string)
	u.Call(http.MethodDelete, "/api/v1/uploads/"+id, "").WantStatus(t, http.StatusNoContent)
	release()
	code := command.Wait()
	wantExit(t, code, command.Stdout.String(), command.Stderr.String(), 1, "The upload was stopped", "start it again")
}

func TestUpload_AddsAFileToAnItem(t *testing.T) {
	t.Parallel()
	u := startUploads(t)
	id := u.Call(http.MethodPost, "/api/v1/items", `{"name":"Metropolis"}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	subtitles := filepath.Join(t.TempDir(), "film.de.vtt")
	if err := os.WriteFile(subtitles, []byte("WEBVTT\n\n00:01.000 --> 00:02.000\nEin Film\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := nodetest.RunProcess(t, u.environment, "upload", subtitles, "--item="+id, "--kind=subtitle",
		"--language=de")
	wantExit(t, code, out, errs, 0, id)
	i := u.item(t, id)
	if len(i.Assets) != 1 || i.Assets[0].Kind != "subtitle" || i.Assets[0].Language == nil || *i.Assets[0].Language != "de" {
		t.Fatalf("the item is %+v", i)
	}
	u.wantFile(t, i.Assets[0].URL, subtitles)
}

func TestUpload_WithATicketOrATokenInPlaceOfAUser(t *testing.T) {
	t.Parallel()
	u := startUploads(t)
	profile := u.Call(http.MethodPost, "/api/v1/workflow-profiles", `{"name":"Inbox","uploads":{"enabled":true}}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	secret := u.Call(http.MethodPost, "/api/v1/workflow-profiles/"+profile+"/rotate-secret", `{"secret":"uploads"}`).
		WantStatus(t, http.StatusOK).Field(t, "secret")
	info, signature, err := ticket.Claims{Profile: uuid.MustParse(profile), Expires: time.Now().Add(time.Hour).Unix(),
		Nonce: rand.Text()}.Sign(secret)
	if err != nil {
		t.Fatal(err)
	}
	server := append([]string{}, u.environment[0], u.environment[3])
	code, out, errs := nodetest.RunProcess(t, append(server, "ITEMCAST_UPLOAD_TICKET_INFO="+info,
		"ITEMCAST_UPLOAD_TICKET_SIGNATURE="+signature), "upload", film(t, "film.mp4", 1000), "--json")
	wantExit(t, code, out, errs, 0, "")
	if i := u.item(t, uploaded(t, out)[0].Item); i.Name != "film.mp4" {
		t.Errorf("the item is %+v", i)
	}
	token := u.Call(http.MethodPost, "/api/v1/tokens", `{"name":"Uploads","permissions":["items.view","items.create"]}`).
		WantStatus(t, http.StatusCreated).Field(t, "secret")
	code, out, errs = nodetest.RunProcess(t, append(server, "ITEMCAST_UPLOAD_TOKEN="+token), "upload",
		film(t, "film.mp4", 1000), "--profile=Inbox")
	wantExit(t, code, out, errs, 0, "/api/v1/items/")
	code, out, errs = nodetest.RunProcess(t, append(server, "ITEMCAST_UPLOAD_TOKEN="+token), "upload",
		film(t, "film.mp4", 1000), "--profile=Outbox")
	wantExit(t, code, out, errs, 1, "Inbox")
}

// gate is a proxy before a server. It can hold a chunk that comes.
type gate struct {
	*httptest.Server
	mu   sync.Mutex
	left int // chunks to pass before one is held; 0: hold none
	held chan (chan struct{})
}

func newGate(t *testing.T, address string) *gate {
	t.Helper()
	g := &gate{held: make(chan (chan struct{}), 1)}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address})
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && g.holds() {
			release := make(chan struct{})
			g.held <- release
			<-release
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gate) holds() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left--
	return g.left == 0
}

// after makes the nth chunk from now on wait.
func (g *gate) after(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = n
}

// await waits until a chunk is held. release lets it pass.
func (g *gate) await(t *testing.T) (release func()) {
	t.Helper()
	select {
	case held := <-g.held:
		return func() { close(held) }
	case <-time.After(nodetest.Timeout):
		t.Fatal("no chunk comes")
		panic("unreachable")
	}
}

func TestUpload_SurvivesKillsOfTheServerAndOfItself(t *testing.T) {
	t.Parallel()
	u := startUploads(t)
	file := film(t, "film.mp4", 8<<20)
	args := []string{"upload", file, "--chunk-size=1MiB", "--json", "--retry-for=2m"}
	u.gate.after(3)
	command := nodetest.StartProcess(t, u.environment, args...)
	release := u.gate.await(t)
	u.server.Kill()
	release()
	command.AwaitOutput("that it waits", func() bool {
		return strings.Contains(command.Stderr.String(), "waits for the server")
	})
	u.gate.after(3)
	u.server, _ = nodetest.StartServer(t, u.settings...)
	release = u.gate.await(t)
	command.Kill()
	release()

	second := nodetest.StartProcess(t, u.environment, args...)
	code := second.Wait()
	wantExit(t, code, second.Stdout.String(), second.Stderr.String(), 0, `"uploaded"`, "resumes at ")
	i := u.item(t, uploaded(t, second.Stdout.String())[0].Item)
	u.wantFile(t, i.Assets[0].URL, file)
	if n := u.countItems(t); n != "1" {
		t.Errorf("there are %s items", n)
	}
}

func TestUpload_CtrlCSaysHowToResume(t *testing.T) {
	t.Parallel()
	u := startUploads(t)
	u.gate.after(2)
	command := nodetest.StartProcess(t, u.environment, "upload", film(t, "film.mp4", 2<<20), "--chunk-size=1MiB")
	release := u.gate.await(t)
	command.Signal(syscall.SIGINT)
	code := command.Wait()
	release()
	wantExit(t, code, command.Stdout.String(), command.Stderr.String(), exitInterrupted, "run the command again to resume")
}

func TestUpload_ExitCodesAndErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	u := startUploads(t)
	good, text := film(t, "film.mp4", 1000), filepath.Join(t.TempDir(), "data.bin")
	if err := os.WriteFile(text, bytes.Repeat([]byte{0x01, 0xfe}, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	away := "http://" + porttest.Reserve(t)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{text + " " + good, exitRejected, "1 of 2 files failed"},
		{text, 1, "are of no kind that Itemcast knows"},
		{"/no/such/file", 1, "no such file or directory"},
		{good + " --item=" + uuid.NewString(), 1, "item"},
		{good + " --kind=subtitle", 1, "--item"},
		{good + " --item=" + uuid.NewString() + " --tags=a", 1, "--tags is for new items"},
		{good + " --password=wrong --again", 1, "password"},
		{good + " --server=" + away, exitAway, "run the command again to resume"},
		{good + " --token=ict_x", 1, "choose one"},
		{good + " --chunk-size=1", 1, "256KiB"},
		{good + " --fields=7", 1, "must be a JSON object"},
		{good + ` --fields={"colour":1}`, 1, "colour"},
	} {
		code, out, errs := nodetest.RunProcess(t, u.environment, append([]string{"upload"}, strings.Fields(c.args)...)...)
		wantExit(t, code, out, errs, c.code, c.want)
	}
	code, out, errs := nodetest.RunProcess(t, nil, "upload", good)
	wantExit(t, code, out, errs, 1, "ITEMCAST_UPLOAD_TOKEN")
}
