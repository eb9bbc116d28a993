package node_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/porttest"
)

// uploaders are the examples that sign a ticket and upload a file with it.
var uploaders = []string{"upload-ticket/go", "upload-ticket/node/upload.mjs", "upload-ticket/python/upload.py",
	"upload-ticket/shell/upload.sh"}

// pixel is a PNG of one pixel.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

func TestClients_UploadersSignTicketsAndUploadFiles(t *testing.T) {
	t.Parallel()
	const name = "Der müde; Tod, 1921.png"
	n := nodetest.Start(t)
	profile := n.Call(http.MethodPost, "/api/v1/workflow-profiles",
		`{"name":"Inbox","uploads":{"enabled":true,"content_types":["image/png"]}}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	secret := n.Call(http.MethodPost, "/api/v1/workflow-profiles/"+profile+"/rotate-secret", `{"secret":"uploads"}`).
		WantStatus(t, http.StatusOK).Field(t, "secret")
	content, err := base64.StdEncoding.DecodeString(pixel)
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range uploaders {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			run := interpreter(t, script)
			upload := func(url, secret, file string) *exec.Cmd {
				return exec.CommandContext(t.Context(), run[0], append(run[1:], url, profile, secret, file)...)
			}
			for range 2 { // each run makes a ticket of its own
				out, err := upload(n.URL, secret, file).Output()
				var answer struct {
					Results []struct {
						ID, Name string
						Assets   []struct{ URL string }
					}
				}
				if err != nil || json.Unmarshal(out, &answer) != nil || len(answer.Results) != 1 ||
					len(answer.Results[0].Assets) != 1 || strings.Count(string(out), "\n") != 1 {
					t.Fatalf("got %s, %v", out, err)
				}
				n.Call(http.MethodGet, "/api/v1/items/"+answer.Results[0].ID, "").WantStatus(t, http.StatusOK)
				stored := n.Call(http.MethodGet, strings.TrimPrefix(answer.Results[0].Assets[0].URL, n.URL), "").
					WantStatus(t, http.StatusOK)
				if string(stored.Body) != string(content) {
					t.Errorf("the stored file has %d bytes", len(stored.Body))
				}
			}
			away := "http://" + porttest.Reserve(t)
			wantEnding(t, upload(n.URL, "icu_ANOTHER", file), "answers 401: The signature of the ticket does not match")
			wantEnding(t, upload(n.URL, "ict_ANOTHER", file), "usage: ")
			wantEnding(t, upload("127.0.0.1:8080", secret, file), " is not a URL such as http")
			wantEnding(t, upload(away, secret, file), away)
			wantEnding(t, upload(n.URL+"/nothing", secret, file), "answers 404")
			wantEnding(t, upload(n.URL, secret, file+".missing"), "annot read")
			wantEnding(t, exec.CommandContext(t.Context(), run[0], run[1:]...), "usage: ")
		})
	}
}
