package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestPrecondition_OnlyTheRevisionThatWasSeenIsChanged(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	path := "/api/v1/items/" + n.call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).expect(t, http.StatusCreated).field(t, "id")
	n.call(http.MethodPatch, path, `{"name":"b"}`, "If-Match", `"1"`).expect(t, http.StatusOK)
	n.leavesNothing(func() {
		for _, tag := range []string{`"1"`, `W/"2"`, `"1", "3"`, `"x"`, `""`, `"2x"`, `"99999999999999999999999"`} {
			for method, body := range map[string]string{"PUT": `{"name":"c"}`, "PATCH": `{"name":"c"}`, "DELETE": ""} {
				got := n.call(method, path, body, "If-Match", tag).refused(t, method+" "+tag, http.StatusPreconditionFailed, "REVISION_MISMATCH")
				if got.header.Get("ETag") != `"2"` {
					t.Errorf("%s %s: the ETag is %s, want that of the revision there is", method, tag, got.header.Get("ETag"))
				}
			}
		}
		for _, tag := range []string{`1`, `2`, `"2`, `,`, `W/2`, `"2",`, `'2'`, "\"\xff"} {
			n.call(http.MethodPatch, path, `{"name":"c"}`, "If-Match", tag).refused(t, tag, http.StatusBadRequest, "INVALID_INPUT")
		}
	})
	for _, c := range []struct{ tag, detail string }{
		{`W/"2"`, `If-Match takes the strong ETag that GET returns: "2". Remove the prefix W/, which a proxy may have added.`},
		{`"1", W/"2"`, `If-Match takes the strong ETag that GET returns: "2". Remove the prefix W/, which a proxy may have added.`},
		{`W/"1"`, `The current revision is 2. Read it, and decide whether your change still applies.`},
		{`"1"`, `The current revision is 2. Read it, and decide whether your change still applies.`},
	} {
		for method, body := range map[string]string{"PUT": `{"name":"c"}`, "PATCH": `{"name":"c"}`, "DELETE": ""} {
			if got := n.call(method, path, body, "If-Match", c.tag); got.detail(t) != c.detail {
				t.Errorf("%s %s: got %s", method, c.tag, got.body)
			}
		}
	}
	n.call(http.MethodPatch, path, `{"name":"c"}`, "If-Match", `"7", W/"1", "2"`).expect(t, http.StatusOK)
	n.call(http.MethodPatch, path, `{"name":"d"}`, "If-Match", `*`).expect(t, http.StatusOK)
	for tag, status := range map[string]int{`"4"`: 304, `W/"4"`: 304, `*`: 304, `"1", "4"`: 304, `"3"`: 200, `4`: 200} {
		if got := n.call(http.MethodGet, path, "", "If-None-Match", tag).expect(t, status); got.header.Get("ETag") != `"4"` || status == 304 && len(got.body) > 0 {
			t.Errorf("If-None-Match %s: %s %q", tag, got.header.Get("ETag"), got.body)
		}
	}
	n.call(http.MethodDelete, path, "", "If-Match", `"4"`).expect(t, http.StatusNoContent)
	n.call(http.MethodPatch, path, `{"name":"e"}`, "If-Match", `*`).refused(t, "deleted", http.StatusNotFound, "NOT_FOUND")
}

func TestPrecondition_AnIdempotencyKeyMakesOneItem(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	first := n.call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Idempotency-Key", "k 1").expect(t, http.StatusCreated)
	n.leavesNothing(func() {
		again := n.call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Idempotency-Key", "k 1").expect(t, http.StatusCreated)
		if !bytes.Equal(first.body, again.body) || first.header.Get("ETag") != again.header.Get("ETag") || first.header.Get("Location") != again.header.Get("Location") {
			t.Errorf("the answers differ:\n%s\n%s", first.body, again.body)
		}
		for _, body := range []string{`{"name":"b"}`, `{"name":"a" }`} {
			n.call(http.MethodPost, "/api/v1/items", body, "Idempotency-Key", "k 1").refused(t, body, http.StatusUnprocessableEntity, "IDEMPOTENCY_KEY_REUSED")
		}
		n.call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"a","kind":"text"}`, "Idempotency-Key", "k 1").refused(t, "another URL", http.StatusUnprocessableEntity, "IDEMPOTENCY_KEY_REUSED")
		n.call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Idempotency-Key", "\xff").refused(t, "not UTF-8", http.StatusBadRequest, "INVALID_INPUT")
		n.call(http.MethodPost, "/api/v1/items", `{"name":""}`, "Idempotency-Key", "k 2").refused(t, "a failure", http.StatusBadRequest, "INVALID_INPUT")
		n.call(http.MethodPost, "/api/v1/items", `{"name":" "}`, "Idempotency-Key", "k 2").refused(t, "a failure inside", http.StatusUnprocessableEntity, "RULE_VIOLATED")
	})
	n.call(http.MethodPost, "/api/v1/items", `{"name":"b"}`, "Idempotency-Key", "k 2").expect(t, http.StatusCreated) // failures keep no key
}

// link is the URL that a list names next or previous; nil when there is none.
func (a answer) link(t *testing.T, name string) *url.URL {
	t.Helper()
	var links map[string]any
	if err := json.Unmarshal(a.body, &links); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	text, ok := links[name].(string)
	if !ok {
		return nil
	}
	link, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func TestPrecondition_CursorsOfAnotherListAreRefused(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	id := ""
	for range 3 {
		id = n.call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).expect(t, http.StatusCreated).field(t, "id")
	}
	cursor := n.call(http.MethodGet, "/api/v1/items?limit=1&sort=name", "").expect(t, http.StatusOK).link(t, "next").Query().Get("after")
	n.call(http.MethodGet, "/api/v1/items?sort=name&after="+cursor, "").expect(t, http.StatusOK)
	encode := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	for _, query := range []string{
		"sort=-name&after=" + cursor, "sort=created_at&after=" + cursor, "after=" + cursor, "sort=name&after=x", "sort=name&after=" + cursor[:len(cursor)-4], "sort=name&after=" + cursor + "=",
		"sort=name&before=!!", "sort=name&after=" + strings.ToUpper(cursor), "sort=name&after=" + encode(map[string]any{"s": "name", "n": "a\x00", "i": id}), "sort=name&after=" + encode(map[string]any{"s": "name", "i": id}),
		"sort=name&after=" + encode([]int{1}), "sort=name&after=" + encode(nil), "sort=name&after=" + encode(map[string]any{"s": "name", "n": 7, "i": "x"}),
		"sort=created_at&after=" + encode(map[string]any{"s": "created_at", "t": "0000-01-01T00:00:00Z", "i": id}), "sort=created_at&after=" + encode(map[string]any{"s": "created_at", "t": "infinity", "i": id}),
	} {
		n.call(http.MethodGet, "/api/v1/items?"+query, "").refused(t, query, http.StatusBadRequest, "INVALID_CURSOR")
	}
	for _, path := range []string{"/api/v1/items/" + id + "/history?after=", "/api/v1/hooks?after="} {
		for _, cursor := range []string{"x", "-1", "0", "99999999999999999999", "1.5", "%ff%00", cursor} {
			if got := n.call(http.MethodGet, path+cursor, ""); got.status != http.StatusBadRequest {
				t.Errorf("%s%s: got %d %s", path, cursor, got.status, got.body)
			} else {
				got.leaksNothing(t, path)
			}
		}
	}
	n.call(http.MethodGet, "/api/v1/items?sort=name&after="+cursor+"&before="+cursor, "").refused(t, "after and before", http.StatusBadRequest, "INVALID_INPUT")
}
