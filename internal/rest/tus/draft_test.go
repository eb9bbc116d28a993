package tus_test

import (
	"bytes"
	"net/http"
	"testing"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/rest/tus"
)

// The IETF's drafts are spoken only if the operator allows them.
func TestTus_DraftsNeedTheOperator(t *testing.T) {
	t.Parallel()
	content := clip(50_000)
	draft := []string{"Tus-Resumable", "", "Upload-Draft-Interop-Version", "6", "Content-Type", "video/mp4"}
	n := nodetest.Start(t)
	in := newInbox(t, n, nil)
	call(t, http.MethodPost, n.URL+tus.Path, bytes.NewReader(content), append(append(in.sign(t, in.claims()), draft...),
		"Upload-Complete", "?1")...).WantProblem(t, "without the setting", http.StatusPreconditionFailed, "UNSUPPORTED_VERSION")

	n = nodetest.StartWithDrafts(t)
	in = newInbox(t, n, nil)
	headers := append(append(in.sign(t, in.claims()), draft...), "Content-Disposition", `attachment; filename="a.mp4"`)
	got := call(t, http.MethodPost, n.URL+tus.Path, bytes.NewReader(content), append(headers, "Upload-Complete", "?1")...).
		WantStatus(t, http.StatusCreated)
	if item := wantItem(t, n, got, content); item.Field(t, "name") != "a.mp4" {
		t.Errorf("made %s", item.Body)
	}

	headers = append(in.sign(t, in.claims()), draft...)
	got = call(t, http.MethodPost, n.URL+tus.Path, bytes.NewReader(content[:20_000]), append(headers, "Upload-Complete", "?0",
		"Upload-Length", "50000")...).WantStatus(t, http.StatusCreated)
	url := got.Header.Get("Location")
	head := call(t, http.MethodHead, url, nil, draft[:4]...).WantStatus(t, http.StatusNoContent)
	if head.Header.Get("Upload-Offset") != "20000" || head.Header.Get("Upload-Complete") != "?0" {
		t.Errorf("HEAD: %v", head.Header)
	}
	got = call(t, http.MethodPatch, url, bytes.NewReader(content[20_000:]), "Tus-Resumable", "", "Upload-Draft-Interop-Version", "6",
		"Content-Type", "", "Content-Type", "application/partial-upload", "Upload-Offset", "20000", "Upload-Complete", "?1").
		WantStatus(t, http.StatusNoContent)
	wantItem(t, n, got, content)

	call(t, http.MethodPost, n.URL+tus.Path, bytes.NewReader(content), append(append(in.sign(t, in.claims()), draft...),
		"Upload-Complete", "?0")...).WantProblem(t, "without a length", http.StatusBadRequest, "BAD_REQUEST")
}
