package oneshot_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/upload/ticket"
)

// fetch returns what a URL of an item's asset serves.
func fetch(t *testing.T, c *nodetest.Client, at string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", c.Authorization)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s, %v", at, response.Status, body, err)
	}
	return body
}

func TestUpload_FromTheTicketToTheSameBytes(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	c := in.claims()
	c.Item = json.RawMessage(`{"tags":["phone"],"description":"On the beach"}`)
	c.ClientData = json.RawMessage(`{"order":17}`)
	file := clip(3 << 20)
	got := in.send(t, in.sign(t, c), form(fileNamed("Holiday.mp4", file))).WantStatus(t, http.StatusCreated)
	made := got.Results(t)[0]
	if made["name"] != "Holiday.mp4" || made["type"] != "video" || made["privacy"] != "private" ||
		made["description"] != "On the beach" || made["created_by"] != nil ||
		made["workflow"].(map[string]any)["profile_id"] != in.profile.String() {
		t.Errorf("made %s", got.Body)
	}
	if data := fmt.Sprint(made["client_data"]); data != "map[order:17]" {
		t.Errorf("client_data is %s", data)
	}
	document := in.Call(http.MethodGet, "/api/v1/items/"+made["id"].(string), "").WantStatus(t, http.StatusOK)
	if want := `{"results":[` + string(document.Body) + `]}`; string(got.Body) != want {
		t.Errorf("the answer is\n%s\nand GET has\n%s", got.Body, want)
	}
	asset := made["assets"].([]any)[0].(map[string]any)
	if asset["kind"] != "source" || asset["content_type"] != "video/mp4" || asset["size"] != float64(len(file)) {
		t.Errorf("the asset is %v", asset)
	}
	if sha256.Sum256(fetch(t, in.Client, asset["url"].(string))) != sha256.Sum256(file) {
		t.Error("the asset has other bytes")
	}
	if kept := got.Header.Get("Cache-Control"); kept != "no-store" {
		t.Errorf("Cache-Control is %q", kept)
	}
	in.send(t, in.sign(t, c), form(fileNamed("again.mp4", file))).
		WantProblem(t, "a second use", http.StatusConflict, "TICKET_USED")
}

func TestUpload_ATicketInFieldsBeforeSeveralFiles(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	header := in.sign(t, in.claims())
	got := in.send(t, nil, form(field(ticket.InfoName, header.Get(ticket.InfoName)),
		field(ticket.SignatureName, header.Get(ticket.SignatureName)), fileNamed("1.mp4", clip(100_000)),
		fileNamed("", nil), // an input in which no file was chosen
		fileNamed("2.png", []byte("\x89PNG\r\n\x1a\n....")), fileNamed("3.pdf", []byte("%PDF-1.7\n")))).
		WantStatus(t, http.StatusCreated)
	var made []string
	for _, one := range got.Results(t) {
		made = append(made, one["name"].(string)+" "+one["type"].(string))
	}
	if want := []string{"1.mp4 video", "2.png image", "3.pdf document"}; !slices.Equal(made, want) {
		t.Errorf("made %q", made)
	}
}

func TestUpload_OfAHundredWithOneNonceExactlyOneSucceeds(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	header := in.sign(t, in.claims())
	body := form(fileNamed("clip.mp4", clip(200_000)))
	var all sync.WaitGroup
	var mu sync.Mutex
	answers := map[string]int{}
	for range 100 {
		all.Go(func() {
			got := in.send(t, header, body)
			mu.Lock()
			defer mu.Unlock()
			if got.Status == http.StatusCreated {
				answers["201"]++
			} else {
				answers[fmt.Sprint(got.Status, " ", got.Code(t))]++
			}
		})
	}
	all.Wait()
	if answers["201"] != 1 || answers["409 TICKET_USED"] != 99 {
		t.Errorf("got %v", answers)
	}
	if n := nodetest.CountItems(t, in.Pool); n != 1 {
		t.Errorf("there are %d items", n)
	}
}

func TestUpload_ARedirectLeadsToThePageWithTheItem(t *testing.T) {
	t.Parallel()
	in := setup(t, map[string]any{"redirects": []string{"https://app.example/done?from=form"}})
	c := in.claims()
	c.Redirect = "https://app.example/done?from=form"
	got := in.send(t, in.sign(t, c), form(fileNamed("a.mp4", clip(9000)), fileNamed("b.mp4", clip(9000)))).
		WantStatus(t, http.StatusSeeOther)
	at, err := url.Parse(got.Header.Get("Location"))
	if err != nil || at.Host != "app.example" || at.Query().Get("from") != "form" || len(at.Query()["item"]) != 2 {
		t.Fatalf("leads to %s, %v", got.Header.Get("Location"), err)
	}
	for _, id := range at.Query()["item"] {
		in.Call(http.MethodGet, "/api/v1/items/"+id, "").WantStatus(t, http.StatusOK)
	}
	c = in.claims()
	c.Redirect = "https://evil.example/"
	in.send(t, in.sign(t, c), form(fileNamed("a.mp4", clip(9000)))).
		WantProblem(t, "a redirect that the profile does not list", http.StatusUnauthorized, "TICKET_INVALID")
}

func TestUpload_AFileIsWhatItsBytesAre(t *testing.T) {
	t.Parallel()
	in := setup(t, map[string]any{"content_types": []string{"video/*", "audio/wav"}})
	for name, c := range map[string]struct {
		content []byte
		item    string
		status  int
	}{
		"clip.mp4":               {clip(5000), `{}`, http.StatusCreated},
		"renamed.pdf":            {clip(5000), `{}`, http.StatusCreated},
		"a page.mp4":             {[]byte("<!DOCTYPE html><script>alert(1)</script>"), `{}`, http.StatusUnsupportedMediaType},
		"a picture.mp4":          {[]byte("\x89PNG\r\n\x1a\n...."), `{}`, http.StatusUnsupportedMediaType},
		"HEIC by name.mp4":       {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), `{}`, http.StatusUnsupportedMediaType},
		"zip.mp4":                {[]byte("PK\x03\x04............................"), `{}`, http.StatusUnsupportedMediaType},
		"noise.mp4":              {bytes.Repeat([]byte{0xfe, 0x01, 0x80}, 3000), `{}`, http.StatusUnsupportedMediaType},
		"not sound.wav":          {clip(5000), `{"type":"image"}`, http.StatusUnsupportedMediaType},
		"perhaps only sound.mp4": {clip(5000), `{"type":"audio"}`, http.StatusCreated},
	} {
		claims := in.claims()
		claims.Item = json.RawMessage(c.item)
		got := in.send(t, in.sign(t, claims), form(fileNamed(name, c.content)))
		if c.status != http.StatusCreated {
			got.WantProblem(t, name, c.status, "UNSUPPORTED_MEDIA_TYPE")
		} else if got.Status != c.status {
			t.Errorf("%s: got %d %s", name, got.Status, got.Body)
		}
	}
}

func TestUpload_LengthsAndChecksumsAreChecked(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	content := clip(100_000)
	sum := sha256.Sum256(content)
	digest := base64.StdEncoding.EncodeToString(sum[:])
	for line, status := range map[string]int{
		"Content-Length: 100000":                                    http.StatusCreated,
		"Content-Length: 99999":                                     http.StatusBadRequest,
		"Content-Length: 100001":                                    http.StatusBadRequest,
		"Content-Length: many":                                      http.StatusBadRequest,
		"Content-Digest: sha-256=:" + digest + ":":                  http.StatusCreated,
		"Content-Digest: md5=:AA==:, sha-256=:" + digest + ":":      http.StatusCreated,
		"Content-Digest: sha-256=:" + strings.ToLower(digest) + ":": http.StatusBadRequest,
		"Content-Digest: sha-256=" + digest:                         http.StatusBadRequest,
	} {
		p := fileNamed("clip.mp4", content)
		p.head += "\r\n" + line
		got := in.send(t, in.sign(t, in.claims()), form(p))
		if status != http.StatusCreated {
			got.WantProblem(t, line, status, "BAD_REQUEST")
		} else if got.Status != status {
			t.Errorf("%s: got %d %s", line, got.Status, got.Body)
		}
	}
}

func TestUpload_NamesAsBrowsersSendThem(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	for sent, want := range map[string]string{
		"my %22best%22%0Aclip.mp4": `my "best" clip.mp4`, `C:\Users\Ann\clip.mp4`: "clip.mp4",
		"folder/of/clip.mp4": "clip.mp4", "Müller 日本; 100%.mp4": "Müller 日本; 100%.mp4",
	} {
		got := in.send(t, in.sign(t, in.claims()), form(fileNamed(sent, clip(5000)))).WantStatus(t, http.StatusCreated)
		made := got.Results(t)[0]
		if made["name"] != want {
			t.Errorf("%q: the item is called %q", sent, made["name"])
		}
		fetch(t, in.Client, made["assets"].([]any)[0].(map[string]any)["url"].(string))
	}
	body, contentType := quoted(t, `say "cheese".mp4`, clip(5000))
	header := in.sign(t, in.claims())
	header.Set("Content-Type", contentType)
	made := in.send(t, header, body).WantStatus(t, http.StatusCreated).Results(t)[0]
	if made["name"] != `say "cheese".mp4` {
		t.Errorf("the item is called %q", made["name"])
	}
}
