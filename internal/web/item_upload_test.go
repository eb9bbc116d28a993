package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

const subtitles = "1\n00:00:01,000 --> 00:00:02,000\nGuten Tag.\n"

// send posts a form with a file, as a browser without JavaScript does.
func send(t *testing.T, c *nodetest.Client, path, fileName, content string, fields ...string) nodetest.Response {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for n := 0; n < len(fields); n += 2 {
		if err := form.WriteField(fields[n], fields[n+1]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", fileName)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	form.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+path, &body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Authorization", c.Authorization)
	got, err := c.Browser().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(got.Body); err != nil {
		t.Fatal(err)
	}
	return nodetest.Response{Status: got.StatusCode, Header: got.Header, Body: answer.Bytes()}
}

func TestItem_AFileIsAddedByAPlainForm(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"Metropolis"}`)
	path := "/items/" + id
	send(t, n.Client, path+"/files", "film.de.srt", subtitles, "kind", "subtitle", "language", "de").
		WantStatus(t, http.StatusSeeOther)
	wantText(t, page(t, n.Client, path, http.StatusOK), "Subtitles", "text/vtt", "· de")
	wrong := send(t, n.Client, path+"/files", "film.txt", "no subtitles", "kind", "subtitle", "language", "")
	wantText(t, string(wrong.Body), `id="attach-fault"`, `<h1>Metropolis</h1>`)
	if wrong.Status < 400 || wrong.Status >= 500 {
		t.Errorf("status %d", wrong.Status)
	}
	send(t, n.Client, path+"/pictures", "poster.png", pixels(t), "poster", "true").WantStatus(t, http.StatusSeeOther)
	wantText(t, document(t, n, id), `"snapshot_id":"`)
	wantText(t, string(send(t, n.Client, path+"/pictures", "poster.png", "no picture", "poster", "true").Body),
		`id="picture-fault"`)
	if to := n.Page(n.Browser(), path+"/files").WantStatus(t, http.StatusSeeOther).Header.Get("Location"); to != path {
		t.Errorf("the address of the form leads to %s", to)
	}
	reader := n.CreateUser("reader@example.com", n.CreateRole("Reader", account.APIAccess, account.ItemsView))
	wantNoText(t, page(t, reader, path, http.StatusOK), `id="attach"`)
	send(t, reader, path+"/files", "film.de.srt", subtitles, "kind", "subtitle").WantStatus(t, http.StatusForbidden)
	stranger := n.WithAuthorization("")
	send(t, stranger, path+"/files", "film.de.srt", subtitles, "kind", "subtitle").WantStatus(t, http.StatusUnauthorized)
}

func TestBrowser_FilesOfAnItemAreUploadedWithProgress(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"Metropolis"}`)
	folder := t.TempDir()
	files := map[string]string{"film.srt": subtitles, "poster.png": pixels(t), "notes.txt": "one", "more.txt": "two"}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := open(t, n)
	p.Go("/items/" + id)
	choose := func(input, name string) {
		t.Helper()
		p.Do(chromedp.SetUploadFiles(chromedp.CSS(input), []string{filepath.Join(folder, name)}))
	}
	p.Wait("the page follows", `'follows' in document.documentElement.dataset`)
	p.Fill("#kind", "subtitle")
	p.Fill("#attach-language", "de")
	choose("#attach-files", "film.srt")
	p.Click("#attach-file button")
	p.WaitText("#attach ul", "part of the item now")
	p.WaitText("#files", "Subtitles")
	choose("#attach-pictures", "poster.png")
	p.Click("#attach-picture button")
	p.WaitText("#files", "Poster")
	p.Fill("#kind", "source")
	choose("#attach-files", "notes.txt")
	p.Click("#attach-file button")
	p.WaitText("#files", "Original")
	p.Check("the item after uploads")
	p.Shoot("item-attach")

	// A file that replaces another asks first.
	p.Go("/items/" + id)
	p.Fill("#kind", "source")
	choose("#attach-files", "more.txt")
	p.Click("#attach-file button")
	p.WaitText("#attach ul", "Replace the original")
	p.Check("the question")
	before := document(t, n, id)
	p.Click("#attach li button.danger")
	p.WaitText("#attach ul", "part of the item now")
	if document(t, n, id) == before {
		t.Error("the original is as it was")
	}
}
