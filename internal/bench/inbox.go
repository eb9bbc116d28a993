package bench

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/upload/ticket"
	"itemcast/internal/upload/tusclient"
)

// inbox is a workflow profile that takes uploads.
type inbox struct {
	*build
	profile uuid.UUID
	secret  string
}

// makeInbox makes a profile with actions, as JSON. Its items are public.
func (b *build) makeInbox(ctx context.Context, actions string) (*inbox, error) {
	made, err := b.api(ctx, http.MethodPost, "/api/v1/workflow-profiles", fmt.Sprintf(
		`{"name":%q,"actions":[%s],"uploads":{"enabled":true,"publish":true}}`, uuid.NewString(), actions))
	if err != nil {
		return nil, fmt.Errorf("make a workflow profile: %w", err)
	}
	in := &inbox{build: b}
	if in.profile, err = uuid.Parse(between(made, `"id":"`, `"`)); err != nil {
		return nil, err
	}
	answer, err := b.api(ctx, http.MethodPost, "/api/v1/workflow-profiles/"+in.profile.String()+"/rotate-secret",
		`{"secret":"uploads"}`)
	if err != nil {
		return nil, fmt.Errorf("make an upload secret: %w", err)
	}
	in.secret = between(answer, `"secret":"`, `"`)
	return in, nil
}

// ticket returns the headers of a new ticket.
func (in *inbox) ticket() (http.Header, error) {
	info, signature, err := ticket.Claims{Profile: in.profile, Expires: time.Now().Add(time.Hour).Unix(),
		Nonce: rand.Text(), Item: []byte(`{"name":"Upload","privacy":"public"}`)}.Sign(in.secret)
	header := http.Header{}
	header.Set(ticket.InfoName, info)
	header.Set(ticket.SignatureName, signature)
	return header, err
}

const (
	boundary = "itemcast-bench"
	formHead = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"clip.mp4\"\r\n\r\n"
	formTail = "\r\n--" + boundary + "--\r\n"
)

// uploader is the client of uploads. Its connections write large pieces, so that it costs little itself.
var uploader = tusclient.NewHTTP()

// sendForm sends a file as the only one of a form, and returns the answer. sent is called with the last byte; nil: no
// matter.
func sendForm(
	ctx context.Context, url string, header http.Header, content io.Reader, size int64, sent func(),
) (answer []byte, err error) {
	body := io.MultiReader(strings.NewReader(formHead), content, strings.NewReader(formTail))
	if sent != nil {
		body = io.MultiReader(body, atEnd(sent))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = int64(len(formHead)+len(formTail)) + size
	maps.Copy(request.Header, header)
	request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	response, err := uploader.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("the upload is answered %s: %.300s", response.Status, answer)
	}
	return answer, err
}

// atEnd is an empty reader that tells when it is read.
type atEnd func()

func (f atEnd) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

// sendTus sends a file by tus in one request, without a checksum, which tusd does not know.
func sendTus(ctx context.Context, endpoint string, header http.Header, content io.ReaderAt, size int64) error {
	client := &tusclient.Client{HTTP: uploader, Endpoint: endpoint, Header: header, ChunkSize: size, Unchecked: true}
	_, err := client.Send(ctx, tusclient.Upload{Content: content, Size: size,
		Metadata: map[string]string{"filename": "clip.mp4"}})
	return err
}

// noise is the content of a file without an end: random bytes, again and again, behind the head of an MP4.
type noise []byte

var noiseBlock = func() noise {
	block := make(noise, 1<<20)
	_, _ = rand.Read(block)
	return block
}()

const clipHead = "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42"

func (n noise) ReadAt(p []byte, at int64) (int, error) {
	for done := 0; done < len(p); {
		done += copy(p[done:], n[(at+int64(done))%int64(len(n)):])
	}
	if at < int64(len(clipHead)) {
		copy(p, clipHead[at:])
	}
	return len(p), nil
}

// uploadSize is the size of an upload whose speed is measured.
func (c Config) uploadSize() int64 { return cmp.Or(c.UploadSize, 256e6) }
