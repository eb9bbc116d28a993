package node_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/porttest"
	"itemcast/internal/problem"
	"itemcast/internal/upload/ticket"
)

// uploaders are the examples that sign a ticket and upload a file with it.
var uploaders = []string{"upload-ticket/go", "upload-ticket/node/upload.mjs", "upload-ticket/python/upload.py",
	"upload-ticket/shell/upload.sh"}

// uploadServer takes uploads with tickets of one profile as Itemcast does, and keeps nothing.
func uploadServer(t *testing.T, terms ticket.Terms) string {
	t.Helper()
	used := map[string]bool{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/uploads", func(w http.ResponseWriter, r *http.Request) {
		info, signature, err := ticket.Sent(r.Header.Values(ticket.InfoName), r.Header.Values(ticket.SignatureName))
		var of ticket.Ticket
		if err == nil {
			of, err = ticket.Parse(info, signature, time.Now(), func(id uuid.UUID) (ticket.Terms, error) {
				if id != terms.Profile {
					return ticket.Terms{}, problem.New(problem.NotFound, "no profile")
				}
				return terms, nil
			})
		}
		if err != nil {
			p := problem.From(err)
			w.WriteHeader(p.Code.Status())
			fmt.Fprintf(w, `{"code":%q,"detail":%q}`, p.Code, p.Detail)
			return
		}
		form, err := r.MultipartReader()
		if err != nil {
			t.Errorf("not a form: %v", err)
			return
		}
		part, err := form.NextPart()
		if err != nil {
			t.Errorf("no part: %v", err)
			return
		}
		content, err := io.ReadAll(part)
		if _, end := form.NextPart(); end != io.EOF || err != nil || part.FormName() != "file" || used[of.Nonce] {
			t.Errorf("got %v and %v of the part %s, with the nonce %s", err, end, part.FormName(), of.Nonce)
		}
		used[of.Nonce] = true
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]any{"results": []any{map[string]any{"name": part.FileName(),
			"content": string(content)}}})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestClients_UploadersSignTicketsThatHold(t *testing.T) {
	t.Parallel()
	const name, content = "Der müde; Tod, 1921.mp4", "not a video\r\n--x\n"
	for _, script := range uploaders {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			terms := ticket.Terms{Profile: uuid.New(), Enabled: true, Secret: ticket.NewSecret()}
			url := uploadServer(t, terms)
			file := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			run := interpreter(t, script)
			upload := func(url, secret, file string) *exec.Cmd {
				return exec.CommandContext(t.Context(), run[0], append(run[1:], url, terms.Profile.String(), secret, file)...)
			}
			for range 2 { // each run makes a ticket of its own
				out, err := upload(url, terms.Secret, file).Output()
				var answer struct {
					Results []struct{ Name, Content string }
				}
				if err != nil || json.Unmarshal(out, &answer) != nil || len(answer.Results) != 1 ||
					answer.Results[0].Name != name || answer.Results[0].Content != content ||
					strings.Count(string(out), "\n") != 1 {
					t.Fatalf("got %s, %v", out, err)
				}
			}
			away := "http://" + porttest.Reserve(t)
			wantEnding(t, upload(url, "icu_ANOTHER", file), "answers 401: The signature of the ticket does not match")
			wantEnding(t, upload(url, "ict_ANOTHER", file), "usage: ")
			wantEnding(t, upload("127.0.0.1:8080", terms.Secret, file), " is not a URL such as http")
			wantEnding(t, upload(away, terms.Secret, file), away)
			wantEnding(t, upload(url+"/nothing", terms.Secret, file), "answers 404")
			wantEnding(t, upload(url, terms.Secret, file+".missing"), "annot read")
			wantEnding(t, exec.CommandContext(t.Context(), run[0], run[1:]...), "usage: ")
		})
	}
}
