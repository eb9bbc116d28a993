package browse_test

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/contract"
	"itemcast/internal/problem"
)

const thing = `{"id":"1","name":"Cup","note":"two\nlines","kind":"solid","kinds":["liquid"],"count":12345678901234567890.50,"on":true,"tags":["a","b c"],"metadata":{"year":"1927","city":null},"revision":3}`

var (
	control  = regexp.MustCompile(`(?s)<(input|select|textarea)\b([^>]*?) name="([^"]+)"([^>]*)>`)
	selected = regexp.MustCompile(`(?s)<option selected>([^<]*)`)
	value    = regexp.MustCompile(`value="([^"]*)"`)
)

// form reads the n-th form of an operation as a browser would send it untouched.
func (p page) form(id string, n int) url.Values {
	p.t.Helper()
	_, rest, found := strings.Cut(p.text, `<details class="panel action`)
	for found && !strings.Contains(rest[:strings.IndexByte(rest, '>')], `id="`+id+`"`) {
		_, rest, found = strings.Cut(rest, `<details class="panel action`)
	}
	for range n + 1 {
		_, rest, _ = strings.Cut(rest, "<form")
	}
	text, _, ended := strings.Cut(rest, "</form>")
	if !found || !ended {
		p.t.Fatalf("there is no form %s: %s", id, p.excerpt())
	}
	form := url.Values{}
	for text != "" {
		at := control.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		group := func(i int) string { return text[at[2*i]:at[2*i+1]] }
		attributes, name := group(2)+group(4), html.UnescapeString(group(3))
		switch {
		case group(1) == "textarea":
			body, _, _ := strings.Cut(text[at[9]+1:], "</textarea>")
			body = strings.ReplaceAll(strings.TrimPrefix(body, "\n"), "\r\n", "\n") // as a browser reads it
			form.Add(name, strings.ReplaceAll(html.UnescapeString(body), "\n", "\r\n"))
		case group(1) == "select":
			body, _, _ := strings.Cut(text[at[0]:], "</select>")
			chosen := ""
			if hit := selected.FindStringSubmatch(body); hit != nil {
				chosen = html.UnescapeString(hit[1])
			}
			form.Add(name, chosen)
		case strings.Contains(attributes, `type="checkbox"`) && !strings.Contains(attributes, "checked"):
		default:
			held := ""
			if hit := value.FindStringSubmatch(attributes); hit != nil {
				held = html.UnescapeString(hit[1])
			}
			form.Add(name, held)
		}
		text = text[at[0]+1:]
		if _, after, ok := strings.Cut(text, ">"); ok {
			text = after
		}
	}
	return form
}

func TestForm_UntouchedChangesNothing(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	p := s.open("/api/t/things/1")
	s.post("/api/t/things/1", p.form("patchThing", 0))
	r := s.last()
	if r.Method != http.MethodPatch || r.body != `{}` || r.Header.Get("If-Match") != `"3"` || r.Header.Get("Content-Type") != "application/merge-patch+json" ||
		r.ContentLength != 2 || r.URL.RawQuery != "" {
		t.Errorf("%s %s %v", r.Method, r.body, r.Header)
	}
	s.post("/api/t/things/1", p.form("replaceThing", 0))
	const same = `{"name":"Cup","note":"two\nlines","kind":"solid","kinds":["liquid"],"count":12345678901234567890.50,"on":true,"tags":["a","b c"],"metadata":{"year":"1927","city":null}}`
	if r := s.last(); r.Method != http.MethodPut || r.body != same || r.Header.Get("If-Match") != "" {
		t.Errorf("%s %s %v", r.Method, r.body, r.Header)
	}
}

func TestForm_SendsWhatWasChangedAsItsType(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	for name, c := range map[string]struct {
		set  url.Values
		want string
	}{
		"text":                {url.Values{"body.name": {`<"é">`}}, `{"name":"<\"é\">"}`},
		"lines":               {url.Values{"body.note": {"one\r\ntwo"}}, `{"note":"one\ntwo"}`},
		"emptied":             {url.Values{"body.note": {""}, "body.count": {""}, "body.tags": {""}, "body.name": {""}}, `{"name":"","note":null,"count":null,"tags":[]}`},
		"choice":              {url.Values{"body.kind": {"liquid"}, "body.on": {"false"}}, `{"kind":"liquid","on":false}`},
		"nothing chosen":      {url.Values{"body.kind": {""}, "body.kinds": nil}, `{"kind":null,"kinds":null}`},
		"choices":             {url.Values{"body.kinds": {"solid", "liquid"}}, `{"kinds":["solid","liquid"]}`},
		"number":              {url.Values{"body.count": {" 7 "}}, `{"count":7}`},
		"no choice":           {url.Values{"body.on": {`x"`}}, `{"on":"x\""}`},
		"no number":           {url.Values{"body.count": {"many"}}, `{"count":"many"}`},
		"entries":             {url.Values{"body.tags": {"x\r\n\r\n y \r\n"}}, `{"tags":["x","y"]}`},
		"a member more":       {url.Values{"body.metadata": {`{"year":"1927","city":null,"by":"Lang"}`}}, `{"metadata":{"by":"Lang"}}`},
		"a member less":       {url.Values{"body.metadata": {`{"city":null}`}}, `{"metadata":{"year":null}}`},
		"a member of another": {url.Values{"body.metadata": {`{"year":"1926","city":null}`}}, `{"metadata":{"year":"1926"}}`},
	} {
		form := s.open("/api/t/things/1").form("patchThing", 0)
		for field, values := range c.set {
			form[field] = values
		}
		p := s.post("/api/t/things/1", form).status(http.StatusSeeOther)
		if got := s.last().body; got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		if p.Header().Get("Location") != "/api/t/things/1" {
			t.Errorf("%s: it leads to %q", name, p.Header().Get("Location"))
		}
	}
}

// What its user may not set is shown, cannot be changed, and is not sent, but in a replacement as it was.
func TestForm_AFieldMayNeedAPermissionOfItsOwn(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`), as(account.APIAccess, "items.view", "items.edit", "items.create"))
	p := s.open("/api/t/things/1").has(`name="body.kind" disabled`, "needs items.publish")
	for id, want := range map[string]string{"patchThing": `{"name":"Mug"}`, "replaceThing": `"kind":"solid"`} {
		form := p.form(id, 0)
		form.Del("body.kind") // as a browser leaves out what is disabled
		form.Set("body.name", "Mug")
		s.post("/api/t/things/1", form)
		if got := s.last().body; !strings.Contains(got, want) || id == "patchThing" && got != want {
			t.Errorf("%s sent %s", id, got)
		}
	}
	setup(t).open("/api/t/things/1").lacks(`name="body.kind" disabled`)
}

func TestForm_CreatesWithWhatWasFilledIn(t *testing.T) {
	t.Parallel()
	s := setup(t)
	form := s.open("/api/t/things").form("createThing", 0)
	form["body.name"], form["body.tags"], form["body.count"] = []string{"Cup"}, []string{"a"}, []string{"0"}
	s.answer = func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusCreated, `{"id":"9"}`, "Location", publicURL+"/api/t/things/9")
	}
	p := s.post("/api/t/things", form).status(http.StatusSeeOther)
	if got := s.last().body; got != `{"name":"Cup","count":0,"tags":["a"]}` || p.Header().Get("Location") != "/api/t/things/9" {
		t.Errorf("sent %s, led to %s", got, p.Header().Get("Location"))
	}
	// Sent twice, it is one request to be done once; changed, another.
	key := s.last().Header.Get("Idempotency-Key")
	s.post("/api/t/things", form)
	if again := s.last().Header.Get("Idempotency-Key"); key == "" || again != key {
		t.Errorf("keys %q and %q", key, again)
	}
	form.Set("body.name", "Jug")
	s.post("/api/t/things", form)
	if other := s.last().Header.Get("Idempotency-Key"); other == key {
		t.Error("another thing has the same key")
	}
	if s.open("/api/t/things").form("createThing", 0).Get("_key") == form.Get("_key") {
		t.Error("two forms have the same key")
	}
	// What was done is told once.
	cookie := p.Result().Cookies()[0]
	told := s.do(http.MethodGet, "/api/t/things/9", "", "Accept", browser, "Cookie", cookie.Name+"="+cookie.Value).has(`Created: POST answered 201 Created.`)
	if gone := told.Result().Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 {
		t.Errorf("the notice stays: %v", gone)
	}
	s.do(http.MethodGet, "/api/t/things/9", "", "Accept", browser, "Cookie", cookie.Name+"=<script>-200").lacks(`<p class="notice" role`)
}

// What a form sets may stand elsewhere in what is read.
func TestForm_IsFilledFromWhereAFieldIsRead(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, `{"id":"1","name":"Cup","made":{"by":"ann"}}`))
	s.post("/api/t/things/1", s.open("/api/t/things/1").form("replaceThing", 0))
	if got := s.last().body; got != `{"name":"Cup","owner":"ann"}` {
		t.Errorf("an untouched form sends %s", got)
	}
	if content := s.open("/api/t/things/1").form("replaceThing", 1).Get("_content"); !strings.Contains(content, `"owner": "ann"`) {
		t.Errorf("the editor holds %s", content)
	}
	s.answer = func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, `{"id":"1","name":"Cup","made":null}`)
	}
	if got := s.open("/api/t/things/1").form("replaceThing", 0); got.Get("body.owner") != "" {
		t.Errorf("of nobody it says %q", got.Get("body.owner"))
	}
}

func TestForm_TellsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	again := func(p page) page {
		t.Helper()
		p.status(http.StatusSeeOther)
		cookie, _, _ := strings.Cut(p.Header().Get("Set-Cookie"), ";")
		return s.do(http.MethodGet, "/api/t/things/1", "", "Accept", browser, "Cookie", cookie)
	}
	form := s.open("/api/t/things/1").form("patchThing", 0)
	again(s.post("/api/t/things/1", form)).has("Nothing has changed.")
	s.answer = func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, thing, "ETag", `"4"`) }
	form.Set("body.name", "Mug")
	again(s.post("/api/t/things/1", form)).has("Changed: PATCH answered 200 OK.")
	s.answer = func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusAccepted, `{}`) }
	s.post("/api/t/things/1/poke", url.Values{}).has(`<p class="notice" role="status">It is <em>poked</em>.</p>`).lacks("-H 'idempotency-key")
}

func TestForm_ShowsAnAnswerThatIsSeenOnce(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusCreated, `{"id":"1","secret":"whsec_x"}`, "Location", publicURL+"/api/t/keys/1"))
	s.post("/api/t/keys", url.Values{"_method": {"POST"}, "body.name": {"k"}}).status(http.StatusCreated).has(`whsec_x`, `<h1>Make a key</h1>`, `201 Created`,
		`{&#34;name&#34;:&#34;k&#34;}`, `-X POST`, `--data-binary`)
	// Of a thing that has a page of its own, a secret is told by this answer alone too.
	s = setup(t, answering(http.StatusCreated, `{"id":"1","secret":"whsec_y"}`, "Location", publicURL+"/api/t/things/1"))
	s.post("/api/t/things", url.Values{"body.name": {"k"}}).status(http.StatusCreated).has(`whsec_y`)
}

func TestRaw_SendsItsTextAsItIs(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	form := s.open("/api/t/things/1").form("replaceThing", 1)
	if content := form.Get("_content"); !strings.Contains(content, "\"count\": 12345678901234567890.50") || strings.Contains(content, "revision") {
		t.Errorf("the editor has %s", content)
	}
	const text = "{ \"name\":\r\n \"x\" ,, }"
	form.Set("_content", text)
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		contract.WriteProblem(w, r, problem.New(problem.InvalidJSON, "No."))
	}
	p := s.post("/api/t/things/1", form).status(http.StatusBadRequest).has(`INVALID_JSON`, `&#34;name&#34;:`)
	if got := s.last().body; got != "{ \"name\":\n \"x\" ,, }" {
		t.Errorf("sent %q", got)
	}
	if kept := p.form("replaceThing", 1).Get("_content"); kept != text {
		t.Errorf("kept %q", kept)
	}
	s.open("/api/t/things").has(`&#34;name&#34;: &#34;Cup&#34;`)
}

func TestErrors_StandAtTheirFieldsAndKeepWhatWasTyped(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	form := s.open("/api/t/things/1").form("patchThing", 0)
	form.Set("body.name", `"><script>alert(1)</script>`)
	form.Set("body.tags", "</textarea><script>alert(2)</script>")
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		contract.WriteProblem(w, r, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/name", Detail: "is too odd"}, problem.Fault{Pointer: "#/tags/0", Detail: "is odd too"},
			problem.Fault{Pointer: "#/elsewhere", Detail: "is unknown"}))
	}
	p := s.post("/api/t/things/1", form).status(http.StatusBadRequest).has(
		`id="patchThing-name-error">is too odd</p>`, `id="patchThing-tags-error">/0 is odd too</p>`, `<a data-opens href="#patchThing-name">`, `<code>#/elsewhere</code> is unknown`,
		`id="patchThing" open`, `href="/api/t/things/1">← Back</a>`).lacks(`<script>alert`)
	again := p.form("patchThing", 0)
	for _, name := range []string{"body.name", "body.tags", "body.note", "_etag", "_was"} {
		if again.Get(name) != form.Get(name) {
			t.Errorf("%s: %q became %q", name, form.Get(name), again.Get(name))
		}
	}
	// What cannot be JSON never gets to the API, and is told in the same way.
	asked := len(s.asked)
	form.Set("body.metadata", `{"year":`)
	s.post("/api/t/things/1", form).status(http.StatusBadRequest).has(`id="patchThing-metadata-error">must be JSON`, `{&#34;year&#34;:</textarea>`)
	if len(s.asked) != asked {
		t.Error("the API was asked")
	}
}

// Values that are endless, or deep without end, neither end the process nor make a page that is longer still.
func TestForm_CopesWithWhatIsSentToHurt(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 100_000)
	for name, form := range map[string]url.Values{
		"a deep field":            {"_method": {"PATCH"}, "body.metadata": {deep}},
		"a deep number":           {"_method": {"PATCH"}, "body.count": {deep}},
		"deep raw text":           {"_method": {"PATCH"}, "_content": {deep}},
		"deep members of before":  {"_method": {"PATCH"}, "_was": {`{"metadata":` + strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5001)}, "body.metadata": {`{"a":2}`}},
		"deep before of a number": {"_method": {"PATCH"}, "_was": {`{"count":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5001)}, "body.count": {"1"}},
	} {
		s := setup(t, failing(problem.New(problem.InvalidInput, "It is too deep.")))
		body := strings.ReplaceAll(form.Encode(), "%5B", "[") // as whoever wants to hurt spares the escapes
		if p := s.do(http.MethodPost, "/api/t/things/1", body, "Accept", browser, "Content-Type", "application/x-www-form-urlencoded"); p.Code != http.StatusBadRequest || form.Has("body.metadata") && !form.Has("_was") && !strings.Contains(p.text, "must be JSON: the value is nested deeper than 64 levels") {
			t.Errorf("%s: %d", name, p.Code)
		}
	}
	s := setup(t, failing(problem.New(problem.InvalidInput, "It has too much.")))
	p := s.post("/api/t/things/1", url.Values{"_method": {"PATCH"}, "body.tags": {strings.Repeat("x\n", 100_000)}})
	if p.has("--data-binary @BODY"); len(p.text) > 600_000 {
		t.Errorf("the page has %d bytes", len(p.text))
	}
}

func TestConflict_ShowsWhatChangedAndKeepsWhatWasMeant(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	form := s.open("/api/t/things/1").form("patchThing", 0)
	form.Set("body.name", "Mine")
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			contract.WriteProblem(w, r, &problem.Error{Code: problem.RevisionMismatch, Detail: "It has revision 4 by now.", Revision: 4})
			return
		}
		writeJSON(w, http.StatusOK, strings.NewReplacer(`"Cup"`, `"Theirs"`, `"solid"`, `"liquid"`).Replace(thing), "ETag", `"4"`)
	}
	p := s.post("/api/t/things/1", form).status(http.StatusPreconditionFailed).has(`REVISION_MISMATCH`, `What others changed since you loaded it`,
		`<code>kind</code></th><td><code>&#34;solid&#34;</code></td><td><code>&#34;liquid&#34;</code></td><td></td>`,
		`<code>&#34;Theirs&#34;</code></td><td><strong>You changed it too</strong>`)
	again := p.form("patchThing", 0)
	s.answer = func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, thing) }
	s.post("/api/t/things/1", again)
	if r := s.last(); r.body != `{"name":"Mine"}` || r.Header.Get("If-Match") != `"4"` {
		t.Errorf("sent again: %s %s", r.body, r.Header.Get("If-Match"))
	}
}

func TestDelete_AsksFirstAndLeadsUp(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	p := s.open("/api/t/things/1").has(`<input type="checkbox" required>`)
	s.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	p = s.post("/api/t/things/1", p.form("deleteThing", 0)).status(http.StatusSeeOther)
	if r := s.last(); r.Method != http.MethodDelete || r.Header.Get("If-Match") != `"3"` || r.body != "" || p.Header().Get("Location") != "/api/t/things" {
		t.Errorf("%s %v, led to %s", r.Method, r.Header, p.Header().Get("Location"))
	}
}

func TestForm_IsReadOfNobodyElse(t *testing.T) {
	t.Parallel()
	form := url.Values{"_method": {"DELETE"}}.Encode()
	const formType = "application/x-www-form-urlencoded"
	s := setup(t)
	s.do(http.MethodPost, "/api/t/things/1", form, "Accept", "application/json", "Content-Type", formType)
	if r := s.last(); r.Method != http.MethodPost || r.body != form {
		t.Errorf("a client's form became %s %q", r.Method, r.body)
	}
	s = setup(t, func(s *site) { s.actor = nil })
	read := false
	body := readerFunc(func([]byte) (int, error) { read = true; return 0, io.EOF })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/api/t/things/1", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", browser)
	r.Header.Set("Content-Type", formType)
	w := &discard{header: http.Header{}}
	s.ServeHTTP(w, r)
	if w.status != http.StatusUnauthorized || read {
		t.Errorf("a stranger's form: %d, read: %v", w.status, read)
	}
	s = setup(t, as(account.APIAccess))
	s.post("/api/t/things/1", url.Values{"_method": {"PATCH"}}) // it may be sent; the API decides
	if s.last().Method != http.MethodPatch {
		t.Error("a page decides")
	}
	s.post("/api/t/things/1", url.Values{"_method": {"BREW"}})
	if s.last().Method != "BREW" {
		t.Errorf("got %s", s.last().Method)
	}
}

// A form that comes when its session has ended is handed back, and does what it was to do once its user has signed in again.
func TestForm_OutlivesItsSession(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`), func(s *site) { s.options.LoginURL = "/login" })
	ann := s.actor
	form := s.open("/api/t/things/1").form("patchThing", 0)
	form.Set("body.name", "Mug")
	s.actor = nil
	before := len(s.asked)
	p := s.post("/api/t/things/1", form).status(http.StatusUnauthorized).has(`<a href="/login?next=%2Fapi%2Ft%2Fthings%2F1" target="_blank"`, "Nothing was sent")
	if len(s.asked) != before {
		t.Error("the API got it")
	}
	s.actor = ann
	s.post("/api/t/things/1", p.form("patchThing", 0))
	if r := s.last(); r.Method != http.MethodPatch || r.body != `{"name":"Mug"}` || r.Header.Get("If-Match") != `"3"` {
		t.Errorf("%s %s %v", r.Method, r.body, r.Header)
	}
	s.actor = nil
	for name, form := range map[string]url.Values{
		"too large":       {"_method": {"PATCH"}, "body.name": {strings.Repeat("x", 300<<10)}},
		"of no operation": {"_method": {"BREW"}},
	} {
		if p := s.post("/api/t/things/1", form).status(http.StatusUnauthorized); strings.Contains(p.main(), "xxx") {
			t.Errorf("%s: it is handed back", name)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
