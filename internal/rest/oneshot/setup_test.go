package oneshot_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/upload/ticket"
)

func TestMain(m *testing.M) { nodetest.Main(m, browsertest.Close) }

// inbox is a workflow profile that takes uploads.
type inbox struct {
	*nodetest.Node
	profile uuid.UUID
	secret  string
}

// setup starts a node with a profile. uploads are members of its uploads, besides enabled.
func setup(t *testing.T, uploads map[string]any) *inbox {
	t.Helper()
	return newInbox(t, nodetest.Start(t), uploads)
}

func newInbox(t *testing.T, n *nodetest.Node, uploads map[string]any) *inbox {
	t.Helper()
	profile, secret := takeUploads(t, n.Client, uploads)
	return &inbox{Node: n, profile: profile, secret: secret}
}

// takeUploads makes a profile that takes uploads, and an upload secret.
func takeUploads(t *testing.T, c *nodetest.Client, uploads map[string]any) (profile uuid.UUID, secret string) {
	t.Helper()
	all := map[string]any{"enabled": true}
	for name, value := range uploads {
		all[name] = value
	}
	body, err := json.Marshal(map[string]any{"name": "Inbox", "uploads": all})
	if err != nil {
		t.Fatal(err)
	}
	id := c.Call(http.MethodPost, "/api/v1/workflow-profiles", string(body)).WantStatus(t, http.StatusCreated).
		Field(t, "id")
	secret = c.Call(http.MethodPost, "/api/v1/workflow-profiles/"+id+"/rotate-secret", `{"secret":"uploads"}`).
		WantStatus(t, http.StatusOK).Field(t, "secret")
	return uuid.MustParse(id), secret
}

// claims returns those of a new ticket.
func (in *inbox) claims() ticket.Claims {
	return ticket.Claims{Profile: in.profile, Expires: time.Now().Add(time.Hour).Unix(), Nonce: rand.Text()}
}

// sign returns the headers of a ticket.
func (in *inbox) sign(t testing.TB, c ticket.Claims) http.Header {
	t.Helper()
	info, signature, err := c.Sign(in.secret)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	header.Set(ticket.InfoName, info)
	header.Set(ticket.SignatureName, signature)
	return header
}

// clip returns a file that looks like an MP4 of a size.
func clip(size int) []byte {
	file := make([]byte, size)
	_, _ = rand.Read(file)
	copy(file, "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42")
	return file
}

const boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"

// part is a part of a form, with its header lines.
type part struct {
	head string
	body []byte
}

func fileNamed(name string, content []byte) part {
	return part{"Content-Disposition: form-data; name=\"file\"; filename=\"" + name +
		"\"\r\nContent-Type: application/x-whatever", content}
}

func field(name, value string) part {
	return part{"Content-Disposition: form-data; name=\"" + name + "\"", []byte(value)}
}

// form returns the bytes of a form as browsers send it.
func form(parts ...part) []byte {
	var out bytes.Buffer
	for _, p := range parts {
		fmt.Fprintf(&out, "--%s\r\n%s\r\n\r\n%s\r\n", boundary, p.head, p.body)
	}
	fmt.Fprintf(&out, "--%s--\r\n", boundary)
	return out.Bytes()
}

// send sends a body to the uploads. The length is announced unless the body is only a reader.
func send(t testing.TB, c *nodetest.Client, header http.Header, body io.Reader) nodetest.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+"/api/v1/uploads", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{}
	for name, values := range header {
		request.Header[name] = values
	}
	if request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return nodetest.Response{Status: response.StatusCode, Header: response.Header, Body: answer}
}

func (in *inbox) send(t testing.TB, header http.Header, body []byte) nodetest.Response {
	t.Helper()
	return send(t, in.Client, header, bytes.NewReader(body))
}

// wantNothingLeft waits until the failed uploads have left no item and no file, in the database or the storage.
func wantNothingLeft(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	if n := nodetest.CountItems(t, pool); n != 0 {
		t.Errorf("there are %d items", n)
	}
	nodetest.Eventually(t, "no file is left", func() bool { return count(t, pool, "media_file") == 0 })
}

func count(t testing.TB, pool *pgxpool.Pool, table string) (n int) {
	t.Helper()
	if err := pool.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// quoted writes a form by Go's own writer, whose names are escaped by backslashes.
func quoted(t testing.TB, name string, content []byte) (body []byte, contentType string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	file, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = file.Write(content)
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w.FormDataContentType()
}
