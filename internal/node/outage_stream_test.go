package node_test

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

// severable returns the URL of a migrated database, and the way to it.
func severable(t *testing.T) (databaseURL string, way *cuttable) {
	t.Helper()
	u, err := url.Parse(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	way = cuttableToAddress(t, u.Host)
	u.Host = way.url
	return u.String(), way
}

const searchQuery = `subscription { itemChanges(filter: {search: "Gilda"}) { cursor document } }`

// streamRequests are requests for event streams. No URL is the beginning of another, so that AwaitHandler finds each.
var streamRequests = map[string]struct{ method, path, body string }{
	"changes":                        {http.MethodGet, "/api/v1/changes?kinds=CREATED", ""},
	"filtered changes":               {http.MethodGet, "/api/v1/changes?search=Gilda", ""},
	"subscription of an EventSource": {http.MethodGet, "/graphql?" + url.Values{"query": {searchQuery}}.Encode(), ""},
	"subscription of graphql-sse": {http.MethodPost, "/graphql?by=POST",
		`{"query":"` + strings.ReplaceAll(searchQuery, `"`, `\"`) + `"}`},
}

// An EventSource gives up for good at any status but 200. So a new stream waits for the database, whichever step needs
// it: the sign-in, or the filter of a user who is known.
func TestOutage_NewStreamsWaitForTheDatabase(t *testing.T) {
	t.Parallel()
	for user, known := range map[string]bool{"a stranger": false, "a known user": true} {
		for name, request := range streamRequests {
			t.Run(user+", "+name, func(t *testing.T) {
				t.Parallel()
				databaseURL, way := severable(t)
				n := nodetest.StartOn(t, nodetest.OpenPool(t, databaseURL))
				if known {
					n.Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)
				}
				way.setDown(true)
				answered := n.OpenStream(request.method, request.path, request.body)
				if !known || name != "changes" { // which then needs nothing of the database
					n.AwaitHandler(request.path, "sse.(*held).pause")
				}
				way.setDown(false)
				response := nodetest.Next(t, answered)
				defer response.Body.Close()
				if response.StatusCode != http.StatusOK {
					body, _ := io.ReadAll(response.Body)
					t.Fatalf("the stream has status %d %s", response.StatusCode, body)
				}
				lines := bufio.NewScanner(response.Body)
				for lines.Scan() && !strings.HasPrefix(lines.Text(), "id: ") { // the stream has begun
				}
				nodetest.Eventually(t, "an item is created", func() bool {
					return n.Call(http.MethodPost, "/api/v1/items", `{"name":"Gilda"}`).Status == http.StatusCreated
				})
				for lines.Scan() && !strings.Contains(lines.Text(), "Gilda") {
				}
				if lines.Text() == "" {
					t.Errorf("the stream has ended: %v", lines.Err())
				}
			})
		}
	}
}

// A server that shuts down sends waiting streams away in the way after which their clients come again.
func TestOutage_AShutdownSendsWaitingStreamsAway(t *testing.T) {
	t.Parallel()
	databaseURL, way := severable(t)
	n, stop := nodetest.Serve(t, nodetest.OpenPool(t, databaseURL), nodetest.Listen(t, "127.0.0.1:0"))
	way.setDown(true)
	waiting := map[string]<-chan *http.Response{}
	for name, request := range streamRequests {
		waiting[name] = n.OpenStream(request.method, request.path, request.body)
		n.AwaitHandler(request.path, "sse.(*held).pause")
	}
	stop()
	for name, answered := range waiting {
		response := nodetest.Next(t, answered)
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		want := http.StatusOK
		if strings.Contains(name, "graphql-sse") { // retries after every status that is not 2xx
			want = http.StatusServiceUnavailable
		}
		if response.StatusCode != want || err != nil {
			t.Errorf("%s: %d, %v %s", name, response.StatusCode, err, body)
		}
		if want == http.StatusOK && !strings.HasPrefix(string(body), "retry: ") || !strings.Contains(string(body), "UNAVAILABLE") {
			t.Errorf("%s: %s", name, body)
		}
	}
}

// A subscription over a WebSocket that cannot be opened waits. An error would end it for good.
func TestOutage_SubscriptionsOverAWebSocketWaitForTheDatabase(t *testing.T) {
	t.Parallel()
	databaseURL, way := severable(t)
	n := nodetest.StartOn(t, nodetest.OpenPool(t, databaseURL))
	s := n.DialSignedIn()
	way.setDown(true)
	s.Send(nodetest.Frame{"type": "subscribe", "id": "1", "payload": nodetest.Frame{"query": searchQuery}})
	n.AwaitHandler("/graphql", "transport.(*socket).followLater")
	way.setDown(false)
	nodetest.Eventually(t, "an item is created", func() bool {
		return n.Call(http.MethodPost, "/api/v1/items", `{"name":"Gilda"}`).Status == http.StatusCreated
	})
	if got := s.ReceiveEvent(); !strings.Contains(string(got.Document), "Gilda") { // also what happened meanwhile
		t.Errorf("got %s", got.Document)
	}
}

// graphql-ws takes a refused handshake for a failed connection, and ends its subscriptions.
func TestOutage_AWebSocketWithCredentialsInItsHandshakeIsToldToComeAgain(t *testing.T) {
	t.Parallel()
	databaseURL, way := severable(t)
	n := nodetest.StartOn(t, nodetest.OpenPool(t, databaseURL))
	way.setDown(true)
	header := http.Header{"Authorization": {n.Authorization}}
	s, err := n.DialAs("graphql-transport-ws", header)
	if err != nil {
		t.Fatal(err)
	}
	s.Send(nodetest.Frame{"type": "connection_init"})
	if code, reason := s.AwaitClose(); code != 1013 {
		t.Errorf("closed with %d %q, want 1013", code, reason)
	}
}
