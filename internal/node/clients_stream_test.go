package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

// The npm package eventsource, unmodified, over servers that come and go at one address: each change is told once and
// in order, those too that were made while there was no server, before the first that it got and after.
func TestChangeStream_TheNpmEventSourceLosesNothingOverRestarts(t *testing.T) {
	t.Parallel()
	losesNothingOverRestarts(t, "/api/v1/changes")
}

// losesNothingOverRestarts has the npm package eventsource follow what is at a path.
func losesNothingOverRestarts(t *testing.T, path string) {
	t.Helper()
	pool := dbtest.New(t)
	writer := nodetest.StartOn(t, pool)
	listener := nodetest.Listen(t, "127.0.0.1:0")
	address := listener.Addr().String()
	_, stop := nodetest.Serve(t, pool, listener)
	lines := example(t, "subscribers/eventsource.mjs", "http://"+address+path, adminCredentials)
	expect := func(want string) {
		t.Helper()
		if got := string(nodetest.Next(t, lines)); got != want {
			t.Fatalf("the client tells %q, not %q", got, want)
		}
	}
	revision, id := 0, ""
	write := func() {
		if revision++; revision == 1 {
			id = writer.CreateItem(`{"name":"1"}`)
			return
		}
		writer.PatchItem(id, fmt.Sprintf(`{"name":"%d"}`, revision))
	}

	expect("open")
	for told := 0; revision < 9; {
		stop()
		write()
		write()
		_, stop = nodetest.Serve(t, pool, nodetest.Listen(t, address))
		expect("open")
		write()
		for told < revision {
			told++
			expect(fmt.Sprintf("%d", told))
		}
	}
}

// A page's EventSource, which can send neither a body nor a header of its own, follows a subscription, and resumes by
// what it keeps itself.
func TestClients_TheNpmEventSourceLosesNothingOfASubscriptionOverRestarts(t *testing.T) {
	t.Parallel()
	losesNothingOverRestarts(t, "/graphql?"+url.Values{"query": {"subscription { itemChanges { document } }"}}.Encode())
}

func TestClients_TheNpmEventSourceIsToldWhyItCannotFollow(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	query := url.Values{"query": {"subscription { itemChanges { secret } }"}}
	lines := example(t, "subscribers/eventsource.mjs", n.URL+"/graphql?"+query.Encode(), adminCredentials)
	for _, want := range []string{"open", "GRAPHQL_VALIDATION_FAILED", "complete"} {
		if got := string(nodetest.Next(t, lines)); got != want {
			t.Errorf("the client tells %q, not %q", got, want)
		}
	}
}

// follower is the script of an example that follows itemChanges.
type follower string

const (
	overWebSocket follower = "subscribers/graphql-ws.mjs"
	overEvents    follower = "subscribers/graphql-sse.mjs"
)

func (f follower) start(t *testing.T, url, cursor string) <-chan json.RawMessage {
	t.Helper()
	return example(t, string(f), url, adminCredentials, "--after="+cursor)
}

// The server drains and comes back at its address, again and again: clients are told to connect again, and miss and
// repeat nothing.
func TestClients_LoseNothingOverRestarts(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]follower{"graphql-ws": overWebSocket, "graphql-sse": overEvents} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := dbtest.New(t)
			writer := nodetest.StartOn(t, pool)
			listener := nodetest.Listen(t, "127.0.0.1:0")
			address := listener.Addr().String()
			_, stop := nodetest.Serve(t, pool, listener)
			lines := f.start(t, "http://"+address, writer.Feed.Cursor(writer.Feed.Head()))
			revision, id := int64(0), ""
			write := func() {
				if revision++; revision == 1 {
					id = writer.CreateItem(`{"name":"1"}`)
					return
				}
				writer.PatchItem(id, fmt.Sprintf(`{"name":"%d"}`, revision))
			}
			connected := func() {
				for !hear(t, lines).Connected { // attempts that fail are told too
				}
			}
			connected()
			for told := int64(0); revision < 12; {
				stop()
				if name == "graphql-ws" {
					if got := hear(t, lines); got.Closed == nil || *got.Closed != 1001 {
						t.Fatalf("got %+v, want to be closed with 1001", got)
					}
				}
				write()
				write()
				_, stop = nodetest.Serve(t, pool, nodetest.Listen(t, address))
				connected()
				write()
				for told < revision {
					told++
					if got := hear(t, lines); got.Event == nil || got.Event.Revision != told {
						t.Fatalf("got %+v, want revision %d", got, told)
					}
				}
			}
		})
	}
}

func TestClients_GraphQLSSEFollowsByteForByteAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	lines := example(t, string(overEvents), n.URL, adminCredentials, "--after="+n.Feed.Cursor(n.Feed.Head()), "--retries=0", "--take=3")
	if !hear(t, lines).Connected {
		t.Fatal("the client did not connect")
	}
	nodetest.Eventually(t, "the client follows", func() bool { return n.Metric("itemcast_live_followers") == 1 })
	id := n.CreateItem(`{"name":"Der müde Tod","client_data":{"b":1,"a":[true,null,0.5]}}`)
	for i, name := range []string{"", "two", "three"} {
		if name != "" {
			n.PatchItem(id, `{"name":"`+name+`"}`)
		}
		document := n.Call(http.MethodGet, "/api/v1/items/"+id, "").Body
		if got := hear(t, lines); got.Event == nil || got.Event.Revision != int64(i+1) || string(got.Event.Document) != string(document) {
			t.Errorf("got %+v, want %s", got, document)
		}
	}
	nodetest.Eventually(t, "nothing is left of what the client, which runs on, has unsubscribed from", func() bool {
		return n.Metric("itemcast_live_streams") == 0 && n.Metric("itemcast_live_connections") == 0
	})
}

func TestClients_GraphQLSSEIsToldWhyItMayNotFollow(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	wrong := example(t, string(overEvents), n.URL, nodetest.AdminEmail+":wrong", "--retries=0")
	if got := hear(t, wrong); !strings.Contains(string(got.Error), `"status":401`) {
		t.Errorf("a wrong password: %+v", got)
	}
	expired := overEvents.start(t, n.URL, nodetest.ForeignCursor)
	hear(t, expired)
	if got := hear(t, expired); !strings.Contains(string(got.Errors), `"CURSOR_EXPIRED"`) {
		t.Errorf("another log's cursor: %+v", got)
	}
	if !hear(t, expired).Complete {
		t.Error("the operation has not ended")
	}
}

// What an open subscription is told when what its user may do changes, while it stands.
func TestClients_AreToldOfTheirPermissionsAsTheyAreNow(t *testing.T) {
	t.Parallel()
	const (
		disabled = "UPDATE app_user SET active = false"
		fewer    = "UPDATE role SET permissions = array_remove(permissions, 'hooks.manage')"
		blind    = "UPDATE role SET permissions = array_remove(permissions, 'items.view')"
	)
	begin := func(t *testing.T, f follower) (n *nodetest.Node, lines <-chan json.RawMessage) {
		t.Helper()
		t.Parallel()
		n = nodetest.Start(t)
		lines = f.start(t, n.URL, n.Feed.Cursor(n.Feed.Head()))
		hear(t, lines)
		n.CreateItem(`{"name":"before"}`)
		if got := hear(t, lines); got.Event == nil {
			t.Fatalf("got %+v, want an event", got)
		}
		return n, lines
	}
	become := func(n *nodetest.Node, statement string) {
		n.T.Helper()
		if _, err := n.Pool.Exec(n.T.Context(), statement); err != nil {
			n.T.Fatal(err)
		}
	}
	closed := func(t *testing.T, lines <-chan json.RawMessage, code int) {
		t.Helper()
		if got := hear(t, lines); got.Closed == nil || *got.Closed != code {
			t.Fatalf("got %+v, want to be closed with %d", got, code)
		}
	}
	t.Run("graphql-ws disabled", func(t *testing.T) {
		n, lines := begin(t, overWebSocket)
		begun := time.Now()
		become(n, disabled)
		closed(t, lines, 4403)
		if waited := time.Since(begun); waited > 5*time.Second { // it takes some 50 ms when the machine does nothing else
			t.Errorf("after %s", waited)
		}
		if got := hear(t, lines); !strings.Contains(string(got.Error), "4403") {
			t.Errorf("the subscription is told %+v", got)
		}
	})
	t.Run("graphql-ws with another role", func(t *testing.T) {
		n, lines := begin(t, overWebSocket)
		become(n, fewer)
		n.CreateItem(`{"name":"after"}`)
		var told []string // in either connection
		for again := false; !again || len(told) < 2; {
			switch got := hear(t, lines); {
			case got.Event != nil:
				told = append(told, (nodetest.Response{Body: got.Event.Document}).Field(t, "name"))
			case got.Connected:
				again = true
				n.CreateItem(`{"name":"later"}`)
			case got.Closed == nil || *got.Closed != 1001:
				t.Fatalf("got %+v, want to be closed with 1001", got)
			}
		}
		if !slices.Equal(told, []string{"after", "later"}) {
			t.Errorf("told of %q", told)
		}
	})
	t.Run("graphql-ws without items.view", func(t *testing.T) {
		n, lines := begin(t, overWebSocket)
		become(n, blind)
		closed(t, lines, 1001)
		hear(t, lines)
		if got := hear(t, lines); !strings.Contains(string(got.Error), `"FORBIDDEN"`) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("graphql-sse disabled", func(t *testing.T) {
		n, lines := begin(t, overEvents)
		become(n, disabled)
		if got := hear(t, lines); !strings.Contains(string(got.Errors), `"UNAUTHENTICATED"`) || !hear(t, lines).Complete {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("graphql-sse with another role", func(t *testing.T) {
		n, lines := begin(t, overEvents)
		become(n, fewer)
		n.CreateItem(`{"name":"after"}`)
		if got := hear(t, lines); got.Event == nil || !strings.Contains(string(got.Event.Document), "after") {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("graphql-sse without items.view", func(t *testing.T) {
		n, lines := begin(t, overEvents)
		become(n, blind)
		if got := hear(t, lines); !strings.Contains(string(got.Errors), `"FORBIDDEN"`) || !hear(t, lines).Complete {
			t.Errorf("got %+v", got)
		}
	})
}
