package server_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/account/secret"
	"itemcast/internal/bearer"
	"itemcast/internal/node/nodetest"
)

// exhaust sends requests until a token is over its limit.
func exhaust(t *testing.T, token nodetest.InsertedToken) nodetest.Response {
	t.Helper()
	for range 10_000 {
		got := token.Call(http.MethodGet, "/api/v1/me", "")
		if got.Status != http.StatusOK {
			return got
		}
	}
	t.Fatal("there is no limit")
	return nodetest.Response{}
}

// wantLeft checks how many requests an answer says are left, of a token with three a minute.
func wantLeft(t *testing.T, got nodetest.Response, left int) {
	t.Helper()
	var requests, seconds int
	if _, err := fmt.Sscanf(got.Header.Get("RateLimit"), `"token";r=%d;t=%d`, &requests, &seconds); err != nil ||
		requests != left || seconds < 1 || seconds > 20 {
		t.Errorf("RateLimit: %s, want %d left", got.Header.Get("RateLimit"), left)
	}
}

func TestTokenLimit_AnswersSayWhatIsLeft(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	token := n.InsertToken(nodetest.Token{Permissions: viewing(), PerMinute: 3})
	for left, got := range []nodetest.Response{
		2: token.Call(http.MethodGet, "/api/v1/items", "").WantStatus(t, http.StatusOK),
		1: token.Call(http.MethodGet, "/api/v1/nothing", "").WantStatus(t, http.StatusNotFound),
		0: token.Call(http.MethodPost, "/graphql", `{"query":"{"}`).WantStatus(t, http.StatusOK),
	} {
		if policy := got.Header.Get("RateLimit-Policy"); policy != `"token";q=3;w=60` {
			t.Errorf("RateLimit-Policy: %s", policy)
		}
		wantLeft(t, got, left)
	}
	for name, got := range map[string]nodetest.Response{
		"REST":    token.Call(http.MethodGet, "/api/v1/items", ""),
		"GraphQL": token.Call(http.MethodPost, "/graphql", `{"query":"{ me { email } }"}`),
	} {
		wait, err := strconv.Atoi(got.Header.Get("Retry-After"))
		if got.Status != http.StatusTooManyRequests || err != nil ||
			wait < 1 || wait > 20 || !strings.Contains(string(got.Body), "3 requests a minute") {
			t.Errorf("%s: %d %v %s", name, got.Status, got.Header, got.Body)
		}
		wantLeft(t, got, 0)
	}
	n.Call(http.MethodGet, "/api/v1/items", "").WantStatus(t, http.StatusOK)
	if got := n.Call(http.MethodGet, "/api/v1/items", ""); got.Header.Get("RateLimit") != "" {
		t.Error("a password has a limit")
	}
}

// A stream that its token's limit delays begins by itself: an EventSource gives up at any status but 200.
func TestTokenLimit_NewStreamsWait(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	token := n.InsertToken(nodetest.Token{Permissions: viewing(), PerMinute: 60})
	exhaust(t, token)
	token.StreamChanges("").Begin()
	exhaust(t, token)
	stream := n.Stream(http.MethodPost, "/graphql?access_token="+token.Secret,
		`{"query":"subscription { itemChanges { revision } }"}`, "Authorization", "")
	if e := nodetest.Next(t, stream.Events); e.Retry == "" && e.ID == "" {
		t.Errorf("got %+v", e)
	}
}

func TestTokenLimit_CountsTheOperationsOfAWebSocket(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	token := n.InsertToken(nodetest.Token{Permissions: viewing(), PerMinute: 2})
	s := token.DialSignedIn()
	query := nodetest.Frame{"type": "subscribe", "id": "query", "payload": nodetest.Frame{"query": "{ me { email } }"}}
	s.Send(query)
	s.Await("complete")
	s.Send(query)
	if kind, payload := s.Receive(); kind != "error" || !strings.Contains(string(payload), "TOO_MANY_REQUESTS") {
		t.Errorf("a query over the limit gets %s %s", kind, payload)
	}
	late := n.Dial()
	late.Send(nodetest.InitFrame(token.Authorization))
	if code, reason := late.AwaitClose(); code != 1013 {
		t.Errorf("a new connection is closed with %d %s", code, reason)
	}
}

func TestTokenLimit_ASubscriptionOnAWebSocketWaits(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	token := n.InsertToken(nodetest.Token{Permissions: viewing(), PerMinute: 60})
	s := token.DialSignedIn()
	exhaust(t, token)
	s.Send(nodetest.SubscribeFrame("late", nil))
	s.Sync()
	id := n.CreateItem(`{"name":"Gilda"}`)
	if e := s.ReceiveEvent(); !strings.Contains(string(e.Document), id) {
		t.Errorf("got %+v", e)
	}
}

func TestTokens_SignInToWebSockets(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	token := n.InsertToken(nodetest.Token{Permissions: viewing(account.ItemsCreate)})
	unknown, _ := secret.New()
	elsewhere := n.InsertToken(nodetest.Token{Permissions: viewing(), Origins: []string{"https://app.example"}})
	for name, c := range map[string]struct {
		handshake http.Header
		init      nodetest.Frame
		code      int
	}{
		"by connection_init":      {nil, nodetest.InitFrame(token.Authorization), 0},
		"by the handshake":        {http.Header{"Authorization": {token.Authorization}}, nodetest.Frame{"type": "connection_init"}, 0},
		"an unknown token":        {nil, nodetest.InitFrame(bearer.Authorization(unknown)), 4401},
		"a token for other pages": {nil, nodetest.InitFrame(elsewhere.Authorization), 4401},
		"a page of this server":   {http.Header{"Origin": {n.URL}}, nodetest.InitFrame(token.Authorization), 0},
	} {
		s, err := n.DialAs("graphql-transport-ws", c.handshake)
		if err != nil {
			t.Fatal(err)
		}
		s.Send(c.init)
		if c.code != 0 {
			if code, reason := s.AwaitClose(); code != c.code {
				t.Errorf("%s: closed with %d %s", name, code, reason)
			}
			continue
		}
		if kind, _ := s.Receive(); kind != "connection_ack" {
			t.Fatalf("%s: got %s", name, kind)
		}
		s.Send(nodetest.Frame{"type": "subscribe", "id": "1", "payload": nodetest.Frame{
			"query": `mutation { createItem(input: {name: "x"}) { item { id } } }`}})
		if kind, payload := s.Receive(); kind != "next" || strings.Contains(string(payload), "errors") {
			t.Errorf("%s: got %s %s", name, kind, payload)
		}
	}
}

// What a token's end ends, on each of the doors; nothing follows.
func TestTokens_TheirEndEndsWhatIsOpen(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{
		"revoked": "DELETE FROM access_token",
		"expires": "UPDATE access_token SET expires_at = now() + interval '2 s'",
		"rotated twice": "UPDATE access_token SET digest = sha256('x'), previous_digest = sha256('y'), " +
			"previous_until = now() + interval '1 day'",
		"its old secret ends": "UPDATE access_token SET previous_digest = digest, digest = sha256('x'), " +
			"previous_until = now() + interval '2 s'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t)
			token := n.InsertToken(nodetest.Token{Permissions: viewing()})
			stream := token.StreamChanges("")
			cursor := stream.Begin()
			subscription := token.Stream(http.MethodPost, "/graphql", `{"query":"subscription { itemChanges { document } }"}`)
			socket := token.Subscribe(nodetest.FollowQuery, nil)
			polled := make(chan nodetest.Response, 1)
			go func() { polled <- token.Call(http.MethodGet, "/api/v1/changes?wait=30&after="+cursor, "") }()
			n.AwaitHandler("wait=30", "live.(*Subscription).Wait")
			if _, err := n.Pool.Exec(t.Context(), end); err != nil {
				t.Fatal(err)
			}
			if e := nodetest.Next(t, stream.Events); e.Name != "error" || !strings.Contains(e.Data, "UNAUTHENTICATED") {
				t.Errorf("the stream sends %+v", e)
			}
			for from, ended := range map[string]chan error{"the stream": stream.Ended, "the subscription": subscription.Ended} {
				if err := nodetest.Next(t, ended); err != nil {
					t.Errorf("%s ends with %v", from, err)
				}
			}
			if code, reason := socket.AwaitClose(); code != 4401 {
				t.Errorf("the WebSocket is closed with %d %s", code, reason)
			}
			n.CreateItem(`{"name":"Secret"}`)
			if got := nodetest.Next(t, polled); got.Status != http.StatusUnauthorized {
				t.Errorf("the poll gets %d %s", got.Status, got.Body)
			}
		})
	}
}

// A rotation disturbs nobody who has the old secret, until that ends.
func TestTokens_BothSecretsOfARotationWork(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	token := n.InsertToken(nodetest.Token{Permissions: viewing()})
	stream, socket := token.StreamChanges(""), token.Subscribe(nodetest.FollowQuery, nil)
	stream.Begin()
	second, digest := secret.New()
	if _, err := n.Pool.Exec(t.Context(), `UPDATE access_token SET previous_digest = digest, digest = $1,
		previous_until = now() + interval '1 day'`, digest[:]); err != nil {
		t.Fatal(err)
	}
	for _, authorization := range []string{token.Authorization, bearer.Authorization(second)} {
		n.WithAuthorization(authorization).Call(http.MethodGet, "/api/v1/items", "").WantStatus(t, http.StatusOK)
	}
	id := n.CreateItem(`{"name":"Gilda"}`)
	if e := stream.NextChange(); !strings.Contains(e.Data, id) {
		t.Errorf("the stream sends %+v", e)
	}
	if e := socket.ReceiveEvent(); !strings.Contains(string(e.Document), id) {
		t.Errorf("the WebSocket sends %+v", e)
	}
	if _, err := n.Pool.Exec(t.Context(), `UPDATE access_token SET previous_until = now()`); err != nil {
		t.Fatal(err)
	}
	nodetest.Eventually(t, "the old secret has ended", func() bool {
		return token.Call(http.MethodGet, "/api/v1/items", "").Status == http.StatusUnauthorized
	})
	n.WithAuthorization(bearer.Authorization(second)).Call(http.MethodGet, "/api/v1/items", "").
		WantStatus(t, http.StatusOK)
	if code, _ := socket.AwaitClose(); code != 4401 {
		t.Errorf("the WebSocket is closed with %d", code)
	}
}

// The use of a token is recorded, on time and by one statement, and shows the client's address.
func TestTokens_TheirUseIsRecorded(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	token := n.InsertToken(nodetest.Token{Permissions: viewing()})
	for range 3 {
		token.Call(http.MethodGet, "/api/v1/items", "").WantStatus(t, http.StatusOK)
	}
	var requests int
	var address string
	nodetest.EventuallyWithin(t, time.Minute, "three requests are recorded", func() bool {
		err := n.Pool.QueryRow(t.Context(), `SELECT coalesce(sum(requests), 0), coalesce(max(address), '')
			FROM access_token_use WHERE token_id = $1`, token.ID).Scan(&requests, &address)
		return err == nil && requests == 3
	})
	if address != "127.0.0.1" {
		t.Errorf("the address is %q", address)
	}
}
