package node_test

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/soak"
	sqlfiles "itemcast/sql"
)

// pidOf returns the process id of the Postgres at a URL; 0 while none answers.
func pidOf(t *testing.T, url string) (pid int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return 0
	}
	defer conn.Close(t.Context())
	_ = conn.QueryRow(t.Context(), `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)::int`).Scan(&pid)
	return pid
}

// killPostmaster kills the Postgres at a URL, but not its children: they end when they notice. Its supervisor starts
// another.
func killPostmaster(t *testing.T, url string) (pid int) {
	t.Helper()
	if pid = pidOf(t, url); pid == 0 {
		t.Fatal("Postgres does not answer")
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	return pid
}

// Postgres is killed under a running node. Requests get 503, those that sign in too. When Postgres is back, the node
// continues, and subscriptions and hooks lose and repeat nothing.
func TestOutage_TheNodeWaitsForItsDatabaseAndContinues(t *testing.T) {
	t.Parallel()
	server := dbtest.Cluster(t, map[string]string{"synchronous_commit": "on"})
	pool := nodetest.OpenPool(t, server.URL())
	if err := db.Migrate(t.Context(), pool, sqlfiles.Migrations, db.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	n := nodetest.StartOn(t, pool)
	hookURL, deliveries := nodetest.StartReceiver(t)
	n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"`+hookURL+`","events":["item.created"]}`).
		WantStatus(t, http.StatusCreated)
	events := n.Subscribe(nodetest.FollowQuery, nil)
	searching := n.Subscribe(`subscription { itemChanges(filter: {search: "item"}) { cursor kind revision document } }`,
		nil)
	// A delivery whose result the killed database has lost is repeated with the same webhook-id and bytes.
	arrived := map[string]string{}
	hooked := func() []byte {
		t.Helper()
		for {
			d := nodetest.Next(t, deliveries)
			webhookID := d.Header.Get("Webhook-Id")
			before, repeated := arrived[webhookID]
			arrived[webhookID] = string(d.Body)
			if !repeated {
				return d.Body
			}
			if before != string(d.Body) {
				t.Errorf("%s is repeated as %s, was %s", webhookID, d.Body, before)
			}
		}
	}
	id := ""
	made := func() {
		t.Helper()
		var created nodetest.Response
		key := uuid.NewString()
		// Even after Postgres is back, a request may be the first to use a connection that was lost.
		nodetest.Eventually(t, "an item is created", func() bool {
			created = n.Call(http.MethodPost, "/api/v1/items", `{"name":"item"}`, "Idempotency-Key", key)
			return created.Status != http.StatusServiceUnavailable
		})
		body := created.WantStatus(t, http.StatusCreated).Body
		for name, got := range map[string][]byte{"subscription": events.ReceiveEvent().Document,
			"filtered subscription": searching.ReceiveEvent().Document, "hook": hooked()} {
			if string(got) != string(body) {
				t.Errorf("the %s has %s, want %s", name, got, body)
			}
		}
		id = (nodetest.Response{Body: body}).Field(t, "id")
	}
	made()

	// Requests run until the node uses the new Postgres.
	unavailable := 0
	for kills := 0; kills < soak.Times(1, 10) || unavailable == 0; kills++ {
		killed := killPostmaster(t, server.URL())
		for back, deadline := false, time.Now().Add(nodetest.Timeout); !back; {
			// The backends outlive their postmaster by a moment: a request that succeeds does not prove that another runs.
			now := pidOf(t, server.URL())
			if time.Now().After(deadline) {
				t.Fatal("the node does not come back")
			}
			for _, c := range [][3]string{{"GET", "/items/" + id, ""}, {"GET", "/items", ""}, {"POST", "/items", `{"name":" "}`},
				{"PATCH", "/items/" + id, `{"name":" "}`}, {"GET", "/me", ""}} {
				got := n.Call(c[0], "/api/v1"+c[1], c[2])
				switch got.Status {
				case http.StatusServiceUnavailable:
					unavailable++
					if got.WantProblem(t, c[1], http.StatusServiceUnavailable, "UNAVAILABLE"); got.Header.Get("Retry-After") == "" {
						t.Errorf("%s: no Retry-After", c[1])
					}
				case http.StatusOK, http.StatusUnprocessableEntity:
					back = back || c[0] == "PATCH" && now != 0 && now != killed
				default:
					t.Fatalf("%s %s: got %d %s", c[0], c[1], got.Status, got.Body)
				}
			}
			got := n.Call(http.MethodPost, "/graphql", `{"query":"{ items { totalCount } }"}`)
			if _, codes := got.GraphQL(t); len(codes) > 0 && codes[0] != "UNAVAILABLE" {
				t.Fatalf("GraphQL: %d %s", got.Status, got.Body)
			}
		}
		made()
	}
}

// Without a database, credentials are not reported as wrong.
func TestOutage_WithoutADatabaseEverythingIsUnavailable(t *testing.T) {
	t.Parallel()
	server := dbtest.Cluster(t, nil)
	pool := nodetest.OpenPool(t, server.URL())
	if err := db.Migrate(t.Context(), pool, sqlfiles.Migrations, db.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	n := nodetest.StartOn(t, pool)
	n.Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	nodetest.Eventually(t, "the node has noticed the outage", func() bool {
		return n.Call(http.MethodGet, "/api/v1/me", "").Status != http.StatusOK
	})
	for _, authorization := range []string{nodetest.BasicAuth(nodetest.AdminEmail, nodetest.AdminPassword),
		nodetest.BasicAuth(nodetest.AdminEmail, "wrong"), nodetest.BasicAuth("nobody@example.com", "x")} {
		for _, path := range []string{"/api/v1/me", "/api/v1/items"} {
			got := n.Call(http.MethodGet, path, "", "Authorization", authorization).
				WantProblem(t, path, http.StatusServiceUnavailable, "UNAVAILABLE")
			if got.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
		got := n.Call(http.MethodPost, "/graphql", `{"query":"{ items { totalCount } }"}`, "Authorization", authorization)
		if _, codes := got.GraphQL(t); len(codes) != 1 || codes[0] != "UNAVAILABLE" ||
			got.Status == http.StatusServiceUnavailable && got.Header.Get("Retry-After") == "" {
			t.Errorf("GraphQL: %d %s", got.Status, got.Body)
		}
		s := n.Dial()
		s.Send(nodetest.Frame{"type": "connection_init", "payload": nodetest.Frame{"authorization": authorization}})
		if code, reason := s.AwaitClose(); code != 1013 {
			t.Errorf("a WebSocket is closed with %d %q, want 1013", code, reason)
		}
	}
}
