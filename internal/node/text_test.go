package node_test

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// A receiver that parses a document and writes it again, before it verifies the signature, gets the same bytes.
func TestText_IsWrittenAsItIsAtEveryExit(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	url, deliveries := nodetest.StartReceiver(t)
	n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+url+`","events":["item.created"]}`).
		WantStatus(t, http.StatusCreated)
	follow := n.StreamChanges("")
	follow.Begin()
	cursor := n.Changes("").Cursor

	const name = "Q&A <b>\u2028\u2029</b>"
	const clientData = `{"z":1.10,"a":"<&>","\u0026":"\u0026\/\u00e9","n":{"b":1e2,"<":2}}`
	spaced := strings.NewReplacer(",", " , ", "{", "{ ").Replace(clientData)
	created := n.Call(http.MethodPost, "/api/v1/items", `{"name":"`+name+`","client_data":`+spaced+`}`).
		WantStatus(t, http.StatusCreated)
	path := "/api/v1/items/" + created.Field(t, "id")
	for _, text := range []string{`"name":"` + name + `"`, `"client_data":` + clientData + `,`} {
		if !bytes.Contains(created.Body, []byte(text)) {
			t.Errorf("the document lacks %s: %s", text, created.Body)
		}
	}
	for exit, body := range map[string][]byte{
		"GET":         n.Call(http.MethodGet, path, "").Body,
		"list":        n.Call(http.MethodGet, "/api/v1/items", "").Body,
		"export":      n.Call(http.MethodGet, "/api/v1/items/export", "").Body,
		"hook":        nodetest.Next(t, deliveries).Body,
		"changes":     n.Call(http.MethodGet, "/api/v1/changes?wait=10&after="+cursor, "").Body,
		"history":     n.Call(http.MethodGet, path+"/history", "").Body,
		"EventSource": []byte(follow.NextChange().Data),
		"GraphQL": n.GraphQL(`query($id: ID!) { item(id: $id) { history { nodes { document } } } }`,
			map[string]string{"id": created.Field(t, "id")}),
	} {
		if !bytes.Contains(body, created.Body) {
			t.Errorf("%s has other bytes: %s", exit, body)
		}
	}
	patched := n.Call(http.MethodPatch, path, `{"client_data":{"n":{"\u003e":"\u003e"},"z":null}}`).
		WantStatus(t, http.StatusOK)
	if want := `{"a":"<&>","\u0026":"\u0026\/\u00e9","n":{"b":1e2,"<":2,"\u003e":"\u003e"}}`; !bytes.Contains(
		patched.Body, []byte(want)) {
		t.Errorf("a patch of client_data gives %s, want %s", patched.Body, want)
	}
	exported := n.Call(http.MethodGet, "/api/v1/items/export", "").Body
	n.Call(http.MethodPost, "/api/v1/items/import", string(exported), "Content-Type", "application/x-ndjson").
		WantStatus(t, http.StatusOK)
	if got := n.Call(http.MethodGet, path, ""); !bytes.Equal(got.Body, patched.Body) {
		t.Errorf("an import of the export changed the item to %s", got.Body)
	}
	n.Call(http.MethodPost, "/api/v1/roles", `{"name":"R&D","permissions":[]}`).WantStatus(t, http.StatusCreated)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"c","kind":"choice","choices":["A&B"]}`).
		WantStatus(t, http.StatusCreated)
	for path, want := range map[string]string{
		"/api/v1/roles":                        `"R&D"`,
		"/api/v1/metadata-fields":              `"A&B"`,
		"/api/v1/items?limit=1&metadata.c=no":  "must be one of A&B",
		"/api/v1/changes?search=a%26b&limit=1": "limit=1&search=a%26b",
	} {
		if body := n.Call(http.MethodGet, path, "").Body; !bytes.Contains(body, []byte(want)) {
			t.Errorf("%s lacks %s: %s", path, want, body)
		}
	}
}

// A rendering of a revision that differs from what clients have cached has another ETag; a write does not depend on it.
func TestText_AnotherRenderingHasAnotherETag(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	path := "/api/v1/items/" + n.Call(http.MethodPost, "/api/v1/items", `{"name":"Q&A"}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	stale := func(document string) {
		t.Helper()
		if _, err := n.Pool.Exec(t.Context(), "UPDATE item SET document_version = 0, document = "+document); err != nil {
			t.Fatal(err)
		}
	}
	get := func(etag string) nodetest.Response {
		t.Helper()
		return n.Call(http.MethodGet, path, "", "If-None-Match", etag)
	}
	get(`"1"`).WantStatus(t, http.StatusNotModified)
	stale("document")
	get(`"1"`).WantStatus(t, http.StatusNotModified) // the same bytes
	stale(`convert_to(replace(convert_from(document, 'UTF8'), '&', '\u0026'), 'UTF8')`)
	unchanged := n.Call(http.MethodPatch, path, `{}`).WantStatus(t, http.StatusOK)
	got := get(`"1"`).WantStatus(t, http.StatusOK)
	for _, answer := range []nodetest.Response{unchanged, got} {
		if etag := answer.Header.Get("ETag"); etag != `"1.3"` || !bytes.Contains(answer.Body, []byte("Q&A")) {
			t.Errorf("the new rendering has the ETag %s: %s", etag, answer.Body)
		}
	}
	get(`"1.3"`).WantStatus(t, http.StatusNotModified)
	stale(`convert_to(replace(convert_from(document, 'UTF8'), '&', '\u0026'), 'UTF8')`)
	if etag := get(`"1.3"`).WantStatus(t, http.StatusOK).Header.Get("ETag"); etag != `"1.4"` {
		t.Errorf("a third rendering has the ETag %s", etag)
	}
	for revision, etag := range []string{`"1"`, `"2"`} {
		changed := n.Call(http.MethodPatch, path, fmt.Sprintf(`{"name":"%d"}`, revision), "If-Match", etag).
			WantStatus(t, http.StatusOK)
		if want := fmt.Sprintf(`"%d"`, revision+2); changed.Header.Get("ETag") != want {
			t.Errorf("after a change the ETag is %s, want %s", changed.Header.Get("ETag"), want)
		}
	}
	n.Call(http.MethodPatch, path, `{"name":"x"}`, "If-Match", `"3.2"`).WantStatus(t, http.StatusOK)
	n.Call(http.MethodPatch, path, `{"name":"y"}`, "If-Match", `"3.2"`).WantStatus(t, http.StatusPreconditionFailed)
}

// Times of equal length sort as text, and all exits agree.
func TestTimes_AlwaysHaveSixFractionalDigits(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	path := "/api/v1/items/" + n.Call(http.MethodPost, "/api/v1/items", `{"name":"a","privacy":"public"}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+nodetest.RefusingURL(t)+`"}`).WantStatus(t, http.StatusCreated)
	n.Call(http.MethodPatch, path, `{"name":"b"}`).WantStatus(t, http.StatusOK)
	for _, statement := range []string{
		"UPDATE item SET created_at = date_trunc('second', now()), updated_at = date_trunc('second', now()), " +
			"published_at = date_trunc('second', now()), document_version = 0",
		"UPDATE item_change SET occurred_at = date_trunc('second', now())",
		"UPDATE app_user SET created_at = date_trunc('second', now()), updated_at = date_trunc('second', now())",
		"UPDATE hook SET created_at = date_trunc('second', now()), updated_at = date_trunc('second', now())",
	} {
		if _, err := n.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	anyTime, six := regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*"`), regexp.MustCompile(`\.\d{6}Z"$`)
	for exit, body := range map[string][]byte{
		"document": n.Call(http.MethodGet, path, "").Body,
		"list":     n.Call(http.MethodGet, "/api/v1/items", "").Body,
		"history":  n.Call(http.MethodGet, path+"/history", "").Body,
		"users":    n.Call(http.MethodGet, "/api/v1/users", "").Body,
		"hooks":    n.Call(http.MethodGet, "/api/v1/hooks", "").Body,
		"audit":    n.Call(http.MethodGet, "/api/v1/audit", "").Body,
		"GraphQL": n.GraphQL(`{ items { nodes { createdAt updatedAt publishedAt history { nodes { occurredAt } } } }
			hooks { nodes { createdAt } } }`, nil),
	} {
		times := anyTime.FindAll(body, -1)
		if len(times) == 0 {
			t.Errorf("%s has no time: %s", exit, body)
		}
		for _, at := range times {
			if !six.Match(at) {
				t.Errorf("%s has the time %s", exit, at)
			}
		}
	}
}
