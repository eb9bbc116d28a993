package tus_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/rest/tus"
	"itemcast/internal/upload/ticket"
)

func TestMain(m *testing.M) { nodetest.Main(m) }

// inbox is a workflow profile that takes uploads.
type inbox struct {
	*nodetest.Node
	profile uuid.UUID
	secret  string
}

// newInbox makes a profile on a node. uploads are members of its uploads, besides enabled.
func newInbox(t testing.TB, n *nodetest.Node, uploads map[string]any) *inbox {
	t.Helper()
	all := map[string]any{"enabled": true}
	for name, value := range uploads {
		all[name] = value
	}
	body, err := json.Marshal(map[string]any{"name": "Inbox " + rand.Text(), "uploads": all})
	if err != nil {
		t.Fatal(err)
	}
	id := n.Call(http.MethodPost, "/api/v1/workflow-profiles", string(body)).WantStatus(t, http.StatusCreated).Field(t, "id")
	secret := n.Call(http.MethodPost, "/api/v1/workflow-profiles/"+id+"/rotate-secret", `{"secret":"uploads"}`).
		WantStatus(t, http.StatusOK).Field(t, "secret")
	return &inbox{n, uuid.MustParse(id), secret}
}

// claims returns those of a new ticket.
func (in *inbox) claims() ticket.Claims {
	return ticket.Claims{Profile: in.profile, Expires: time.Now().Add(time.Hour).Unix(), Nonce: rand.Text()}
}

// sign returns the headers of a ticket, as pairs of names and values.
func (in *inbox) sign(t testing.TB, c ticket.Claims) []string {
	t.Helper()
	info, signature, err := c.Sign(in.secret)
	if err != nil {
		t.Fatal(err)
	}
	return []string{ticket.InfoName, info, ticket.SignatureName, signature}
}

// clip returns a file that looks like an MP4 of a size.
func clip(size int) []byte {
	file := make([]byte, size)
	_, _ = rand.Read(file)
	copy(file, "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42")
	return file
}

// call sends a request of tus. headers are names and values in turn; "" removes one.
func call(t testing.TB, method, url string, body io.Reader, headers ...string) nodetest.Response {
	t.Helper()
	got, err := try(t.Context(), method, url, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func try(ctx context.Context, method, url string, body io.Reader, headers ...string) (nodetest.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nodetest.Response{}, err
	}
	request.Header.Set("Tus-Resumable", "1.0.0")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/offset+octet-stream")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			request.Header.Del(headers[i])
			continue
		}
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nodetest.Response{}, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return nodetest.Response{Status: response.StatusCode, Header: response.Header, Body: answer}, err
}

// metadata returns the header Upload-Metadata of keys and values in turn.
func metadata(pairs ...string) string {
	var all []string
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, pairs[i]+" "+base64.StdEncoding.EncodeToString([]byte(pairs[i+1])))
	}
	return strings.Join(all, ",")
}

// create creates an upload, and returns its URL.
func create(t testing.TB, n *nodetest.Node, size int, headers ...string) string {
	t.Helper()
	got := call(t, http.MethodPost, n.URL+tus.Path, nil, append([]string{"Upload-Length", strconv.Itoa(size)}, headers...)...)
	got.WantStatus(t, http.StatusCreated)
	location := got.Header.Get("Location")
	if !strings.HasPrefix(location, n.URL+tus.Path) || len(location) < len(n.URL+tus.Path)+20 {
		t.Fatalf("created at %q", location)
	}
	return location
}

// patch sends bytes at an offset.
func patch(t testing.TB, url string, offset int, content []byte, headers ...string) nodetest.Response {
	t.Helper()
	return call(t, http.MethodPatch, url, bytes.NewReader(content),
		append([]string{"Upload-Offset", strconv.Itoa(offset)}, headers...)...)
}

// offset returns what HEAD reports.
func offset(t testing.TB, url string) int {
	t.Helper()
	got := call(t, http.MethodHead, url, nil).WantStatus(t, http.StatusOK)
	n, err := strconv.Atoi(got.Header.Get("Upload-Offset"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// wantItem checks that the item of an answer has a file with this content as its source.
func wantItem(t testing.TB, n *nodetest.Node, got nodetest.Response, content []byte) nodetest.Response {
	t.Helper()
	id := got.Header.Get(tus.ItemHeader)
	item := n.Call(http.MethodGet, "/api/v1/items/"+id, "").WantStatus(t, http.StatusOK)
	var document struct{ Assets []struct{ Kind, URL string } }
	if err := json.Unmarshal(item.Body, &document); err != nil || len(document.Assets) == 0 {
		t.Fatalf("the item is %s", item.Body)
	}
	stored := n.Call(http.MethodGet, strings.TrimPrefix(document.Assets[0].URL, n.URL), "").WantStatus(t, http.StatusOK)
	if sha256.Sum256(stored.Body) != sha256.Sum256(content) {
		t.Errorf("the item's file has %d bytes, and not those that were sent", len(stored.Body))
	}
	return item
}

// wantNothingLeft waits until nothing of an upload is stored, and no item.
func wantNothingLeft(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	if n := nodetest.CountItems(t, pool); n != 0 {
		t.Errorf("there are %d items", n)
	}
	for _, rest := range []string{"media_file", "upload WHERE segments <> '{}' OR open_segments <> '{}' OR asset_ids <> '{}'"} {
		nodetest.Eventually(t, "nothing is left in "+rest, func() bool { return count(t, pool, rest) == 0 })
	}
}

func count(t testing.TB, pool *pgxpool.Pool, table string) (n int) {
	t.Helper()
	if err := pool.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// sum returns a checksum in base64.
func sum(algorithm string, content []byte) string {
	var digest []byte
	switch algorithm {
	case "sha1":
		all := sha1.Sum(content)
		digest = all[:]
	case "md5":
		all := md5.Sum(content)
		digest = all[:]
	default:
		all := sha256.Sum256(content)
		digest = all[:]
	}
	return base64.StdEncoding.EncodeToString(digest)
}
