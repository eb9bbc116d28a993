package browse_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

func TestPage_ShowsTheBodyByteForByte(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, `[]`, `[ ]`, `null`, `"text"`, `-1.50e+3`, "{\n \"a\" : [ 1 , 2 ]\r\n}\n",
		`{"a":"<script>alert(1)</script>","b":"\"><img src=x onerror=alert(1)>","c":"&amp; &lt; ' \u003c",` +
			`"d":[true,false,null,{"e":{}}]}`,
		`{"a":"` + publicURL + `/api/t/things/1?a=1\u0026b=2","next":"/api/t/things?after=x"}`,
		`{"cut":"off`, `{"a":[1,{"b":`, `}]{`, `not JSON at all`, `{"a"}`, "\r\n\t", `{"\ud800":"\u202e"}`,
	} {
		p := setup(t, answering(http.StatusOK, body)).open("/api/t/things").status(http.StatusOK)
		if got := p.body(); got != body && strings.TrimSpace(body) != "" {
			t.Errorf("got  %q\nwant %q", got, body)
		}
		p.lacks("<script>alert", "<img src=x")
		if opened, closed := strings.Count(p.main(), "<span"), strings.Count(p.main(), "</span>"); opened != closed {
			t.Errorf("%q: the page opens %d spans and closes %d", body, opened, closed)
		}
	}
}

func TestPage_ShowsTheRequestAndTheAnswer(t *testing.T) {
	t.Parallel()
	s := setup(t, func(s *site) {
		s.respond = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Link", `<`+publicURL+`/api/t/things?after=x%26y>; rel="next"`)
			w.Header().Add("Link", `<`+publicURL+`/api/t/things?before=x>; rel="prev"`)
			writeJSON(w, http.StatusOK, `{"results":[{"url":"`+publicURL+`/api/t/things/1"},`+
				`{"url":"https://other.example/"},{"url":"javascript:alert(1)"}]}`, "X-Odd", "<b>")
		}
	})
	s.open("/api/t/things?limit=2&tags=a,b").status(http.StatusOK).has(
		`</b> /api/t/things?limit=2&amp;tags=a,b</code>`, `200 OK`,
		`<dt>X-Odd</dt><dd>&lt;b&gt;</dd>`, `<dt>Content-Type</dt><dd>application/json</dd>`,
		`<a href="/api/t/things/1">https://things.example/api/t/things/1</a>`,
		`rel="next" href="/api/t/things?after=x%26y"`, `rel="prev" href="/api/t/things?before=x"`,
		`<dd>&lt;<a href="/api/t/things?before=x">`,
		`curl -u &#39;ann@example.com&#39; &#39;https://things.example/api/t/things?limit=2&amp;tags=a,b&#39;`,
		`<h1>List things</h1>`, `<li><a href="/api/t/">Things</a></li><li><a href="/api/t/things">things</a></li>`,
		`ann@example.com`,
	).lacks(`href="https://other`, `href="javascript`, `href="https://things`)
	if r := s.last(); r.Header.Get("Accept") != "*/*" || len(s.requests) != 1 {
		t.Errorf("the API received %d requests, the last with Accept %q", len(s.requests), r.Header.Get("Accept"))
	}
}

func TestPage_HasAPolicyAndNothingThatBreaksIt(t *testing.T) {
	t.Parallel()
	inline := regexp.MustCompile(`(?i)<script[^>]*>[^<]|\son[a-z]+=|javascript:|<style|\sstyle=|<base`)
	const wantPolicy = "default-src 'none'; script-src 'self'; style-src 'self';"
	for _, s := range []*site{setup(t), setup(t, failing(problem.New(problem.NotFound, "No.")))} {
		for _, target := range []string{
			"/api/t/", "/api/t/?q=thing", "/api/t/?op=patchThing", "/api/t/things", "/api/t/things/1", "/api/t/nothing",
		} {
			p := s.open(target)
			if found := inline.FindString(p.text); found != "" {
				t.Errorf("%s has %q", target, found)
			}
			h := p.Header()
			policy := h.Get("Content-Security-Policy")
			if !strings.HasPrefix(policy, wantPolicy) || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: policy %q", target, policy)
			}
			if h.Get("Cache-Control") != "no-store" || h.Get("Vary") != "Accept, Sec-Fetch-Mode" || h.Get("ETag") != "" {
				t.Errorf("%s: %v", target, h)
			}
		}
	}
}

func TestPage_OffersWhatItsUserMayDo(t *testing.T) {
	t.Parallel()
	cup := answering(http.StatusOK, `{"id":"1","name":"Cup"}`)
	setup(t, cup).open("/api/t/things/1").
		has(`id="patchThing"`, `id="replaceThing"`, `id="deleteThing"`, `href="/api/t/things/1/poke"`)
	setup(t, cup, as(account.APIAccess, account.ItemsView, account.ItemsEdit)).open("/api/t/things/1").
		has(`id="patchThing"`, `id="replaceThing"`, `/things/1/poke`).lacks(`id="deleteThing"`)
	setup(t, cup, as(account.APIAccess, account.ItemsView)).open("/api/t/things/1").
		lacks(`id="patchThing"`, `id="replaceThing"`, `id="deleteThing"`, `/things/1/poke`)
	setup(t, cup).open("/api/t/files").lacks(`<details class="panel action`) // nobody can type a file
	setup(t, cup, as(account.APIAccess)).open("/api/t/").has(`class="denied"`, `needs items.create`)

	// A user who may not read a list may still add to it. What does not exist cannot be changed, but it can be created.
	forbidden := failing(problem.New(problem.Forbidden, "This needs items.view."))
	setup(t, forbidden, as(account.APIAccess, account.ItemsCreate)).open("/api/t/things").
		status(http.StatusForbidden).has(`id="createThing"`, "This needs items.view.")
	missing := failing(problem.New(problem.NotFound, "There is none."))
	setup(t, missing).open("/api/t/things/1").lacks(`id="patchThing"`, `id="deleteThing"`)
	setup(t, missing).open("/api/t/things/1/poke").has(`id="pokeThing"`)
}

func TestNavigation_LeadsOnlyToWhatItsUserMayDo(t *testing.T) {
	t.Parallel()
	setup(t, as(account.APIAccess, account.ItemsView)).open("/api/t/things").
		has(`data-op="listThings"`).lacks(`data-op="createThing"`, `data-op="createKey"`)
	setup(t, as()).open("/api/t/things").lacks(`data-op=`)
}

func TestPage_DocumentsItsOperation(t *testing.T) {
	t.Parallel()
	setup(t).open("/api/t/things/1").has(`<strong>everything</strong>`, `<code class="path">/things/{id}</code>`,
		`items.view`, `string (uuid)`, `≤ 50 characters`, `Thing or null`, `The one above.`)
	p := setup(t).open("/api/t/things")
	p.has(`one of <code>name</code>, <code>-name</code>`, `default <code>&#34;name&#34;</code>`, `array of string`,
		`string (date-time)`, `1 – 200`)
	p.has(`<select id="listThings-sort" name="sort"`, `<option value="">default: name</option><option>name</option>`,
		`name="kind" value="liquid"`, `type="datetime-local"`, `name="_key.metadata."`, `name="_value.metadata."`)
	p = setup(t).open("/api/t/?op=createThing")
	p.has(`<h1>Make a thing</h1>`, `What it is <em>called</em>.`, `1 – 50 characters`,
		`for example <code>&#34;Cup&#34;</code>`, `0 – 100,000`, `Its state.`, `≤ 3 entries`)
}

func TestPage_IdentifiersAreLinks(t *testing.T) {
	t.Parallel()
	const id, other = "01a2151a-e194-70d4-8122-a19728f59dbf", "01a2151a-e194-70d4-8122-a19728f59dc0"
	list := `{"results":[` +
		`{"id":"` + id + `","parent":{"id":"` + other + `"},` +
		`"kind_id":"` + other + `","subject":"things/` + other + `"},` +
		`{"id":"x","kind_id":null,"subject":"//` + id + `"}]}`
	setup(t, answering(http.StatusOK, list)).open("/api/t/things").
		has(`<a href="/api/t/things/`+id+`">`, `<a href="/api/t/keys/`+other+`">`,
			`<a href="/api/t/things/`+other+`">things/`).
		lacks(`<a href="/api/t///`, `<a href="//`, `<a href="/api/t/things/x"`)
	setup(t).open("/api/t/things").has(`<a href="/api/t/things" target="_blank" rel="noopener">find it</a>`)
	setup(t).open("/api/t/?op=patchThing").has(`Choose one in the list: <a href="/api/t/things">List things</a>`)
}

func TestPage_IsTitledByWhatItShows(t *testing.T) {
	t.Parallel()
	setup(t, answering(http.StatusOK, thing)).open("/api/t/things/1").
		has(`<title>Cup · Read a thing · Things</title>`, `<h1>Cup</h1>`)
	setup(t, answering(http.StatusOK, `{"name":" ","email":"<b>@example.com"}`)).open("/api/t/things/1").
		has(`<h1>&lt;b&gt;@example.com</h1>`)
	setup(t, answering(http.StatusOK, `{"results":[],"name":"List"}`)).open("/api/t/things").
		has(`<title>List things · Things</title>`)
}

func TestPage_OfAnAddressThatCannotBeReadIsItsForm(t *testing.T) {
	t.Parallel()
	setup(t, func(s *site) {
		s.respond = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", "POST")
			problems.Write(w, r, problem.New(problem.MethodNotAllowed, "This address takes POST."))
		}
	}).open("/api/t/things/1/poke").status(http.StatusMethodNotAllowed).
		has(`<h1>Poke a thing</h1>`, `id="pokeThing" open`, `name="query.hard"`)
}

func TestFilter_BecomesTheQueryThatAClientWouldWrite(t *testing.T) {
	t.Parallel()
	s := setup(t)
	sent := url.Values{
		"_filter": {"1"}, "sort": {""}, "kind": {"solid", "liquid"}, "since": {"2026-01-02T03:04"}, "tags": {"a\r\nb, c"},
		"limit": {" 5 "}, "_key.metadata.": {"year", "", "x&y"}, "_value.metadata.": {"1927", "nothing", "a b"},
		"after": {""}, "unknown": {"x"},
	}
	const want = "/api/t/things?kind=solid&kind=liquid&limit=5&metadata.x%26y=a+b&metadata.year=1927" +
		"&since=2026-01-02T03:04:00Z&tags=a&tags=b%2C+c"
	s.open("/api/t/things?" + sent.Encode()).leadsTo(want)
	if len(s.requests) > 0 {
		t.Error("the API received a request")
	}
	s.open(want).has(`<summary>Filter and sort <code>kind=solid,liquid</code> <code>limit=5</code> `+
		`<code>metadata.x&amp;y=a b</code>`, `value="liquid" checked`, `value="2026-01-02T03:04:00"`, "\na\nb, c</textarea>",
		`<code>tags=a,b%2C c</code>`,
		`value="year" placeholder="KEY"`, `value="1927" placeholder="value"`)
	s.open("/api/t/things?kind=solid,liquid&tags=a,b%2Cc").has(`value="solid" checked`, `value="liquid" checked`,
		"\na\nb,c</textarea>", `<code>tags=a,b%2Cc</code>`)
}

func TestFilter_FaultsAreShownAtTheirParameters(t *testing.T) {
	t.Parallel()
	s := setup(t, failing(problem.Invalid(problem.InvalidInput,
		problem.Fault{Parameter: "limit", Detail: "must be at most 200"},
		problem.Fault{Parameter: "metadata.x", Detail: "is no field"},
		problem.Fault{Parameter: "odd", Detail: "unknown parameter"})))
	s.open("/api/t/things?limit=999&since=never&odd=%3Cb%3E").status(http.StatusBadRequest).has(
		`<details class="panel" id="filter" open>`, `id="listThings-limit-error">must be at most 200</p>`,
		`aria-invalid="true"`, `value="999"`, `value="never"`, `is no field</p>`,
		`<a data-opens href="#listThings-limit">`, `INVALID_INPUT`, `<code>odd</code> unknown parameter`)
}

func TestIndex_ListsFindsAndDocumentsOperations(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.open("/api/t/").has(`All about <em>things</em>`, `List things`, `href="/api/t/things#createThing"`,
		`href="/api/t/?op=deleteThing"`).lacks(`<script>alert`, `javascript:`)
	p := s.open("/api/t/?q=DELETE+thing").has(`1 operation mentions “DELETE thing”`, `Delete a thing`)
	if strings.Contains(p.main(), ">Replace a thing<") {
		t.Error("the search finds an operation that does not match")
	}
	s.open("/api/t/?q=%22%3E%3Cscript%3E").has(`0 operations mention “&#34;&gt;&lt;script&gt;”`).lacks(`"><script>`)
	s.open("/api/t/?q=x&op=nothing&other=1")
	if got := s.last().URL.RawQuery; got != "other=1" {
		t.Errorf("the API received the query %q", got)
	}
}
