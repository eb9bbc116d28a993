package node_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"itemcast/internal/node/nodetest"
)

// checkpoints returns the cursors that a client can get without seeing a change.
func checkpoints(t *testing.T, c *nodetest.Client) map[string]string {
	t.Helper()
	var data struct{ Items struct{ ChangeCursor string } }
	if err := json.Unmarshal(c.GraphQL(`{ items(first: 1) { changeCursor } }`, nil), &data); err != nil {
		t.Fatal(err)
	}
	list := c.Call(http.MethodGet, "/api/v1/items?limit=1", "").WantStatus(t, http.StatusOK)
	return map[string]string{
		"list": list.Header.Get("Itemcast-Change-Cursor"), "changeCursor": data.Items.ChangeCursor, "changes": c.Changes("").Cursor,
		"event stream": c.StreamChanges("").Begin(),
	}
}

// A client that asks again and again must not learn when something changes that its token does not show.
func TestTokens_ACursorIsNoClockOfHiddenWork(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	_, token := makeToken(t, n.Client, `{"tags":["rare"]}`, writing...)
	before, after := checkpoints(t, token), checkpoints(t, token)
	n.CreateItem(`{"name":"hidden"}`)
	token.CreateItem(`{"name":"shown","tags":["rare"]}`)
	for name := range before {
		if before[name] == after[name] || len(before[name]) != 32 {
			t.Errorf("%s: %q and %q while nothing happens", name, before[name], after[name])
		}
		for _, cursor := range []string{before[name], after[name]} {
			if got := token.AwaitChanges(cursor, 1).Results; len(got) != 1 || got[0].Kind != "CREATED" {
				t.Errorf("%s: after it come %v", name, got)
			}
		}
	}
}

// Nor does a full page tell that hidden changes follow it.
func TestTokens_AFullPageHasMoreOnlyOfWhatTheTokenShows(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	_, token := makeToken(t, n.Client, `{"tags":["rare"]}`, writing...)
	start := token.Changes("").Cursor
	token.CreateItem(`{"name":"shown","tags":["rare"]}`)
	n.CreateItem(`{"name":"hidden"}`)
	token.AwaitChanges(start, 1)
	nodetest.Eventually(t, "the log has both", func() bool { return len(n.Changes("?after="+start).Results) == 2 })
	if page := token.Changes("?limit=1&after=" + start); len(page.Results) != 1 || page.More {
		t.Errorf("got %+v", page)
	}
	token.CreateItem(`{"name":"shown too","tags":["rare"]}`)
	token.AwaitChanges(start, 2)
	if page := token.Changes("?limit=1&after=" + start); len(page.Results) != 1 || !page.More {
		t.Errorf("got %+v", page)
	}
}
