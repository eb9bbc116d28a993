package browse_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/browse/form"
)

const (
	thing = `{"id":"1",` + thingFields + `,"revision":3}`

	thingFields = `"name":"Cup","note":"two\nlines","kind":"solid","kinds":["liquid"],` +
		`"count":12345678901234567890.50,"on":true,"tags":["a","b c"],"metadata":{"year":"1927","city":null}`
)

func TestForm_UntouchedChangesNothing(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	p := s.open("/api/t/things/1")
	s.post("/api/t/things/1", p.form("patchThing", fieldsForm))
	r := s.last()
	if r.Method != http.MethodPatch || r.body != `{}` || r.ContentLength != 2 || r.URL.RawQuery != "" ||
		r.Header.Get("If-Match") != `"3"` || r.Header.Get("Content-Type") != "application/merge-patch+json" {
		t.Errorf("the API received %s %s %v", r.Method, r.body, r.Header)
	}
	s.post("/api/t/things/1", p.form("replaceThing", fieldsForm))
	r = s.last()
	if r.Method != http.MethodPut || r.body != `{`+thingFields+`}` || r.Header.Get("If-Match") != "" {
		t.Errorf("the API received %s %s %v", r.Method, r.body, r.Header)
	}
}

func TestForm_SendsWhatWasChangedAsItsType(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	for name, c := range map[string]struct {
		set  url.Values
		want string
	}{
		"text":  {url.Values{"body.name": {`<"é">`}}, `{"name":"<\"é\">"}`},
		"lines": {url.Values{"body.note": {"one\r\ntwo"}}, `{"note":"one\ntwo"}`},
		"emptied": {
			url.Values{"body.note": {""}, "body.count": {""}, "body.tags": {""}, "body.name": {""}},
			`{"name":"","note":null,"count":null,"tags":[]}`,
		},
		"choice":         {url.Values{"body.kind": {"liquid"}, "body.on": {"false"}}, `{"kind":"liquid","on":false}`},
		"nothing chosen": {url.Values{"body.kind": {""}, "body.kinds": nil}, `{"kind":null,"kinds":null}`},
		"choices":        {url.Values{"body.kinds": {"solid", "liquid"}}, `{"kinds":["solid","liquid"]}`},
		"number":         {url.Values{"body.count": {" 7 "}}, `{"count":7}`},
		"no choice":      {url.Values{"body.on": {`x"`}}, `{"on":"x\""}`},
		"no number":      {url.Values{"body.count": {"many"}}, `{"count":"many"}`},
		"entries":        {url.Values{"body.tags": {"x\r\n\r\n y \r\n"}}, `{"tags":["x","y"]}`},
		"a member more": {
			url.Values{"body.metadata": {`{"year":"1927","city":null,"by":"Lang"}`}},
			`{"metadata":{"by":"Lang"}}`,
		},
		"a member less": {url.Values{"body.metadata": {`{"city":null}`}}, `{"metadata":{"year":null}}`},
		"a member of another value": {
			url.Values{"body.metadata": {`{"year":"1926","city":null}`}},
			`{"metadata":{"year":"1926"}}`,
		},
	} {
		values := s.open("/api/t/things/1").form("patchThing", fieldsForm)
		for field, set := range c.set {
			values[field] = set
		}
		s.post("/api/t/things/1", values).leadsTo("/api/t/things/1")
		if got := s.last().body; got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// A field that the user may not set is shown, but is disabled and not sent. A replacement still has its value.
func TestForm_AFieldMayNeedAPermissionOfItsOwn(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`),
		as(account.APIAccess, account.ItemsView, account.ItemsEdit, account.ItemsCreate))
	p := s.open("/api/t/things/1").has(`name="body.kind" disabled`, "needs items.publish")
	for id, want := range map[string]string{"patchThing": `{"name":"Mug"}`, "replaceThing": `"kind":"solid"`} {
		values := p.form(id, fieldsForm)
		values.Del("body.kind") // as a browser does with a disabled control
		values.Set("body.name", "Mug")
		s.post("/api/t/things/1", values)
		if got := s.last().body; !strings.Contains(got, want) || id == "patchThing" && got != want {
			t.Errorf("%s sent %s", id, got)
		}
	}
	setup(t).open("/api/t/things/1").lacks(`name="body.kind" disabled`)
}

func TestForm_CreatesAndLeadsToWhatItCreated(t *testing.T) {
	t.Parallel()
	s := setup(t)
	values := s.open("/api/t/things").form("createThing", fieldsForm)
	values.Set("body.name", "Cup")
	values.Set("body.tags", "a")
	values.Set("body.count", "0")
	answering(http.StatusCreated, `{"id":"9"}`, "Location", publicURL+"/api/t/things/9")(s)
	p := s.post("/api/t/things", values).leadsTo("/api/t/things/9")
	if got := s.last().body; got != `{"name":"Cup","count":0,"tags":["a"]}` {
		t.Errorf("sent %s", got)
	}

	// The next page says so, once.
	cookie := p.Result().Cookies()[0]
	next := s.do(http.MethodGet, "/api/t/things/9", "", "Accept", browserAccept, "Cookie", cookie.Name+"="+cookie.Value)
	next.has(`Created: POST answered 201 Created.`)
	if removed := next.Result().Cookies(); len(removed) != 1 || removed[0].MaxAge >= 0 {
		t.Errorf("the notice stays: %v", removed)
	}
	forged := cookie.Name + "=<script>-200"
	s.do(http.MethodGet, "/api/t/things/9", "", "Accept", browserAccept, "Cookie", forged).
		lacks(`<p class="notice" role`)
}

func TestForm_SentTwiceIsOneRequest(t *testing.T) {
	t.Parallel()
	s := setup(t)
	values := s.open("/api/t/things").form("createThing", fieldsForm)
	key := func() string {
		s.post("/api/t/things", values)
		return s.last().Header.Get("Idempotency-Key")
	}
	values.Set("body.name", "Cup")
	first, second := key(), key()
	if first == "" || second != first {
		t.Errorf("the same form has the keys %q and %q", first, second)
	}
	values.Set("body.name", "Jug")
	if key() == first {
		t.Error("a form that was changed has the same key")
	}
	if s.open("/api/t/things").form("createThing", fieldsForm).Get("_key") == values.Get("_key") {
		t.Error("two forms have the same key")
	}
}

// A representation may have what a form sets in another place.
func TestForm_IsFilledFromWhereAFieldIsRead(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, `{"id":"1","name":"Cup","made":{"by":"ann"}}`))
	s.post("/api/t/things/1", s.open("/api/t/things/1").form("replaceThing", fieldsForm))
	if got := s.last().body; got != `{"name":"Cup","owner":"ann"}` {
		t.Errorf("an untouched form sends %s", got)
	}
	content := s.open("/api/t/things/1").form("replaceThing", rawForm).Get("_content")
	if !strings.Contains(content, `"owner": "ann"`) {
		t.Errorf("the editor holds %s", content)
	}
	answering(http.StatusOK, `{"id":"1","name":"Cup","made":null}`)(s)
	if got := s.open("/api/t/things/1").form("replaceThing", fieldsForm).Get("body.owner"); got != "" {
		t.Errorf("without an owner the form has %q", got)
	}
}

func TestForm_StatesWhatItDid(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	follow := func(p page) page {
		t.Helper()
		p.leadsTo("/api/t/things/1")
		cookie, _, _ := strings.Cut(p.Header().Get("Set-Cookie"), ";")
		return s.do(http.MethodGet, "/api/t/things/1", "", "Accept", browserAccept, "Cookie", cookie)
	}
	values := s.open("/api/t/things/1").form("patchThing", fieldsForm)
	follow(s.post("/api/t/things/1", values)).has("Nothing has changed.")
	answering(http.StatusOK, thing, "ETag", `"4"`)(s)
	values.Set("body.name", "Mug")
	follow(s.post("/api/t/things/1", values)).has("Changed: PATCH answered 200 OK.")
	answering(http.StatusAccepted, `{}`)(s)
	s.post("/api/t/things/1/poke", url.Values{}).
		has(`<p class="notice" role="status">It is <em>poked</em>.</p>`).lacks("-H 'idempotency-key")
}

func TestForm_AnAnswerThatIsSeenOnceIsShown(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusCreated, `{"id":"1","secret":"whsec_x"}`, "Location", publicURL+"/api/t/keys/1"))
	s.post("/api/t/keys", url.Values{"_method": {"POST"}, "body.name": {"k"}}).status(http.StatusCreated).
		has(`whsec_x`, `<h1>Make a key</h1>`, `201 Created`, `{&#34;name&#34;:&#34;k&#34;}`, `-X POST`, `--data-binary`)

	// The page of the thing would not show the secret either.
	s = setup(t,
		answering(http.StatusCreated, `{"id":"1","secret":"whsec_y"}`, "Location", publicURL+"/api/t/things/1"))
	s.post("/api/t/things", url.Values{"body.name": {"k"}}).status(http.StatusCreated).has(`whsec_y`)
}

// Values without end, or nested without end, neither exhaust the process nor make a page that is longer still.
func TestDelete_AsksFirstAndLeadsToTheList(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	p := s.open("/api/t/things/1").has(`<input type="checkbox" required>`)
	s.respond = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	s.post("/api/t/things/1", p.form("deleteThing", fieldsForm)).leadsTo("/api/t/things")
	if r := s.last(); r.Method != http.MethodDelete || r.Header.Get("If-Match") != `"3"` || r.body != "" {
		t.Errorf("%s %v %q", r.Method, r.Header, r.body)
	}
}

func TestForm_OfAProgramIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := setup(t)
	text := url.Values{"_method": {"DELETE"}}.Encode()
	s.do(http.MethodPost, "/api/t/things/1", text, "Accept", "application/json", "Content-Type", form.ContentType)
	if r := s.last(); r.Method != http.MethodPost || r.body != text {
		t.Errorf("a program's form became %s %q", r.Method, r.body)
	}
}

func TestForm_TheAPIDecidesWhatItMayDo(t *testing.T) {
	t.Parallel()
	s := setup(t, as(account.APIAccess))
	for _, method := range []string{http.MethodPatch, "BREW"} {
		s.post("/api/t/things/1", url.Values{"_method": {method}})
		if got := s.last().Method; got != method {
			t.Errorf("the API received %s, want %s", got, method)
		}
	}
}

// A form whose session has ended is shown again, and works once its user has signed in again.
