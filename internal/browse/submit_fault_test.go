package browse_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"itemcast/internal/problem"
)

func TestRaw_SendsItsTextAsItIs(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	values := s.open("/api/t/things/1").form("replaceThing", rawForm)
	content := values.Get("_content")
	if !strings.Contains(content, `"count": 12345678901234567890.50`) || strings.Contains(content, "revision") {
		t.Errorf("the editor has %s", content)
	}
	const text = "{ \"name\":\r\n \"x\" ,, }"
	values.Set("_content", text)
	failing(problem.New(problem.InvalidJSON, "No."))(s)
	p := s.post("/api/t/things/1", values).status(http.StatusBadRequest).has(`INVALID_JSON`, `&#34;name&#34;:`)
	if got := s.last().body; got != "{ \"name\":\n \"x\" ,, }" {
		t.Errorf("sent %q", got)
	}
	if got := p.form("replaceThing", rawForm).Get("_content"); got != text {
		t.Errorf("the editor then has %q", got)
	}
	s.open("/api/t/things").has(`&#34;name&#34;: &#34;Cup&#34;`)
}

func TestFaults_AreShownAtTheirFieldsWithWhatWasTyped(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	values := s.open("/api/t/things/1").form("patchThing", fieldsForm)
	values.Set("body.name", `"><script>alert(1)</script>`)
	values.Set("body.tags", "</textarea><script>alert(2)</script>")
	failing(problem.Invalid(problem.InvalidInput,
		problem.Fault{Pointer: "#/name", Detail: "is too odd"},
		problem.Fault{Pointer: "#/tags/0", Detail: "is odd too"},
		problem.Fault{Pointer: "#/elsewhere", Detail: "is unknown"}))(s)
	p := s.post("/api/t/things/1", values).status(http.StatusBadRequest).has(
		`id="patchThing-name-error">is too odd</p>`, `id="patchThing-tags-error">/0 is odd too</p>`,
		`<a data-opens href="#patchThing-name">`, `<code>#/elsewhere</code> is unknown`,
		`id="patchThing" open`, `href="/api/t/things/1">← Back</a>`).lacks(`<script>alert`)
	again := p.form("patchThing", fieldsForm)
	for _, name := range []string{"body.name", "body.tags", "body.note", "_etag", "_was"} {
		if again.Get(name) != values.Get(name) {
			t.Errorf("%s: %q became %q", name, values.Get(name), again.Get(name))
		}
	}

	// A field that cannot be JSON is reported in the same way, and nothing is sent.
	before := len(s.requests)
	values.Set("body.metadata", `{"year":`)
	s.post("/api/t/things/1", values).status(http.StatusBadRequest).
		has(`id="patchThing-metadata-error">must be JSON`, `{&#34;year&#34;:</textarea>`)
	if len(s.requests) != before {
		t.Error("the API received a request")
	}
}

func TestForm_SurvivesHostileInput(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 100_000)
	deepObject := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	deepArray := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	for name, values := range map[string]url.Values{
		"a deep field":          {"body.metadata": {deep}},
		"a deep number":         {"body.count": {deep}},
		"deep raw text":         {"_content": {deep}},
		"a deep earlier object": {"body.metadata": {`{"a":2}`}, "_was": {`{"metadata":` + deepObject + `}`}},
		"a deep earlier number": {"body.count": {"1"}, "_was": {`{"count":` + deepArray + `}`}},
	} {
		values.Set("_method", "PATCH")
		s := setup(t, failing(problem.New(problem.InvalidInput, "It is too deep.")))
		text := strings.ReplaceAll(values.Encode(), "%5B", "[") // as an attacker saves the escapes
		p := s.postText("/api/t/things/1", text)
		if p.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, p.Code)
		}
		if name == "a deep field" {
			p.has("must be JSON: the value is nested deeper than 64 levels")
		}
	}
	s := setup(t, failing(problem.New(problem.InvalidInput, "It has too much.")))
	p := s.post("/api/t/things/1", url.Values{"_method": {"PATCH"}, "body.tags": {strings.Repeat("x\n", 100_000)}})
	if p.has("--data-binary @BODY"); len(p.text) > 600_000 {
		t.Errorf("the page has %d bytes", len(p.text))
	}
}

func TestConflict_ShowsWhatOthersChangedAndRetainsWhatTheUserTyped(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`))
	values := s.open("/api/t/things/1").form("patchThing", fieldsForm)
	values.Set("body.name", "Mine")
	theirs := strings.NewReplacer(`"Cup"`, `"Theirs"`, `"solid"`, `"liquid"`).Replace(thing)
	s.respond = func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			problems.Write(w, r,
				&problem.Error{Code: problem.RevisionMismatch, Detail: "It has revision 4 by now.", Revision: 4})
			return
		}
		writeJSON(w, http.StatusOK, theirs, "ETag", `"4"`)
	}
	const solidToLiquid = `<code>kind</code></th><td><code>&#34;solid&#34;</code></td>` +
		`<td><code>&#34;liquid&#34;</code></td><td></td>`
	p := s.post("/api/t/things/1", values).status(http.StatusPreconditionFailed).has(`REVISION_MISMATCH`,
		`What others changed since you loaded it`, solidToLiquid,
		`<code>&#34;Theirs&#34;</code></td><td><strong>You changed it too</strong>`)
	answering(http.StatusOK, thing)(s)
	s.post("/api/t/things/1", p.form("patchThing", fieldsForm))
	if r := s.last(); r.body != `{"name":"Mine"}` || r.Header.Get("If-Match") != `"4"` {
		t.Errorf("sent again: %s %s", r.body, r.Header.Get("If-Match"))
	}
}
