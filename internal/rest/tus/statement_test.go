package tus_test

import (
	"net/http"
	"testing"

	"itemcast/internal/node/nodetest"
)

// A piece of a file costs three round trips to Postgres beside its bytes: hold, count, let go. HEAD costs two.
func TestTus_APieceCostsThreeStatements(t *testing.T) {
	t.Parallel()
	n, trace := nodetest.StartTraced(t)
	in := newInbox(t, n, nil)
	content := clip(10_000)
	url := create(t, n, len(content), in.sign(t, in.claims())...)
	patch(t, url, 0, content[:5000]).WantStatus(t, http.StatusNoContent) // also records its segment
	names := trace.During(func() { patch(t, url, 5000, content[5000:9000]).WantStatus(t, http.StatusNoContent) })
	if len(names) != 3 {
		t.Errorf("PATCH sends %v", names)
	}
	if names = trace.During(func() { offset(t, url) }); len(names) != 2 {
		t.Errorf("HEAD sends %v", names)
	}
}
