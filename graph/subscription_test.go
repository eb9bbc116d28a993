package graph_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// Subscribers with the same query share the rendered messages, whatever cursors they begin after.
func TestSubscription_RendersAChangeOnceForAllSubscribers(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	start := n.Hub.Present()
	var all []*nodetest.Socket
	for range 20 {
		all = append(all, n.Subscribe(nodetest.FollowQuery, nodetest.Vars{"after": start}),
			n.Subscribe(nodetest.FollowQuery, nodetest.Vars{"after": n.Hub.Present()}))
	}
	other := n.Subscribe(strings.Replace(nodetest.FollowQuery, "cursor", "cursor more: cursor", 1), nil)
	nodetest.Eventually(t, "all follow", func() bool { return n.Metric("itemcast_live_followers") == 41 })
	made := n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).WantStatus(t, http.StatusCreated)
	for _, s := range append(all, other) {
		if got := s.ReceiveEvent(); string(got.Document) != string(made.Body) {
			t.Errorf("got %s", got.Document)
		}
	}
	if streams, rendered := n.Metric("itemcast_live_streams"),
		n.Metric("itemcast_live_messages_rendered_total"); streams != 2 || rendered != 2 {
		t.Errorf("%v streams have rendered %v messages", streams, rendered)
	}
	for _, s := range append(all, other) {
		_ = s.Conn.CloseNow()
	}
	nodetest.Eventually(t, "nothing is left", func() bool {
		return n.Metric("itemcast_live_streams") == 0 && n.Metric("itemcast_live_connections") == 0
	})
}

func TestSubscription_WithOtherVariablesIsNotShared(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const tagged = `subscription ($tags: [String!]) { itemChanges(filter: {tags: $tags}) { cursor kind revision document } }`
	news, sport := n.Subscribe(tagged, nodetest.Vars{"tags": []string{"news"}}),
		n.Subscribe(tagged, nodetest.Vars{"tags": []string{"sport"}})
	nodetest.Eventually(t, "both follow", func() bool { return n.Metric("itemcast_live_followers") == 2 })
	n.CreateItem(`{"name":"a","tags":["sport"]}`)
	n.CreateItem(`{"name":"b","tags":["news"]}`)
	if got := news.ReceiveEvent(); !strings.Contains(string(got.Document), `"name":"b"`) {
		t.Errorf("news got %s", got.Document)
	}
	if got := sport.ReceiveEvent(); !strings.Contains(string(got.Document), `"name":"a"`) {
		t.Errorf("sport got %s", got.Document)
	}
}

func TestSubscription_KeepsAliasesFragmentsAndDirectives(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	s := n.Subscribe(`subscription S($no: Boolean!) { changed: itemChanges { ...C item { title: name } skipped: revision @skip(if: $no) } }
		fragment C on ItemChange { kind revision @include(if: $no) ... on ItemChange { item { tags } } actor { name } }`,
		nodetest.Vars{"no": true})
	nodetest.Eventually(t, "it follows", func() bool { return n.Metric("itemcast_live_followers") == 1 })
	n.CreateItem(`{"name":"a","tags":["t"]}`)
	if kind, payload := s.Receive(); kind != "next" ||
		string(payload) != `{"data":{"changed":{"kind":"CREATED","revision":1,"item":{"tags":["t"],"title":"a"},"actor":{"name":"Administrator"}}}}` {
		t.Errorf("got %s %s", kind, payload)
	}
}

// A subscription stores its query's text, because the server may have forgotten the hash when it opens the subscription
// again.
func TestSubscription_OutlivesItsPersistedQuery(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	sum := sha256.Sum256([]byte(nodetest.FollowQuery))
	persisted := nodetest.Frame{"persistedQuery": nodetest.Frame{"version": 1, "sha256Hash": hex.EncodeToString(sum[:])}}
	s := n.DialSignedIn()
	start := n.Hub.Present()
	s.Send(nodetest.Frame{"type": "subscribe", "id": "1",
		"payload": nodetest.Frame{"query": nodetest.FollowQuery, "extensions": persisted}})
	nodetest.Eventually(t, "it follows", func() bool { return n.Metric("itemcast_live_followers") == 1 })
	s.Send(nodetest.Frame{"type": "complete", "id": "1"})
	id := n.CreateItem(`{"name":"0"}`)
	for i := range 600 { // more than a new stream retains
		n.PatchItem(id, fmt.Sprintf(`{"name":"%d"}`, i+1))
	}
	s.Send(nodetest.Frame{"type": "subscribe", "id": "2",
		"payload": nodetest.Frame{"variables": nodetest.Vars{"after": start}, "extensions": persisted}})
	for revision := range int64(601) {
		if got := s.ReceiveEvent(); got.Revision != revision+1 {
			t.Fatalf("got %d, want %d", got.Revision, revision+1)
		}
	}
	n.PatchItem(id, `{"name":"last"}`)
	if got := s.ReceiveEvent(); got.Revision != 602 {
		t.Errorf("then %d", got.Revision)
	}
}
