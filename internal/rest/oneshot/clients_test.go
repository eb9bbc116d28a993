package oneshot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"itemcast/internal/browsertest"
	"itemcast/internal/upload/ticket"
)

// site is another origin: a page for its visitors to upload on, and one that thanks them.
func site(t *testing.T, page func() string) (at string) {
	t.Helper()
	mux := http.NewServeMux()
	for path, body := range map[string]func() string{"GET /send": page, "GET /done": func() string { return "Thank you" }} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte("<!DOCTYPE html><title>Clips</title>" + body()))
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// onDisk writes a file, and returns its path.
func onDisk(t *testing.T, name string, content []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (in *inbox) patchUploads(t *testing.T, uploads map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"uploads": uploads})
	if err != nil {
		t.Fatal(err)
	}
	in.Call(http.MethodPatch, "/api/v1/workflow-profiles/"+in.profile.String(), string(body)).
		WantStatus(t, http.StatusOK)
}

func TestBrowser_APlainFormOfAnotherOriginUploadsWithoutScriptsAndLeadsBack(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	var at string
	at = site(t, func() string {
		c := in.claims()
		c.Redirect = at + "/done"
		header, hidden := in.sign(t, c), ""
		for _, name := range []string{ticket.InfoName, ticket.SignatureName} {
			hidden += `<input type="hidden" name="` + name + `" value="` + html.EscapeString(header.Get(name)) + `">`
		}
		return `<form method="post" enctype="multipart/form-data" action="` + in.URL + `/api/v1/uploads">` + hidden +
			`<input type="file" name="file" multiple><button>Send</button></form>`
	})
	in.patchUploads(t, map[string]any{"redirects": []string{at + "/done"}})
	content := clip(300_000)
	const name = "my \"best\"\nclip.mp4"

	tab := browsertest.Tab(t, "")
	off := emulation.SetScriptExecutionDisabledParams{Value: true}
	if _, err := chromedp.Call(tab, emulation.SetScriptExecutionDisabled, off); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tab, browsertest.Timeout)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(at+"/send"), chromedp.SetUploadFiles(chromedp.CSS(`[type=file]`),
		[]string{onDisk(t, name, content)})); err != nil {
		t.Fatal(err)
	}
	response, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(`button`)))
	if err != nil || response == nil {
		t.Fatalf("sending the form leads nowhere: %v", err)
	}
	landed, err := url.Parse(response.URL)
	if err != nil || !strings.HasPrefix(response.URL, at+"/done?item=") {
		t.Fatalf("the form leads to %d %s", response.Status, response.URL)
	}
	made := in.Call(http.MethodGet, "/api/v1/items/"+landed.Query().Get("item"), "").WantStatus(t, http.StatusOK).Object(t)
	if made["name"] != `my "best" clip.mp4` {
		t.Errorf("the item is called %q", made["name"])
	}
	if !bytes.Equal(fetch(t, in.Client, made["assets"].([]any)[0].(map[string]any)["url"].(string)), content) {
		t.Error("the asset has other bytes")
	}
}

// An error leads to a page that says it, because a form has no script to do so. It is for people, in their language.
func TestBrowser_AFormWithAUsedTicketGetsAPage(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	header := in.sign(t, in.claims())
	body := form(fileNamed("clip.mp4", clip(5000)))
	in.send(t, header, body).WantStatus(t, http.StatusCreated)
	header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	header.Set("Sec-Fetch-Mode", "navigate")
	for language, want := range map[string]string{"": "Load its page again", "de-AT,en;q=0.5": "Laden Sie seine Seite neu"} {
		header.Set("Accept-Language", language)
		got := in.send(t, header, body).WantStatus(t, http.StatusConflict)
		if !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") || !bytes.Contains(got.Body, []byte(want)) ||
			!bytes.Contains(got.Body, []byte("TICKET_USED")) || bytes.Contains(got.Body, []byte("href")) {
			t.Errorf("got %v %s", got.Header, got.Body)
		}
		if policy := got.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
			t.Errorf("the policy is %q", policy)
		}
	}
	header.Set("Referer", `https://clips.example/send?"><script>`)
	const back = `href="https://clips.example/send?%22%3e%3cscript%3e"`
	if got := in.send(t, header, body); !bytes.Contains(got.Body, []byte(back)) {
		t.Errorf("the way back is %s", got.Body)
	}
	for _, origin := range []string{"https://clips.example/", "javascript:alert(1)"} { // no address of a form
		header.Set("Referer", origin)
		if got := in.send(t, header, body); bytes.Contains(got.Body, []byte("href")) {
			t.Errorf("from %s: %s", origin, got.Body)
		}
	}
}

func TestBrowser_AScriptOfAListedOriginUploads(t *testing.T) {
	t.Parallel()
	in := setup(t, nil)
	at := site(t, func() string { return "" })
	in.patchUploads(t, map[string]any{"origins": []string{at}})
	tab := browsertest.Tab(t, "")
	ctx, cancel := context.WithTimeout(tab, browsertest.Timeout)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(at+"/send")); err != nil {
		t.Fatal(err)
	}
	upload := func(header http.Header) string {
		answer, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(async () => {
			const bytes = new Uint8Array(300000)
			bytes.set(new TextEncoder().encode('\0\0\0\u0018ftypmp42\0\0\0\0isommp42'))
			const form = new FormData()
			form.append('file', new File([bytes], 'from a script.mp4'))
			try {
				const answer = await fetch('`+in.URL+`/api/v1/uploads', {method: 'POST', body: form, headers: {
					'`+ticket.InfoName+`': '`+header.Get(ticket.InfoName)+`',
					'`+ticket.SignatureName+`': '`+header.Get(ticket.SignatureName)+`'}})
				const got = await answer.json()
				return answer.status + ' ' + (got.code ?? got.results[0].name)
			} catch (e) { return String(e) }
		})()`, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	header := in.sign(t, in.claims())
	for _, want := range []string{"201 from a script.mp4", "409 TICKET_USED"} {
		if got := upload(header); got != want {
			t.Errorf("the script gets %q, want %q", got, want)
		}
	}
	in.patchUploads(t, map[string]any{"origins": []string{}})
	if got := upload(in.sign(t, in.claims())); !strings.Contains(got, "Failed to fetch") {
		t.Errorf("a script of an origin that is not listed gets %q", got)
	}
}

func TestCurl_UploadsAndIsToldEarly(t *testing.T) {
	t.Parallel()
	in := setup(t, map[string]any{"max_size": 20 << 20})
	curl := func(c ticket.Claims, args ...string) (status, body string) {
		header := in.sign(t, c)
		args = append([]string{"-sS", "-w", "\n%{http_code}", "-H", ticket.InfoName + ": " + header.Get(ticket.InfoName),
			"-H", ticket.SignatureName + ": " + header.Get(ticket.SignatureName)}, args...)
		out, err := exec.CommandContext(t.Context(), "curl", append(args, in.URL+"/api/v1/uploads")...).CombinedOutput()
		if err != nil {
			t.Errorf("curl: %v %s", err, out)
		}
		at := bytes.LastIndexByte(out, '\n')
		return string(out[at+1:]), string(out[:at])
	}
	content := clip(5 << 20)
	path := onDisk(t, `curl; "quoted".mp4`, content)
	status, body := curl(in.claims(), "-F", `file=@"`+strings.ReplaceAll(path, `"`, `\"`)+`"`)
	var made struct {
		Results []struct {
			Name   string
			Assets []struct{ URL string }
		}
	}
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != "201" || len(made.Results) != 1 ||
		made.Results[0].Name != `curl; "quoted".mp4` {
		t.Fatalf("got %s %s", status, body)
	}
	if !bytes.Equal(fetch(t, in.Client, made.Results[0].Assets[0].URL), content) {
		t.Error("the asset has other bytes")
	}
	large := onDisk(t, "large.mp4", clip(40<<20))
	if status, body := curl(in.claims(), "-F", "file=@"+large); status != "413" || !strings.Contains(body, "TOO_LARGE") {
		t.Errorf("announced: got %s %s", status, body)
	}
	if status, body := curl(in.claims(), "-H", "Transfer-Encoding: chunked", "-F", "file=@"+large); status != "413" ||
		!strings.Contains(body, "TOO_LARGE") {
		t.Errorf("in chunks: got %s %s", status, body)
	}
	status, body = curl(in.claims(), "-H", "Content-Type: video/mp4", "--data-binary", "@"+path)
	if status != "415" || !strings.Contains(body, "multipart/form-data") {
		t.Errorf("without a form: got %s %s", status, body)
	}
}
