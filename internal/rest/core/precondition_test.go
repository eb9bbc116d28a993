package core_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestPrecondition_AWriteChangesOnlyTheRevisionOfIfMatch(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	path := "/api/v1/items/" + n.CreateItem(`{"name":"a"}`)
	n.Call(http.MethodPatch, path, `{"name":"b"}`, "If-Match", `"1"`).WantStatus(t, http.StatusOK)
	n.WantNoWrites(func() {
		for _, tag := range []string{`"1"`, `W/"2"`, `"1", "3"`, `"x"`, `""`, `"2x"`, `"99999999999999999999999"`} {
			for method, body := range map[string]string{"PUT": `{"name":"c"}`, "PATCH": `{"name":"c"}`, "DELETE": ""} {
				got := n.Call(method, path, body, "If-Match", tag).
					WantProblem(t, method+" "+tag, http.StatusPreconditionFailed, "REVISION_MISMATCH")
				if got.Header.Get("ETag") != `"2"` {
					t.Errorf("%s %s: the ETag is %s, want the current one", method, tag, got.Header.Get("ETag"))
				}
			}
		}
		for _, tag := range []string{`1`, `2`, `"2`, `,`, `W/2`, `"2",`, `'2'`, "\"\xff"} {
			n.Call(http.MethodPatch, path, `{"name":"c"}`, "If-Match", tag).
				WantProblem(t, tag, http.StatusBadRequest, "INVALID_INPUT")
		}
	})
	const weak = `If-Match takes the strong ETag that GET returns: "2". ` +
		`Remove the prefix W/, which a proxy may have added.`
	for _, c := range []struct{ tag, detail string }{
		{`W/"2"`, weak},
		{`"1", W/"2"`, weak},
		{`W/"1"`, `The current revision is 2. Read it, and decide whether your change still applies.`},
		{`"1"`, `The current revision is 2. Read it, and decide whether your change still applies.`},
	} {
		for method, body := range map[string]string{"PUT": `{"name":"c"}`, "PATCH": `{"name":"c"}`, "DELETE": ""} {
			if got := n.Call(method, path, body, "If-Match", c.tag); got.Detail(t) != c.detail {
				t.Errorf("%s %s: got %s", method, c.tag, got.Body)
			}
		}
	}
	n.Call(http.MethodPatch, path, `{"name":"c"}`, "If-Match", `"7", W/"1", "2"`).WantStatus(t, http.StatusOK)
	n.Call(http.MethodPatch, path, `{"name":"d"}`, "If-Match", `*`).WantStatus(t, http.StatusOK)
	for tag, status := range map[string]int{`"4"`: 304, `W/"4"`: 304, `*`: 304, `"1", "4"`: 304, `"3"`: 200, `4`: 200} {
		if got := n.Call(http.MethodGet, path, "", "If-None-Match", tag).
			WantStatus(t, status); got.Header.Get("ETag") != `"4"` || status == 304 && len(got.Body) > 0 {
			t.Errorf("If-None-Match %s: %s %q", tag, got.Header.Get("ETag"), got.Body)
		}
	}
	n.Call(http.MethodDelete, path, "", "If-Match", `"4"`).WantStatus(t, http.StatusNoContent)
	n.Call(http.MethodPatch, path, `{"name":"e"}`, "If-Match", `*`).
		WantProblem(t, "deleted", http.StatusNotFound, "NOT_FOUND")
}

func TestPrecondition_AnIdempotencyKeyCreatesOneItem(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	first := n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Idempotency-Key", "k 1").
		WantStatus(t, http.StatusCreated)
	n.WantNoWrites(func() {
		again := n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Idempotency-Key", "k 1").
			WantStatus(t, http.StatusCreated)
		if !bytes.Equal(first.Body, again.Body) || first.Header.Get("ETag") != again.Header.Get("ETag") ||
			first.Header.Get("Location") != again.Header.Get("Location") {
			t.Errorf("the responses differ:\n%s\n%s", first.Body, again.Body)
		}
		for _, body := range []string{`{"name":"b"}`, `{"name":"a" }`} {
			n.Call(http.MethodPost, "/api/v1/items", body, "Idempotency-Key", "k 1").
				WantProblem(t, body, http.StatusUnprocessableEntity, "IDEMPOTENCY_KEY_REUSED")
		}
		n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"a","kind":"text"}`, "Idempotency-Key", "k 1").
			WantProblem(t, "another URL", http.StatusUnprocessableEntity, "IDEMPOTENCY_KEY_REUSED")
		n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Idempotency-Key", "\xff").
			WantProblem(t, "not UTF-8", http.StatusBadRequest, "INVALID_INPUT")
		n.Call(http.MethodPost, "/api/v1/items", `{"name":""}`, "Idempotency-Key", "k 2").
			WantProblem(t, "a failure", http.StatusBadRequest, "INVALID_INPUT")
		n.Call(http.MethodPost, "/api/v1/items", `{"name":" "}`, "Idempotency-Key", "k 2").
			WantProblem(t, "a failure inside", http.StatusUnprocessableEntity, "RULE_VIOLATED")
	})
	// failures do not use up the key
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"b"}`, "Idempotency-Key", "k 2").WantStatus(t, http.StatusCreated)
}

func TestPrecondition_PageTokensOfAnotherListAreRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := ""
	for range 3 {
		id = n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	}
	cursor := n.Call(http.MethodGet, "/api/v1/items?limit=1&sort=name", "").
		WantStatus(t, http.StatusOK).Link(t, "next").Query().Get("after")
	n.Call(http.MethodGet, "/api/v1/items?sort=name&after="+cursor, "").WantStatus(t, http.StatusOK)
	encode := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	for _, query := range []string{
		"sort=-name&after=" + cursor, "sort=created_at&after=" + cursor, "after=" + cursor,
		"sort=name&after=x", "sort=name&after=" + cursor[:len(cursor)-4], "sort=name&after=" + cursor + "=",
		"sort=name&before=!!", "sort=name&after=" + strings.ToUpper(cursor),
		"sort=name&after=" + encode(map[string]any{"s": "name", "n": "a\x00", "i": id}),
		"sort=name&after=" + encode(map[string]any{"s": "name", "i": id}),
		"sort=name&after=" + encode([]int{1}), "sort=name&after=" + encode(nil),
		"sort=name&after=" + encode(map[string]any{"s": "name", "n": 7, "i": "x"}),
		"sort=created_at&after=" + encode(map[string]any{"s": "created_at", "t": "0000-01-01T00:00:00Z", "i": id}),
		"sort=created_at&after=" + encode(map[string]any{"s": "created_at", "t": "infinity", "i": id}),
	} {
		n.Call(http.MethodGet, "/api/v1/items?"+query, "").
			WantProblem(t, query, http.StatusBadRequest, "INVALID_PAGE_TOKEN")
	}
	for _, path := range []string{"/api/v1/items/" + id + "/history?after=", "/api/v1/hooks?after="} {
		for _, cursor := range []string{"x", "-1", "0", "99999999999999999999", "1.5", "%ff%00", cursor} {
			if got := n.Call(http.MethodGet, path+cursor, ""); got.Status != http.StatusBadRequest {
				t.Errorf("%s%s: got %d %s", path, cursor, got.Status, got.Body)
			} else {
				got.WantNoInternals(t, path)
			}
		}
	}
	n.Call(http.MethodGet, "/api/v1/items?sort=name&after="+cursor+"&before="+cursor, "").
		WantProblem(t, "after and before", http.StatusBadRequest, "INVALID_INPUT")
}
