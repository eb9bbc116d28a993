package node_test

import (
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// java.net.HttpURLConnection names text/html in its Accept, and gets JSON; it can send back what it has read.
func TestClients_JavaReadsAndWritesItems(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	tagged := n.CreateItem(`{"name":"Tagged","tags":["Action, Adventure"]}`)
	lines := example(t, "clients/Items.java", n.URL, adminCredentials)
	created, replaced := nodetest.Next(t, lines), nodetest.Next(t, lines)
	if string(created) != string(replaced) || !strings.Contains(string(created), `"name":"From Java"`) {
		t.Errorf("created %s, replaced by itself %s", created, replaced)
	}
	patched, list := nodetest.Next(t, lines), nodetest.Next(t, lines)
	if !strings.Contains(string(patched), `"producer":"Ufa"`) {
		t.Errorf("patched %s", patched)
	}
	document := n.Call(http.MethodGet, "/api/v1/items/"+tagged, "").WantStatus(t, http.StatusOK).Body
	if want := `{"results":[` + string(document) + `],"next":null,"previous":null}`; string(list) != want {
		t.Errorf("listed %s, want %s", list, want)
	}
}
