package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/porttest"
)

// The npm package eventsource follows servers that stop and start at one address. It gets each change once and in
// order, also those from while no server ran, before its first event and after.
func TestChangeStream_TheNpmEventSourceLosesNothingOverRestarts(t *testing.T) {
	t.Parallel()
	losesNothingOverRestarts(t, "/api/v1/changes")
}

// losesNothingOverRestarts follows a path with the npm package eventsource.
func losesNothingOverRestarts(t *testing.T, path string) {
	t.Helper()
	pool := dbtest.New(t)
	writer := nodetest.StartOn(t, pool)
	address := porttest.Reserve(t)
	_, stop := nodetest.Serve(t, pool, nodetest.Listen(t, address))
	lines := example(t, "subscribers/eventsource.mjs", "http://"+address+path, adminCredentials)
	expect := func(want string) {
		t.Helper()
		got := string(nodetest.Next(t, lines))
		if first, _, _ := strings.Cut(got, " "); first != want { // the cursor follows
			t.Fatalf("the client prints %q, want %q", got, want)
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
	for received := 0; revision < 9; {
		stop()
		write()
		write()
		_, stop = nodetest.Serve(t, pool, nodetest.Listen(t, address))
		expect("open")
		write()
		for received < revision {
			received++
			expect(fmt.Sprint(received))
		}
	}
}

// A browser's EventSource can send neither a body nor headers. It follows a subscription, and resumes by its last
// event id.
func TestClients_TheNpmEventSourceLosesNothingOfASubscriptionOverRestarts(t *testing.T) {
	t.Parallel()
	losesNothingOverRestarts(t, "/graphql?"+url.Values{"query": {"subscription { itemChanges { document } }"}}.Encode())
}

func TestClients_TheNpmEventSourceGetsTheErrorOfASubscription(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	query := url.Values{"query": {"subscription { itemChanges { secret } }"}}
	lines := example(t, "subscribers/eventsource.mjs", n.URL+"/graphql?"+query.Encode(), adminCredentials)
	for _, want := range []string{"open", "GRAPHQL_VALIDATION_FAILED", "complete"} {
		if got := string(nodetest.Next(t, lines)); got != want {
			t.Errorf("the client prints %q, want %q", got, want)
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

// The server drains and starts again at its address, several times. Clients reconnect, and miss and repeat nothing.
func TestClients_LoseNothingOverRestarts(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]follower{"graphql-ws": overWebSocket, "graphql-sse": overEvents} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := dbtest.New(t)
			writer := nodetest.StartOn(t, pool)
			address := porttest.Reserve(t)
			_, stop := nodetest.Serve(t, pool, nodetest.Listen(t, address))
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
				for !hear(t, lines).Connected { // failed attempts are printed too
				}
			}
			connected()
			for received := int64(0); revision < 12; {
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
				for received < revision {
					received++
					if got := hear(t, lines); got.Event == nil || got.Event.Revision != received {
						t.Fatalf("got %+v, want revision %d", got, received)
					}
				}
			}
		})
	}
}

func TestClients_GraphQLSSEFollowsByteForByteAndUnsubscribes(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	lines := example(t, string(overEvents), n.URL, adminCredentials, "--after="+n.Feed.Cursor(n.Feed.Head()),
		"--retries=0", "--take=3")
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
		if got := hear(t, lines); got.Event == nil || got.Event.Revision != int64(i+1) ||
			string(got.Event.Document) != string(document) {
			t.Errorf("got %+v, want %s", got, document)
		}
	}
	nodetest.Eventually(t, "the subscription has ended, while the client runs", func() bool {
		return n.Metric("itemcast_live_streams") == 0 && n.Metric("itemcast_live_connections") == 0
	})
}

func TestClients_GraphQLSSEGetsTheErrorOfASubscription(t *testing.T) {
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

func TestClients_OpenSubscriptionsFollowChangesOfPermissions(t *testing.T) {
	t.Parallel()
	const (
		disabled = "UPDATE app_user SET active = false"
		fewer    = "UPDATE role SET permissions = array_remove(permissions, 'hooks.manage')"
		noItems  = "UPDATE role SET permissions = array_remove(permissions, 'items.view')"
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
	update := func(n *nodetest.Node, statement string) {
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
		update(n, disabled)
		closed(t, lines, 4401)
		if got := hear(t, lines); !strings.Contains(string(got.Error), "4401") {
			t.Errorf("the subscription gets %+v", got)
		}
	})
	t.Run("graphql-ws with another role", func(t *testing.T) {
		n, lines := begin(t, overWebSocket)
		update(n, fewer)
		n.CreateItem(`{"name":"after"}`)
		var names []string // over both connections
		for again := false; !again || len(names) < 2; {
			switch got := hear(t, lines); {
			case got.Event != nil:
				names = append(names, (nodetest.Response{Body: got.Event.Document}).Field(t, "name"))
			case got.Connected:
				again = true
				n.CreateItem(`{"name":"later"}`)
			case got.Closed == nil || *got.Closed != 1001:
				t.Fatalf("got %+v, want to be closed with 1001", got)
			}
		}
		if !slices.Equal(names, []string{"after", "later"}) {
			t.Errorf("got %q", names)
		}
	})
	t.Run("graphql-ws without items.view", func(t *testing.T) {
		n, lines := begin(t, overWebSocket)
		update(n, noItems)
		closed(t, lines, 1001)
		hear(t, lines)
		if got := hear(t, lines); !strings.Contains(string(got.Error), `"FORBIDDEN"`) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("graphql-sse disabled", func(t *testing.T) {
		n, lines := begin(t, overEvents)
		update(n, disabled)
		if got := hear(t, lines); !strings.Contains(string(got.Errors), `"UNAUTHENTICATED"`) || !hear(t, lines).Complete {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("graphql-sse with another role", func(t *testing.T) {
		n, lines := begin(t, overEvents)
		update(n, fewer)
		n.CreateItem(`{"name":"after"}`)
		if got := hear(t, lines); got.Event == nil || !strings.Contains(string(got.Event.Document), "after") {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("graphql-sse without items.view", func(t *testing.T) {
		n, lines := begin(t, overEvents)
		update(n, noItems)
		if got := hear(t, lines); !strings.Contains(string(got.Errors), `"FORBIDDEN"`) || !hear(t, lines).Complete {
			t.Errorf("got %+v", got)
		}
	})
}
