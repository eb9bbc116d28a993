package browse_test

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"itemcast/internal/account"
	"itemcast/internal/browse"
	"itemcast/internal/contract"
	"itemcast/internal/problem"
	"itemcast/openapi"
)

// The contract has of each thing that pages are drawn from one.
var files = fstest.MapFS{"main.yaml": {Data: []byte(`
openapi: 3.1.0
info: { title: Things, version: "1", description: "All about *things*. <script>alert(1)</script>" }
servers: [{ url: /api/t }]
tags: [{ name: things, description: "What there is. [x](javascript:alert(1))" }]
paths:
  /:
    get:
      operationId: getIndex
      tags: [things]
      summary: What there is
      x-permission: api.access
      responses: { "200": { description: ok, content: { application/json: { schema: { type: object } } } } }
  /things:
    get:
      operationId: listThings
      tags: [things]
      summary: List things
      x-permission: items.view
      parameters:
        - { name: sort, in: query, description: The order., schema: { type: string, enum: [name, -name], default: name } }
        - { name: kind, in: query, explode: false, schema: { type: array, maxItems: 5, items: { $ref: "#/components/schemas/Kind" } } }
        - { name: since, in: query, schema: { type: string, format: date-time } }
        - { name: tags, in: query, explode: false, schema: { type: array, items: { type: string, minLength: 1 } } }
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 200 } }
        - { name: metadata.KEY, in: query, x-prefix: metadata., schema: { type: string } }
        - { name: after, in: query, schema: { type: string } }
      responses: { "200": { description: ok, content: { application/json: { schema: { $ref: "#/components/schemas/ThingList" } } } } }
    post:
      operationId: createThing
      tags: [things]
      summary: Make a thing
      x-permission: items.create
      parameters: [{ name: Idempotency-Key, in: header, schema: { type: string } }]
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/ThingInput" } } } }
      responses: { "201": { description: made, content: { application/json: { schema: { $ref: "#/components/schemas/Thing" } } } } }
  /things/export:
    get:
      operationId: exportThings
      tags: [things]
      summary: Export things
      x-permission: items.view
      responses: { "200": { description: lines, content: { application/x-ndjson: { schema: { type: string } } } } }
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      operationId: getThing
      tags: [things]
      summary: Read a thing
      description: "It has **everything**."
      x-permission: items.view
      responses: { "200": { description: ok, content: { application/json: { schema: { $ref: "#/components/schemas/Thing" } } } } }
    put:
      operationId: replaceThing
      tags: [things]
      summary: Replace a thing
      x-permission: items.edit
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/ThingInput" } } } }
      responses: { "200": { description: ok, content: { application/json: { schema: { $ref: "#/components/schemas/Thing" } } } } }
    patch:
      operationId: patchThing
      tags: [things]
      summary: Change a thing
      x-permission: items.edit
      parameters: [{ name: If-Match, in: header, schema: { type: string } }]
      requestBody: { required: true, content: { application/merge-patch+json: { schema: { $ref: "#/components/schemas/ThingPatch" } } } }
      responses: { "200": { description: ok, content: { application/json: { schema: { $ref: "#/components/schemas/Thing" } } } } }
    delete:
      operationId: deleteThing
      tags: [things]
      summary: Delete a thing
      x-permission: items.delete
      parameters: [{ name: If-Match, in: header, schema: { type: string } }]
      responses: { "204": { description: gone } }
  /things/{id}/poke:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    post:
      operationId: pokeThing
      tags: [things]
      summary: Poke a thing
      x-permission: items.edit
      parameters: [{ name: hard, in: query, schema: { type: boolean, default: false } }]
      responses: { "202": { description: "It is *poked*.", content: { application/json: { schema: { type: object } } } } }
  /files:
    post:
      operationId: sendFile
      tags: [keys]
      summary: Send a file
      requestBody: { required: true, content: { multipart/form-data: { schema: { type: object, properties: { file: { type: string, format: binary } } } } } }
      responses: { "201": { description: made } }
  /keys:
    post:
      operationId: createKey
      tags: [keys]
      summary: Make a key
      x-permission: hooks.manage
      requestBody: { required: true, content: { application/json: { schema: { type: object, properties: { name: { type: string } } } } } }
      responses: { "201": { description: made, content: { application/json: { schema: { $ref: "#/components/schemas/NewKey" } } } } }
  /keys/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      operationId: getKey
      tags: [keys]
      summary: Read a key
      x-permission: hooks.manage
      responses: { "200": { description: ok, content: { application/json: { schema: { $ref: "#/components/schemas/Key" } } } } }
  /events:
    get:
      operationId: streamEvents
      tags: [things]
      summary: Follow the events
      x-permission: items.view
      parameters: [{ name: id, in: query, schema: { type: string } }]
      responses: { "200": { description: a stream, content: { text/event-stream: { schema: { type: string } } } } }
components:
  schemas:
    Kind: { type: string, enum: [solid, liquid] }
    Key: { type: object, properties: { id: { type: string }, secret: { type: string, format: password } } }
    NewKey: { type: object, properties: { id: { type: string }, secret: { type: string } } }
    ThingList: { type: object, properties: { results: { type: array, items: { $ref: "#/components/schemas/Thing" } } } }
    Thing:
      type: object
      required: [id, name]
      properties:
        id: { type: string, format: uuid }
        name: { type: string, maxLength: 50 }
        secret: { type: string, format: password }
        kind_id: { type: [string, "null"], x-link: "/keys/{id}" }
        subject: { type: string, x-link: "/{path}" }
        parent: { anyOf: [{ $ref: "#/components/schemas/Thing" }, { type: "null" }], description: The one above. }
    ThingInput:
      allOf:
        - type: object
          required: [name]
          properties:
            name: { type: string, minLength: 1, maxLength: 50, examples: [Cup], description: "What it is *called*." }
            note: { type: string, maxLength: 5000 }
            kind: { $ref: "#/components/schemas/Kind", description: "Its state.", default: solid, x-permission: items.publish }
            kinds: { type: array, items: { $ref: "#/components/schemas/Kind" } }
            count: { type: [integer, "null"], minimum: 0, maximum: 100000 }
            on: { type: boolean, default: false }
            owner: { type: [string, "null"], x-from: made/by, x-link: "/things/{id}" }
            tags: { type: array, maxItems: 3, items: { type: string } }
            metadata: { type: object, additionalProperties: { type: [string, "null"] } }
    ThingPatch:
      type: object
      properties:
        name: { type: string }
        note: { type: [string, "null"], maxLength: 5000 }
        kind: { enum: [solid, liquid, null], x-permission: items.publish }
        kinds: { type: [array, "null"], items: { $ref: "#/components/schemas/Kind" } }
        count: { type: [integer, "null"] }
        on: { type: boolean }
        tags: { type: array, items: { type: string } }
        metadata: { type: [object, "null"], additionalProperties: { type: [string, "null"] } }
`)}}

const publicURL = "https://things.example"

// asked is a request as the API's handlers got it.
type asked struct {
	*http.Request
	body string
}

// site is pages around an API that answers what a test wants it to.
type site struct {
	http.Handler
	t       testing.TB
	asked   []asked
	answer  http.HandlerFunc
	actor   *account.Actor // nil: nobody has signed in
	options browse.Options
}

func setup(t testing.TB, with ...func(*site)) *site {
	t.Helper()
	document, err := contract.Load(files, "main.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, actor: &account.Actor{Email: "ann@example.com", Permissions: account.All()}, options: browse.Options{PublicURL: publicURL},
		answer: func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, `{}`) }}
	for _, change := range with {
		change(s)
	}
	pages, err := browse.New(document, s.options)
	if err != nil {
		t.Fatal(err)
	}
	operations := http.NewServeMux()
	pages.Describe(operations)
	operations.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.asked = append(s.asked, asked{r, string(body)})
		s.answer(w, r)
	})
	signIn := func(_ http.ResponseWriter, r *http.Request) (*http.Request, error) {
		if s.actor == nil {
			return r, problem.New(problem.Unauthenticated, "Sign in.")
		}
		return r.WithContext(account.WithActor(r.Context(), *s.actor)), nil
	}
	s.Handler = pages.Problems(nil, contract.Recover(pages.Around(signIn, operations)))
	return s
}

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

// page is what a browser is shown.
type page struct {
	*httptest.ResponseRecorder
	t    testing.TB
	text string
}

// open opens an address in a browser.
func (s *site) open(target string) page { return s.do(http.MethodGet, target, "", "Accept", browser) }

// post sends a form.
func (s *site) post(target string, form url.Values) page {
	return s.do(http.MethodPost, target, form.Encode(), "Accept", browser, "Content-Type", "application/x-www-form-urlencoded")
}

func (s *site) do(method, target, body string, header ...string) page {
	s.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return page{w, s.t, w.Body.String()}
}

// last is the request that the API got last.
func (s *site) last() asked {
	s.t.Helper()
	if len(s.asked) == 0 {
		s.t.Fatal("the API was not asked")
	}
	return s.asked[len(s.asked)-1]
}

func (p page) has(want ...string) page {
	p.t.Helper()
	for _, text := range want {
		if !strings.Contains(p.text, text) {
			p.t.Errorf("the page has no %q:\n%s", text, p.excerpt())
		}
	}
	return p
}

func (p page) lacks(unwanted ...string) page {
	p.t.Helper()
	for _, text := range unwanted {
		if strings.Contains(p.text, text) {
			p.t.Errorf("the page has %q:\n%s", text, p.excerpt())
		}
	}
	return p
}

// main is the page's own part.
func (p page) main() string {
	_, main, _ := strings.Cut(p.text, "<main")
	return main
}

// excerpt is what a failing test shows of it.
func (p page) excerpt() string {
	main := p.main()
	return main[:min(len(main), 3000)]
}

var tagged = regexp.MustCompile(`<[^>]*>`)

// body is the text of the response's body as a browser reads it.
func (p page) body() string {
	_, rest, _ := strings.Cut(p.text, `<code id="body">`)
	shown, _, _ := strings.Cut(rest, "</code></pre>")
	return html.UnescapeString(tagged.ReplaceAllString(shown, ""))
}

func (p page) status(want int) page {
	p.t.Helper()
	if p.Code != want {
		p.t.Errorf("status %d, want %d: %.400s", p.Code, want, p.text)
	}
	return p
}

func writeJSON(w http.ResponseWriter, status int, body string, header ...string) {
	w.Header().Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		w.Header().Set(header[i], header[i+1])
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func answering(status int, body string, header ...string) func(*site) {
	return func(s *site) {
		s.answer = func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, status, body, header...) }
	}
}

func failing(err error) func(*site) {
	return func(s *site) {
		s.answer = func(w http.ResponseWriter, r *http.Request) { contract.WriteProblem(w, r, err) }
	}
}

func as(permissions ...account.Permission) func(*site) {
	return func(s *site) { s.actor = &account.Actor{Email: "ann@example.com", Permissions: permissions} }
}

func TestNegotiation_OnlyWhoWouldRatherHaveHTMLGetsAPage(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for accept, wantsPage := range map[string]bool{
		browser:                               true,
		"text/html":                           true,
		"text/html, application/json;q=0.9":   true,
		"text/html;q=0.5, application/json":   false,
		"text/html, application/json":         false,
		"text/html;q=0":                       false,
		"text/html;q=0.1, */*":                false,
		"application/json":                    false,
		"*/*":                                 false,
		"":                                    false,
		"text/event-stream":                   false,
		"application/xml, text/html;q=0.5":    true,
		"application/problem+json, text/html": true,
		"text/*":                              false, // no browser says so; a client that does has no page in mind
	} {
		p := s.do(http.MethodGet, "/api/t/things", "", "Accept", accept)
		if got := strings.HasPrefix(p.Header().Get("Content-Type"), "text/html"); got != wantsPage {
			t.Errorf("Accept %q: %s", accept, p.Header().Get("Content-Type"))
		}
		if p.Header().Get("Vary") != "Accept" {
			t.Errorf("Accept %q: Vary is %q", accept, p.Header()["Vary"])
		}
	}
}

func TestNegotiation_FormatOverridesAcceptAndReachesNobody(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for target, c := range map[string]struct {
		accept, query string
		page          bool
	}{
		"/api/t/things?format=json":                {browser, "", false},
		"/api/t/things?limit=2&format=json&sort=a": {browser, "limit=2&sort=a", false},
		"/api/t/things?format=json&a=%zz":          {"*/*", "a=%zz", false},
		"/api/t/things?format=html":                {"*/*", "", true},
		"/api/t/things?format=xml":                 {"*/*", "format=xml", false}, // for the contract to refuse
		"/api/t/things?reformat=json":              {browser, "reformat=json", true},
	} {
		p := s.do(http.MethodGet, target, "", "Accept", c.accept)
		if got := strings.HasPrefix(p.Header().Get("Content-Type"), "text/html"); got != c.page {
			t.Errorf("%s: %s", target, p.Header().Get("Content-Type"))
		}
		if got := s.last().URL.RawQuery; got != c.query {
			t.Errorf("%s: the API was asked %q", target, got)
		}
	}
}

func TestPage_ShowsTheBodyByteForByte(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, `[]`, `[ ]`, `null`, `"text"`, `-1.50e+3`, "{\n \"a\" : [ 1 , 2 ]\r\n}\n",
		`{"a":"<script>alert(1)</script>","b":"\"><img src=x onerror=alert(1)>","c":"&amp; &lt; ' \u003c","d":[true,false,null,{"e":{}}]}`,
		`{"a":"` + publicURL + `/api/t/things/1?a=1\u0026b=2","next":"/api/t/things?after=x"}`,
		`{"cut":"off`, `{"a":[1,{"b":`, `}]{`, `not JSON at all`, `{"a"}`, "\r\n\t", `{"\ud800":"\u202e"}`,
	} {
		p := setup(t, answering(http.StatusOK, body)).open("/api/t/things").status(http.StatusOK)
		if got := p.body(); got != body && strings.TrimSpace(body) != "" {
			t.Errorf("got  %q\nwant %q", got, body)
		}
		p.lacks("<script>alert", "<img src=x")
		if opened, closed := strings.Count(p.main(), "<span"), strings.Count(p.main(), "</span>"); opened != closed {
			t.Errorf("%q: %d spans are opened and %d closed", body, opened, closed)
		}
	}
}

func TestPage_ShowsWhatTheAPISaid(t *testing.T) {
	t.Parallel()
	s := setup(t, func(s *site) {
		s.answer = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Link", `<`+publicURL+`/api/t/things?after=x%26y>; rel="next"`)
			w.Header().Add("Link", `<`+publicURL+`/api/t/things?before=x>; rel="prev"`)
			writeJSON(w, http.StatusOK, `{"results":[{"url":"`+publicURL+`/api/t/things/1"},{"url":"https://other.example/"},{"url":"javascript:alert(1)"}]}`, "X-Odd", "<b>")
		}
	})
	s.open("/api/t/things?limit=2&tags=a,b").status(http.StatusOK).has(
		`</b> /api/t/things?limit=2&amp;tags=a,b</code>`, `200 OK`, `<dt>X-Odd</dt><dd>&lt;b&gt;</dd>`, `<dt>Content-Type</dt><dd>application/json</dd>`,
		`<a href="/api/t/things/1">https://things.example/api/t/things/1</a>`,
		`rel="next" href="/api/t/things?after=x%26y"`, `rel="prev" href="/api/t/things?before=x"`,
		`<dd>&lt;<a href="/api/t/things?before=x">`,
		`curl -u &#39;ann@example.com&#39; &#39;https://things.example/api/t/things?limit=2&amp;tags=a,b&#39;`,
		`<h1>List things</h1>`, `<li><a href="/api/t/">Things</a></li><li><a href="/api/t/things">things</a></li>`, `ann@example.com`,
	).lacks(`href="https://other`, `href="javascript`, `href="https://things`)
	if r := s.last(); r.Header.Get("Accept") != "*/*" || len(s.asked) != 1 {
		t.Errorf("the API was asked %d times, for %q", len(s.asked), r.Header.Get("Accept"))
	}
}

func TestPage_IsHeldTogetherByItsHeaders(t *testing.T) {
	t.Parallel()
	inline := regexp.MustCompile(`(?i)<script[^>]*>[^<]|\son[a-z]+=|javascript:|<style|\sstyle=|<base`)
	for _, s := range []*site{setup(t), setup(t, failing(problem.New(problem.NotFound, "No.")))} {
		for _, target := range []string{"/api/t/", "/api/t/?q=thing", "/api/t/?op=patchThing", "/api/t/things", "/api/t/things/1", "/api/t/nothing"} {
			p := s.open(target)
			if found := inline.FindString(p.text); found != "" {
				t.Errorf("%s has %q", target, found)
			}
			h := p.Header()
			if policy := h.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: policy %q", target, policy)
			}
			if h.Get("Cache-Control") != "no-store" || h.Get("Vary") != "Accept" || h.Get("ETag") != "" {
				t.Errorf("%s: %v", target, h)
			}
		}
	}
}

func TestPage_OffersWhatItsUserMayDo(t *testing.T) {
	t.Parallel()
	body := answering(http.StatusOK, `{"id":"1","name":"Cup"}`)
	setup(t, body).open("/api/t/things/1").has(`id="patchThing"`, `id="replaceThing"`, `id="deleteThing"`, `href="/api/t/things/1/poke"`)
	setup(t, body, as(account.APIAccess, account.ItemsView, account.ItemsEdit)).open("/api/t/things/1").
		has(`id="patchThing"`, `id="replaceThing"`, `/things/1/poke`).lacks(`id="deleteThing"`)
	setup(t, body, as(account.APIAccess, account.ItemsView)).open("/api/t/things/1").
		lacks(`id="patchThing"`, `id="replaceThing"`, `id="deleteThing"`, `/things/1/poke`)
	setup(t, body).open("/api/t/files").lacks(`<details class="panel action`) // nobody types a file
	setup(t, body, as(account.APIAccess)).open("/api/t/").has(`class="denied"`, `needs items.create`)
}

func TestPage_DocumentsItsOperation(t *testing.T) {
	t.Parallel()
	setup(t).open("/api/t/things/1").has(`<strong>everything</strong>`, `<code class="path">/things/{id}</code>`, `items.view`, `string (uuid)`, `≤ 50 characters`, `Thing or null`, `The one above.`)
	p := setup(t).open("/api/t/things")
	p.has(`one of <code>name</code>, <code>-name</code>`, `default <code>&#34;name&#34;</code>`, `array of string`, `string (date-time)`, `1 – 200`)
	// What the parameters are, a form can be filled in with.
	p.has(`<select id="listThings-sort" name="sort"`, `<option value="">default: name</option><option>name</option>`, `name="kind" value="liquid"`,
		`type="datetime-local"`, `name="_key.metadata."`, `name="_value.metadata."`)
	p = setup(t).open("/api/t/?op=createThing")
	p.has(`<h1>Make a thing</h1>`, `What it is <em>called</em>.`, `1 – 50 characters`, `for example <code>&#34;Cup&#34;</code>`, `0 – 100,000`, `Its state.`, `≤ 3 entries`)
}

func TestPage_NamesLeadWhereTheyAreRead(t *testing.T) {
	t.Parallel()
	const id, other = "01a2151a-e194-70d4-8122-a19728f59dbf", "01a2151a-e194-70d4-8122-a19728f59dc0"
	setup(t, answering(http.StatusOK, `{"results":[{"id":"`+id+`","parent":{"id":"`+other+`"},"kind_id":"`+other+`","subject":"things/`+other+`"},{"id":"x","kind_id":null,"subject":"//`+id+`"}]}`)).
		open("/api/t/things").has(`<a href="/api/t/things/`+id+`">`, `<a href="/api/t/keys/`+other+`">`, `<a href="/api/t/things/`+other+`">things/`).
		lacks(`<a href="/api/t///`, `<a href="//`, `<a href="/api/t/things/x"`)
	setup(t).open("/api/t/things").has(`<a href="/api/t/things" target="_blank" rel="noopener">find it</a>`)
	setup(t).open("/api/t/?op=patchThing").has(`Choose one in the list: <a href="/api/t/things">List things</a>`)
}

func TestPage_IsCalledWhatItShows(t *testing.T) {
	t.Parallel()
	setup(t, answering(http.StatusOK, thing)).open("/api/t/things/1").has(`<title>Cup · Read a thing · Things</title>`, `<h1>Cup</h1>`)
	setup(t, answering(http.StatusOK, `{"name":" ","email":"<b>@example.com"}`)).open("/api/t/things/1").has(`<h1>&lt;b&gt;@example.com</h1>`)
	setup(t, answering(http.StatusOK, `{"results":[],"name":"List"}`)).open("/api/t/things").has(`<title>List things · Things</title>`)
}

func TestPage_LeadsOnlyToWhatItsUserMayDo(t *testing.T) {
	t.Parallel()
	viewer := setup(t, as(account.APIAccess, "items.view"))
	viewer.open("/api/t/things").has(`data-op="listThings"`).lacks(`data-op="createThing"`, `data-op="createKey"`)
	setup(t, as()).open("/api/t/things").lacks(`data-op=`)
	// What may not be read may still be made, and what is not there may be begun.
	forbidden := failing(problem.New(problem.Forbidden, "This needs items.view."))
	setup(t, forbidden, as(account.APIAccess, "items.create")).open("/api/t/things").status(http.StatusForbidden).has(`id="createThing"`, "This needs items.view.")
	missing := failing(problem.New(problem.NotFound, "There is none."))
	setup(t, missing).open("/api/t/things/1").lacks(`id="patchThing"`, `id="deleteThing"`)
	setup(t, missing).open("/api/t/things/1/poke").has(`id="pokeThing"`)
}

func TestIndex_NamesFindsAndDocumentsOperations(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.open("/api/t/").has(`All about <em>things</em>`, `List things`, `href="/api/t/things#createThing"`, `href="/api/t/?op=deleteThing"`).lacks(`<script>alert`, `javascript:`)
	p := s.open("/api/t/?q=DELETE+thing").has(`1 operation mentions “DELETE thing”`, `Delete a thing`)
	if strings.Contains(p.main(), ">Replace a thing<") {
		t.Error("it finds what was not asked for")
	}
	s.open("/api/t/?q=%22%3E%3Cscript%3E").has(`0 operations mention “&#34;&gt;&lt;script&gt;”`).lacks(`"><script>`)
	s.open("/api/t/?q=x&op=nothing&other=1")
	if got := s.last().URL.RawQuery; got != "other=1" {
		t.Errorf("the API was asked %q", got)
	}
}

func TestFilter_BecomesTheQueryThatAClientWouldWrite(t *testing.T) {
	t.Parallel()
	s := setup(t)
	form := url.Values{"_filter": {"1"}, "sort": {""}, "kind": {"solid", "liquid"}, "since": {"2026-01-02T03:04"}, "tags": {"a, b"}, "limit": {" 5 "},
		"_key.metadata.": {"year", "", "x&y"}, "_value.metadata.": {"1927", "nothing", "a b"}, "after": {""}, "unknown": {"x"}}
	p := s.open("/api/t/things?" + form.Encode()).status(http.StatusSeeOther)
	const want = "/api/t/things?kind=solid,liquid&limit=5&metadata.x%26y=a+b&metadata.year=1927&since=2026-01-02T03:04:00Z&tags=a,b"
	if got := p.Header().Get("Location"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(s.asked) > 0 {
		t.Error("the API was asked")
	}
	s.open(want).has(`<summary>Filter and sort <code>kind=solid,liquid</code> <code>limit=5</code> <code>metadata.x&amp;y=a b</code>`, `value="liquid" checked`, `value="2026-01-02T03:04:00"`, `value="a,b"`, `value="year" placeholder="KEY"`, `value="1927" placeholder="value"`)
}

func TestFilter_ErrorsStandAtTheirParameters(t *testing.T) {
	t.Parallel()
	s := setup(t, failing(problem.Invalid(problem.InvalidInput, problem.Fault{Parameter: "limit", Detail: "must be at most 200"},
		problem.Fault{Parameter: "metadata.x", Detail: "is no field"}, problem.Fault{Parameter: "odd", Detail: "unknown parameter"})))
	s.open("/api/t/things?limit=999&since=never&odd=%3Cb%3E").status(http.StatusBadRequest).has(
		`<details class="panel" id="filter" open>`, `id="listThings-limit-error">must be at most 200</p>`, `aria-invalid="true"`, `value="999"`,
		`value="never"`, `is no field</p>`, `<a data-opens href="#listThings-limit">`, `INVALID_INPUT`, `<code>odd</code> unknown parameter`)
}

func TestErrors_ArePagesToo(t *testing.T) {
	t.Parallel()
	setup(t, failing(problem.New(problem.NotFound, "There is no <b>such</b> thing."))).open("/api/t/things/1").status(http.StatusNotFound).
		has(`NOT_FOUND`, `There is no &lt;b&gt;such&lt;/b&gt; thing.`, `404 Not Found`).lacks(`id="patchThing"`)
	signedOut := func(s *site) { s.actor = nil }
	p := setup(t, signedOut).open("/api/t/things").status(http.StatusUnauthorized).has(`UNAUTHENTICATED`).lacks(`id="createThing"`)
	if !strings.HasPrefix(p.Header().Get("WWW-Authenticate"), "Basic") {
		t.Errorf("a browser is not asked to sign in: %v", p.Header())
	}
	// Where there is a page to sign in on, a browser is led there; not with a form, which it would lose, nor with credentials, which it would keep.
	login := setup(t, signedOut, func(s *site) { s.options.LoginURL = "/login" })
	if got := login.open("/api/t/things?a=1&b=2").status(http.StatusSeeOther).Header().Get("Location"); got != "/login?next=%2Fapi%2Ft%2Fthings%3Fa%3D1%26b%3D2" {
		t.Errorf("a browser is led to %s", got)
	}
	if got := login.open("/api/t/things?a=1&format=json").status(http.StatusSeeOther).Header().Get("Location"); got != "/login?next=%2Fapi%2Ft%2Fthings%3Fa%3D1%26format%3Djson" {
		t.Errorf("a browser that wants JSON is led to %s", got)
	}
	login.do(http.MethodGet, "/api/t/things?format=json", "", "Accept", "*/*").status(http.StatusUnauthorized)
	for _, p := range []page{login.post("/api/t/things", url.Values{"body.name": {"x"}}), login.do(http.MethodGet, "/api/t/things", "", "Accept", browser, "Authorization", "Basic YTpi")} {
		p.status(http.StatusUnauthorized).has(`href="/login?next=%2Fapi%2Ft%2Fthings"`)
		if p.Header().Get("WWW-Authenticate") != "" {
			t.Error("the browser's own box opens over the page")
		}
	}
	// An address that is only written to is a form.
	setup(t, func(s *site) {
		s.answer = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", "POST")
			contract.WriteProblem(w, r, problem.New(problem.MethodNotAllowed, "This address takes POST."))
		}
	}).open("/api/t/things/1/poke").status(http.StatusMethodNotAllowed).has(`<h1>Poke a thing</h1>`, `id="pokeThing" open`, `name="query.hard"`)
	// A panic, and what never comes to an operation.
	setup(t, func(s *site) { s.answer = func(http.ResponseWriter, *http.Request) { panic("x") } }).open("/api/t/things").
		status(http.StatusInternalServerError).has(`INTERNAL`, `<!doctype html>`)
}

func TestOptions_DescribeAnAddress(t *testing.T) {
	t.Parallel()
	s := setup(t)
	p := s.do(http.MethodOptions, "/api/t/things/1", "").status(http.StatusOK)
	if got := p.Header().Get("Allow"); got != "GET, HEAD, PUT, PATCH, DELETE, OPTIONS" {
		t.Errorf("Allow: %s", got)
	}
	var told struct {
		OpenAPI    string
		Paths      map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(p.Body.Bytes(), &told); err != nil || told.OpenAPI != "3.1.0" || len(told.Paths) != 1 || told.Paths["/things/{id}"]["patch"] == nil {
		t.Errorf("%v: %s", err, p.text)
	}
	if told.Components.Schemas["Kind"] == nil || told.Components.Schemas["ThingPatch"] == nil || told.Components.Schemas["Key"] != nil {
		t.Errorf("components: %s", p.text)
	}
	s.post("/api/t/things/1", url.Values{"_method": {"OPTIONS"}}).status(http.StatusOK).has(`<h1>OPTIONS /api/t/things/1</h1>`, `</b> /api/t/things/1</code>`, `<dt>Allow</dt>`)
}

func TestStreams_DoNotHoldAPageUp(t *testing.T) {
	t.Parallel()
	s := setup(t, func(s *site) {
		s.answer = func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				return
			}
			t.Error("a page opened a stream")
		}
	})
	s.open("/api/t/events").status(http.StatusOK)

	lines := 0
	s = setup(t, func(s *site) {
		s.answer = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-ndjson")
			for lines = 1; ; lines++ {
				if _, err := fmt.Fprintf(w, "{\"line\":%d,\"text\":\"<é>\"}\n", lines); err != nil {
					panic(http.ErrAbortHandler)
				}
			}
		}
	})
	p := s.open("/api/t/things/export").status(http.StatusOK).has(`These are the first 65.5 kB`, `href="/api/t/things/export?format=json"`, `{&#34;line&#34;:1,&#34;text&#34;:&#34;&lt;é&gt;&#34;}`)
	if lines > 5000 || len(p.text) > 500_000 {
		t.Errorf("%d lines, a page of %d bytes", lines, len(p.text))
	}
}

func TestPage_ShowsTheBeginningOfWhatIsLarge(t *testing.T) {
	t.Parallel()
	body := `{"results":["` + strings.Repeat("é", 1_000_000) + `"]}`
	p := setup(t, answering(http.StatusOK, body)).open("/api/t/things").status(http.StatusOK).has(`These are the first 1.0 MB of 2.0 MB`)
	if got := p.body(); !strings.HasPrefix(body, got) || len(got) < 1_000_000 {
		t.Errorf("%d bytes are shown", len(got))
	}
	setup(t, answering(http.StatusOK, "\xff\xfe")).open("/api/t/things").has(`This is not text.`)
}

func BenchmarkNew(b *testing.B) {
	document, err := contract.Load(openapi.Files, "core.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := browse.New(document, browse.Options{PublicURL: publicURL}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestNew_AllDocuments holds for every document that is served: there is a page for each of its operations.
func TestNew_AllDocuments(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(openapi.Files, "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("%v: %v", names, err)
	}
	for _, name := range names {
		document, err := contract.Load(openapi.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		pages, err := browse.New(document, browse.Options{PublicURL: publicURL})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		everyone := func(_ http.ResponseWriter, r *http.Request) (*http.Request, error) {
			return r.WithContext(account.WithActor(r.Context(), account.Actor{Permissions: account.All()})), nil
		}
		s := &site{t: t, Handler: pages.Around(everyone, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, `{}`) }))}
		for path, item := range document.Spec().Paths.Map() {
			p := s.open(document.Base() + strings.NewReplacer("{", "", "}", "").Replace(path)).status(http.StatusOK)
			for method, op := range item.Operations() {
				if method != http.MethodGet {
					p.has(`id="` + op.OperationID + `"`)
				}
				s.open(document.Base() + "/?op=" + op.OperationID).has(html.EscapeString(op.Summary))
			}
		}
	}
}

// A page is to cost little more than its answer.
func BenchmarkPage(b *testing.B) {
	item := func(i int) string {
		return `{"id":"` + strconv.Itoa(i) + `","url":"` + publicURL + `/api/t/things/` + strconv.Itoa(i) + `","name":"Thing <b>","tags":["a","b"],"metadata":{"year":1927},` +
			strings.Repeat(`"field":"some text of a thing",`, 18) + `"revision":3}`
	}
	var items []string
	for i := range 50 {
		items = append(items, item(i))
	}
	for name, c := range map[string][2]string{"thing": {"/api/t/things/1", item(1)}, "50things": {"/api/t/things", `{"results":[` + strings.Join(items, ",") + `],"next":null}`}} {
		s := setup(b, answering(http.StatusOK, c[1], "ETag", `"3"`))
		for form, accept := range map[string]string{"page": browser, "JSON": "*/*"} {
			b.Run(name+"/"+form, func(b *testing.B) {
				for b.Loop() {
					s.asked = nil
					s.do(http.MethodGet, c[0], "", "Accept", accept)
				}
			})
		}
	}
}
