package web_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/upload/ticket"
)

// studio is a node with a workflow profile that takes uploads and makes them playable.
type studio struct {
	*nodetest.Node
	profile uuid.UUID
	secret  string
}

func openStudio(t *testing.T) *studio {
	t.Helper()
	n := nodetest.Start(t)
	const profiles = "/api/v1/workflow-profiles"
	id := n.Call(http.MethodPost, profiles, `{"name":"Studio","uploads":{"enabled":true,"publish":true},
		"actions":[{"key":"process","kind":"process","name":"Make it playable"}]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	secret := n.Call(http.MethodPost, profiles+"/"+id+"/rotate-secret", `{"secret":"uploads"}`).
		WantStatus(t, http.StatusOK).Field(t, "secret")
	return &studio{Node: n, profile: uuid.MustParse(id), secret: secret}
}

// shown is an item of a studio.
type shown struct {
	id   string
	item map[string]any
}

// upload sends a file with a ticket, as a visitor's browser does.
func (s *studio) upload(t *testing.T, name string, content []byte, privacy string) shown {
	t.Helper()
	input, err := json.Marshal(map[string]any{"name": name, "privacy": privacy})
	if err != nil {
		t.Fatal(err)
	}
	claims := ticket.Claims{Profile: s.profile, Expires: time.Now().Add(time.Hour).Unix(), Nonce: rand.Text(), Item: input}
	info, signature, err := claims.Sign(s.secret)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err != nil || form.Close() != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/uploads", &body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set(ticket.InfoName, info)
	request.Header.Set(ticket.SignatureName, signature)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := nodetest.Response{Status: response.StatusCode, Header: response.Header, Body: answer}
	made := got.WantStatus(t, http.StatusCreated).Results(t)[0]
	return shown{made["id"].(string), made}
}

// processed uploads a file, and waits until it has been processed.
func (s *studio) processed(t *testing.T, file, privacy string) shown {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return s.await(t, s.upload(t, filepath.Base(file), content, privacy).id, "completed")
}

func (s *studio) await(t *testing.T, id, status string) shown {
	t.Helper()
	var got map[string]any
	nodetest.EventuallyWithin(t, nodetest.MediaTimeout, "the workflow of "+id+" has "+status, func() bool {
		got = s.Call(http.MethodGet, "/api/v1/items/"+id, "").WantStatus(t, http.StatusOK).Object(t)
		return got["workflow"].(map[string]any)["status"] == status
	})
	return shown{id, got}
}

// open gets a page as somebody who is not signed in.
func (s *studio) open(path string, header ...string) nodetest.Response {
	return s.WithAuthorization("").Page(s.Browser(), path, header...)
}

// made makes a file by ffmpeg. The arguments are divided at spaces.
func made(t *testing.T, name, args string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	all := append([]string{"-v", "error", "-nostdin", "-y"}, append(strings.Fields(args), file)...)
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", all...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return file
}

const (
	picture = "-f lavfi -i testsrc2=s=320x180:r=30:d=2"
	sound   = "-f lavfi -i sine=d=2"
	encoded = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"
)

func clip(t *testing.T) string {
	t.Helper()
	return made(t, "clip.mp4", picture+" "+sound+" "+encoded)
}

// vtt are subtitles from the first to the last moment.
func vtt(text string) []byte {
	return fmt.Appendf(nil, "WEBVTT\n\n00:00.000 --> 00:10.000\n%s\n", text)
}
