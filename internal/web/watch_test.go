package web_test

import (
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

func policyOf(r nodetest.Response, directive string) string {
	for part := range strings.SplitSeq(r.Header.Get("Content-Security-Policy"), "; ") {
		if value, ok := strings.CutPrefix(part, directive+" "); ok {
			return value
		}
	}
	return ""
}

// external is an item with files of another server.
func external(n *nodetest.Client, privacy string) (id string) {
	return n.CreateItem(`{"name":"R&D <1>","description":"A & B","privacy":"` + privacy + `","language":"de","assets":[
		{"kind":"rendition","url":"https://cdn.example/clip.mp4","content_type":"video/mp4","width":640,"height":480},
		{"kind":"subtitle","url":"https://Captions.example:8443/de.vtt","content_type":"text/vtt","language":"de"}],
		"snapshots":[{"url":"https://cdn.example/poster.jpg"}]}`)
}

func TestWatch_IsAPlainPageWithoutScript(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	id := external(s.Client, "public")
	got := s.open("/watch/"+id).WantStatus(t, http.StatusOK)
	for _, want := range []string{`<title>R&amp;D &lt;1&gt; · Itemcast</title>`, `<video controls`,
		`width="640" height="480"`, `poster="https://cdn.example/poster.jpg"`,
		`<source src="https://cdn.example/clip.mp4" type="video/mp4">`,
		`<track kind="subtitles" src="https://Captions.example:8443/de.vtt" srclang="de" label="de">`,
		`<h1 lang="de">R&amp;D &lt;1&gt;</h1>`, `<p class="description" lang="de">A &amp; B</p>`,
		`<link rel="canonical" href="` + s.URL + `/watch/` + id + `">`} {
		if !strings.Contains(string(got.Body), want) {
			t.Errorf("no %s in\n%s", want, got.Body)
		}
	}
	for directive, want := range map[string]string{
		"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "worker-src": "'self'",
		"media-src":   "blob: 'self' https://cdn.example https://captions.example:8443",
		"connect-src": "'self' https://cdn.example https://captions.example:8443",
		"img-src":     "'self' https://cdn.example https://captions.example:8443", "frame-ancestors": "'none'",
	} {
		if found := policyOf(got, directive); found != want {
			t.Errorf("%s is %q, want %q", directive, found, want)
		}
	}
	if kept := got.Header.Get("Cache-Control"); kept != "no-cache" {
		t.Errorf("Cache-Control is %s", kept)
	}
	if unlisted := s.open("/watch/"+external(s.Client, "unlisted")).WantStatus(t, http.StatusOK); !strings.Contains(
		string(unlisted.Body), `<meta name="robots" content="noindex">`) {
		t.Error("search engines may list an unlisted item")
	}
	s.Call(http.MethodPost, "/watch/"+id, "").WantStatus(t, http.StatusMethodNotAllowed)
}

func TestWatch_APrivateItemIsForThoseWhoSeeItAndForLinks(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	id := external(s.Client, "private")
	links := s.Call(http.MethodPost, "/api/v1/items/"+id+"/media-links", `{"expires_in":600}`).WantStatus(t, http.StatusOK)
	other := s.Call(http.MethodPost, "/api/v1/items/"+external(s.Client, "private")+"/media-links", "").
		WantStatus(t, http.StatusOK).Field(t, "player_url")
	link := strings.TrimPrefix(links.Field(t, "player_url"), s.URL)
	embed := strings.TrimPrefix(links.Field(t, "embed_url"), s.URL)
	if !strings.HasPrefix(link, "/watch/s/") || !strings.HasPrefix(embed, "/embed/s/") {
		t.Fatalf("the links are %s", links.Body)
	}
	bare := s.CreateUser("bare@example.com", s.CreateRole("Bare", account.APIAccess))
	for name, c := range map[string]struct {
		as     *nodetest.Client
		path   string
		status int
	}{
		"nobody":                  {s.WithAuthorization(""), "/watch/" + id, 404},
		"nobody, in a frame":      {s.WithAuthorization(""), "/embed/" + id, 404},
		"nobody, its changes":     {s.WithAuthorization(""), "/watch/" + id + "/events", 404},
		"without items.view":      {bare, "/watch/" + id, 404},
		"of another account":      {s.CreateStranger(), "/watch/" + id, 404},
		"who may see it":          {s.Client, "/watch/" + id, 200},
		"with a link":             {s.WithAuthorization(""), link, 200},
		"with a link, in a frame": {s.WithAuthorization(""), embed, 200},
		"with another's link":     {s.WithAuthorization(""), strings.TrimPrefix(strings.Replace(other, other[strings.LastIndex(other, "/")+1:], id, 1), s.URL), 404},
		"with a longer link":      {s.WithAuthorization(""), strings.Replace(link, "-", "0-", 1), 404},
		"with no signature":       {s.WithAuthorization(""), "/watch/s/x/" + id, 404},
		"an unknown item":         {s.Client, "/watch/01890a5d-ac96-774b-bcce-b302099a8057", 404},
		"no id":                   {s.Client, "/watch/x", 404},
	} {
		got := c.as.Page(s.Browser(), c.path)
		if got.Status != c.status {
			t.Errorf("%s: got %d, want %d", name, got.Status, c.status)
		}
		if got.Header.Get("Cache-Control") != "no-store" && !strings.HasSuffix(c.path, "/events") {
			t.Errorf("%s: Cache-Control is %s", name, got.Header.Get("Cache-Control"))
		}
	}
	gone := s.open("/watch/" + id)
	if !strings.Contains(string(gone.Body), `href="/login?next=%2fwatch%2f`+id+`"`) {
		t.Errorf("nobody can sign in:\n%s", gone.Body)
	}
	s.As(nodetest.AdminEmail, "wrong").Page(s.Browser(), "/watch/"+id).WantStatus(t, http.StatusUnauthorized)
	s.Call(http.MethodPatch, "/api/v1/items/"+id, `{"privacy":"public"}`).WantStatus(t, http.StatusOK)
	s.open("/watch/"+id).WantStatus(t, http.StatusOK)
	s.Call(http.MethodDelete, "/api/v1/items/"+id, "").WantStatus(t, http.StatusNoContent)
	s.open(link).WantStatus(t, http.StatusNotFound)
}

func TestWatch_AnExpiredLinkSaysSo(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	id := external(s.Client, "private")
	links := s.Call(http.MethodPost, "/api/v1/items/"+id+"/media-links", `{"expires_in":1}`).WantStatus(t, http.StatusOK)
	for _, field := range []string{"player_url", "embed_url"} {
		link := strings.TrimPrefix(links.Field(t, field), s.URL)
		var got nodetest.Response
		nodetest.Eventually(t, field+" has expired", func() bool {
			got = s.open(link)
			return got.Status == http.StatusNotFound
		})
		wantText(t, string(got.Body), "The link has expired", "Ask for a new one.")
		forged := strings.Replace(link, "-", "0-", 1)
		wantText(t, string(s.open(forged).WantStatus(t, http.StatusNotFound).Body), "There is nothing here")
	}
}

func TestWatch_TheAccountDecidesWhichSitesFrameIt(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	id := external(s.Client, "public")
	want := func(policy string) {
		t.Helper()
		if got := policyOf(s.open("/embed/"+id).WantStatus(t, http.StatusOK), "frame-ancestors"); got != policy {
			t.Errorf("frame-ancestors is %q, want %q", got, policy)
		}
	}
	want("'self' *")
	const account = "/api/v1/account"
	s.Call(http.MethodPatch, account, `{"frame_ancestors":["HTTPS://Blog.Example/","https://*.shop.example"]}`).
		WantStatus(t, http.StatusOK)
	want("'self' https://blog.example https://*.shop.example")
	s.Call(http.MethodPatch, account, `{"frame_ancestors":[]}`).WantStatus(t, http.StatusOK)
	want("'self'")
}

func TestWatch_TellsThePagesOfAnItemThatBecomesPlayable(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	id := s.CreateItem(`{"name":"Later","privacy":"public"}`)
	page := s.open("/watch/"+id).WantStatus(t, http.StatusOK)
	_, version, _ := strings.Cut(string(page.Body), `data-version="`)
	version, _, _ = strings.Cut(version, `"`)
	if !strings.Contains(string(page.Body), `data-events="/watch/`+id+`/events"`) ||
		!strings.Contains(string(page.Body), "Nothing to play yet") {
		t.Fatalf("got %s", page.Body)
	}
	stream := s.WithAuthorization("").Stream(http.MethodGet, "/watch/"+id+"/events", "")
	if first := nodetest.Next(t, stream.Events); first.Data != `{"version":"`+version+`"}` {
		t.Errorf("the stream begins with %v, the page has %s", first, version)
	}
	s.PatchItem(id, `{"tags":["unseen"]}`)
	s.PatchItem(id, `{"assets":[{"kind":"rendition","url":"https://cdn.example/a.mp4","content_type":"video/mp4"}]}`)
	next := nodetest.Next(t, stream.Events)
	if next.Data == `{"version":"`+version+`"}` || !strings.HasPrefix(next.Data, `{"version":"`) {
		t.Errorf("got %v", next)
	}
	if ready := s.open("/watch/" + id); !strings.Contains(string(ready.Body), strings.Trim(next.Data, `{}`)[len(`"version":`):]) ||
		strings.Contains(string(ready.Body), "data-events") {
		t.Errorf("the page is %s", ready.Body)
	}
	s.Call(http.MethodDelete, "/api/v1/items/"+id, "").WantStatus(t, http.StatusNoContent)
	if last := nodetest.Next(t, stream.Events); last.Data != `{"version":""}` {
		t.Errorf("when the item is gone: %v", last)
	}
}

func TestWatch_SaysWhyProcessingHasFailedToItsUsersOnly(t *testing.T) {
	t.Parallel()
	s := openStudio(t)
	broken := s.upload(t, "notes.txt", []byte(strings.Repeat("notes\n", 100)), "public")
	s.await(t, broken.id, "failed")
	public, own := s.open("/watch/"+broken.id), s.Page(s.Browser(), "/watch/"+broken.id)
	const reason = "The file is no video, sound, picture or PDF"
	if !strings.Contains(string(public.Body), "could not be prepared") || strings.Contains(string(public.Body), reason) {
		t.Errorf("the public sees %s", public.Body)
	}
	if !strings.Contains(string(own.Body), reason) || own.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("its user sees %s", own.Body)
	}
}
