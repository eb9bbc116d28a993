package core_test

import (
	"fmt"
	"net/http"
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestMetadataFields_IfMatchChecksTheRevision(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	made := n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number"}`).
		WantStatus(t, http.StatusCreated)
	if made.Header.Get("ETag") != `"1"` || fmt.Sprint(made.Object(t)["revision"]) != "1" {
		t.Errorf("of a new field, the ETag is %s: %s", made.Header.Get("ETag"), made.Body)
	}
	path := "/api/v1/metadata-fields/" + made.Field(t, "id")
	if got := made.Header.Get("Location"); got != n.URL+path {
		t.Errorf("the location is %s, want %s", got, n.URL+path)
	}
	for _, step := range []struct{ method, body, etag string }{
		{http.MethodGet, "", `"1"`},
		{http.MethodPatch, `{"label":"Year"}`, `"2"`},
		{http.MethodPatch, `{"label":"Year"}`, `"2"`}, // no change
		{http.MethodPatch, `{"required":true}`, `"3"`},
		{http.MethodGet, "", `"3"`},
	} {
		got := n.Call(step.method, path, step.body).WantStatus(t, http.StatusOK)
		if got.Header.Get("ETag") != step.etag || `"`+fmt.Sprint(got.Object(t)["revision"])+`"` != step.etag {
			t.Errorf("%s %s: the ETag is %s, want %s: %s",
				step.method, step.body, got.Header.Get("ETag"), step.etag, got.Body)
		}
	}
	n.WantNoWrites(func() {
		for _, method := range []string{http.MethodPatch, http.MethodDelete} {
			body := map[string]string{http.MethodPatch: `{"label":"Theirs"}`}[method]
			got := n.Call(method, path, body, "If-Match", `"2"`).
				WantProblem(t, method, http.StatusPreconditionFailed, "REVISION_MISMATCH")
			if got.Header.Get("ETag") != `"3"` {
				t.Errorf("%s: the ETag is %s, want the current one", method, got.Header.Get("ETag"))
			}
			n.Call(method, path, body, "If-Match", `3`).WantProblem(t, method, http.StatusBadRequest, "INVALID_INPUT")
		}
	})
	got := n.Call(http.MethodPatch, path, `{"label":"Ours"}`, "If-Match", `"3"`).WantStatus(t, http.StatusOK)
	if got.Header.Get("ETag") != `"4"` || got.Field(t, "label") != "Ours" {
		t.Errorf("the ETag is %s: %s", got.Header.Get("ETag"), got.Body)
	}
	n.Call(http.MethodDelete, path, "", "If-Match", `"4"`).WantStatus(t, http.StatusNoContent)
	n.Call(http.MethodGet, path, "").WantProblem(t, "deleted", http.StatusNotFound, "NOT_FOUND")
}
