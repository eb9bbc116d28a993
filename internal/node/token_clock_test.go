package node_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

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

// An item's history has no next page when only hidden changes follow, and does not name the fields that the first
// visible change altered in the hidden version. Nor do ENTERED and LEFT, or a filter of fields.
func TestTokens_AHistoryEndsWithTheLastVisibleChange(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	_, token := makeToken(t, n.Client, `{"tags":["rare"]}`, writing...)
	start := token.Changes("").Cursor
	id := n.CreateItem(`{"name":"hidden"}`)
	n.PatchItem(id, `{"name":"hidden too"}`)
	n.PatchItem(id, `{"tags":["rare"],"name":"shown"}`)
	token.AwaitChanges(start, 1)
	var page struct {
		Next    *string
		Results []struct {
			ChangedFields []string `json:"changed_fields"`
		}
	}
	path := "/api/v1/items/" + id + "/history?limit=1"
	if err := json.Unmarshal(token.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK).Body, &page); err != nil {
		t.Fatal(err)
	}
	if page.Next != nil || len(page.Results) != 1 || page.Results[0].ChangedFields == nil || len(page.Results[0].ChangedFields) > 0 {
		t.Errorf("the history has %+v", page)
	}
	got := token.GraphQL(`query ($id: ID!) { item(id: $id) { history(first: 1) { pageInfo { hasNextPage } nodes { revision changedFields } } } }`,
		nodetest.Vars{"id": id})
	if string(got) != `{"item":{"history":{"pageInfo":{"hasNextPage":false},"nodes":[{"revision":3,"changedFields":[]}]}}}` {
		t.Errorf("GraphQL has %s", got)
	}
	n.PatchItem(id, `{"tags":[],"producer":"hidden"}`)
	token.AwaitChanges(start, 2)
	for _, fields := range []string{"", "&changed_fields=producer", "&changed_fields=privacy"} {
		moves := token.Changes("?after=" + start + fields)
		if len(moves.Results) != 2 || moves.Results[0].Kind != "ENTERED" || moves.Results[1].Kind != "LEFT" {
			t.Fatalf("%s: got %+v", fields, moves.Results)
		}
		for _, c := range moves.Results {
			if len(c.ChangedFields) > 0 {
				t.Errorf("%s names the fields %v", c.Kind, c.ChangedFields)
			}
		}
	}
}

// A poll that waits ends when its token does, as a stream does.
func TestTokens_APollEndsWithItsToken(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	path, token := makeToken(t, n.Client, `{"tags":["rare"]}`, "items.view")
	polled := make(chan nodetest.Response, 1)
	began := time.Now()
	go func() { polled <- token.Call(http.MethodGet, "/api/v1/changes?wait=55", "") }()
	n.AwaitHandler("wait=55", "live.(*Subscription).Wait")
	n.Call(http.MethodDelete, path, "").WantStatus(t, http.StatusNoContent)
	nodetest.Next(t, polled).WantProblem(t, "the poll", http.StatusUnauthorized, "UNAUTHENTICATED")
	if waited := time.Since(began); waited > 50*time.Second {
		t.Errorf("the poll lasted %s", waited)
	}
}
