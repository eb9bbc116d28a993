package node_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"itemcast/internal/node/nodetest"
)

// closingServer speaks graphql-ws. It gives each subscriber one change, and closes with a code.
func closingServer(t *testing.T, code websocket.StatusCode) (url string, afters <-chan string) {
	t.Helper()
	subscribed := make(chan string, 100)
	serve := func(ctx context.Context, socket *websocket.Conn) error {
		for {
			var message struct {
				ID, Type string
				Payload  struct{ Variables struct{ After string } }
			}
			if err := wsjson.Read(ctx, socket, &message); err != nil {
				return err
			}
			switch message.Type {
			case "connection_init":
				if err := wsjson.Write(ctx, socket, map[string]any{"type": "connection_ack"}); err != nil {
					return err
				}
			case "subscribe":
				after := message.Payload.Variables.After
				change := map[string]any{"cursor": after + "+", "kind": "CREATED", "revision": 1, "document": nil}
				next := map[string]any{"id": message.ID, "type": "next",
					"payload": map[string]any{"data": map[string]any{"itemChanges": change}}}
				if err := wsjson.Write(ctx, socket, next); err != nil {
					return err
				}
				subscribed <- after
				return socket.Close(code, "for a test")
			}
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"graphql-transport-ws"}})
		if err != nil {
			return
		}
		_ = serve(r.Context(), socket)
	}))
	t.Cleanup(server.Close)
	return server.URL, subscribed
}

// The page about clients says after which close codes graphql-ws subscribes again: with `after` as the example has set
// it by then.
func TestClients_GraphQLWSRetriesAfterTheCodesThatTheDocsName(t *testing.T) {
	t.Parallel()
	for code, retries := range map[websocket.StatusCode]bool{
		1001: true, 1013: true, 4403: true, 4408: true, 4400: false, 4401: false, 4409: false, 4429: false,
	} {
		t.Run(fmt.Sprint(int(code)), func(t *testing.T) {
			t.Parallel()
			url, afters := closingServer(t, code)
			lines := example(t, "subscribers/graphql-ws.mjs", url, adminCredentials, "--after=a")
			if after := nodetest.Next(t, afters); after != "a" {
				t.Fatalf("the first subscription is after %q", after)
			}
			if retries {
				if after := nodetest.Next(t, afters); after != "a+" {
					t.Errorf("the second subscription is after %q, not after the first one's change", after)
				}
				return
			}
			for line := range lines {
				if strings.Contains(string(line), `"error"`) {
					break
				}
			}
			if len(afters) > 0 {
				t.Error("the client has subscribed again")
			}
		})
	}
}
