package main

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	sqlfiles "itemcast/sql"
)

// pidOf is the process of the Postgres at a URL.
func pidOf(t *testing.T, url string) (pid int) {
	t.Helper()
	pool := openPool(t, url)
	defer pool.Close()
	if err := pool.QueryRow(t.Context(), `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)::int`).Scan(&pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// Postgres is stopped dead under a running node: requests are told to come again, sign-in too; once it is back, so is the node, by itself,
// and subscriptions and hooks go on with nothing lost or repeated.
func TestOutage_TheNodeWaitsForItsDatabaseAndGoesOn(t *testing.T) {
	t.Parallel()
	server := dbtest.Cluster(t, map[string]string{"synchronous_commit": "on"})
	pool := openPool(t, server.URL())
	if err := db.Migrate(t.Context(), pool, sqlfiles.Migrations); err != nil {
		t.Fatal(err)
	}
	n := startNodeOn(t, pool)
	hookURL, deliveries := receiver(t)
	n.call(http.MethodPost, "/api/v1/hooks", `{"url":"`+hookURL+`","events":["item.created"]}`).expect(t, http.StatusCreated)
	events := n.subscribe(follow, nil)
	searching := n.subscribe(`subscription { itemChanges(filter: {search: "item"}) { cursor kind revision document } }`, nil)
	// What a killed database forgot that it had been sent comes again, under the same id and byte for byte: at least once, and told apart.
	arrived := map[string]string{}
	hooked := func() []byte {
		t.Helper()
		for {
			d := next(t, deliveries)
			webhookID := d.header.Get("Webhook-Id")
			before, repeated := arrived[webhookID]
			arrived[webhookID] = string(d.body)
			if !repeated {
				return d.body
			}
			if before != string(d.body) {
				t.Errorf("%s is repeated as %s, was %s", webhookID, d.body, before)
			}
		}
	}
	id := ""
	made := func() {
		t.Helper()
		body := n.call(http.MethodPost, "/api/v1/items", `{"name":"item"}`).expect(t, http.StatusCreated).body
		for name, got := range map[string][]byte{"subscription": events.event().Document, "filtered subscription": searching.event().Document, "hook": hooked()} {
			if string(got) != string(body) {
				t.Errorf("the %s tells %s, want %s", name, got, body)
			}
		}
		id = (answer{body: body}).field(t, "id")
	}
	made()

	// While it is away, and not merely restarting: its supervisor starts it again within moments, so requests go on until one gets through.
	pid := pidOf(t, server.URL())
	unavailable := 0
	for range 3 {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for back, deadline := false, time.Now().Add(patience); !back; {
			if time.Now().After(deadline) {
				t.Fatal("the node does not come back")
			}
			for _, c := range [][3]string{{"GET", "/items/" + id, ""}, {"GET", "/items", ""}, {"POST", "/items", `{"name":" "}`}, {"PATCH", "/items/" + id, `{"name":" "}`}, {"GET", "/me", ""}} {
				got := n.call(c[0], "/api/v1"+c[1], c[2])
				switch got.status {
				case http.StatusServiceUnavailable:
					unavailable++
					if got.refused(t, c[1], http.StatusServiceUnavailable, "UNAVAILABLE"); got.header.Get("Retry-After") == "" {
						t.Errorf("%s: no Retry-After", c[1])
					}
				case http.StatusOK, http.StatusUnprocessableEntity:
					back = back || c[0] == "PATCH"
				default:
					t.Fatalf("%s %s: got %d %s", c[0], c[1], got.status, got.body)
				}
			}
			got := n.call(http.MethodPost, "/graphql", `{"query":"{ items { totalCount } }"}`)
			if _, codes := got.graphQL(t); len(codes) > 0 && codes[0] != "UNAVAILABLE" {
				t.Fatalf("GraphQL: %d %s", got.status, got.body)
			}
		}
		made()
		pid = pidOf(t, server.URL())
	}
	if unavailable == 0 {
		t.Error("the database was never away")
	}
}

// With no database at all, nobody's credentials are called wrong.
func TestOutage_WithoutADatabaseEverythingIsUnavailable(t *testing.T) {
	t.Parallel()
	server := dbtest.Cluster(t, nil)
	pool := openPool(t, server.URL())
	if err := db.Migrate(t.Context(), pool, sqlfiles.Migrations); err != nil {
		t.Fatal(err)
	}
	n := startNodeOn(t, pool)
	n.call(http.MethodGet, "/api/v1/me", "").expect(t, http.StatusOK)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for remembered := true; remembered && time.Now().Before(deadline); { // until the node has noticed
		remembered = n.call(http.MethodGet, "/api/v1/me", "").status == http.StatusOK
	}
	for _, authorization := range []string{basic(adminEmail, adminPassword), basic(adminEmail, "wrong"), basic("nobody@example.com", "x")} {
		for _, path := range []string{"/api/v1/me", "/api/v1/items"} {
			got := n.call(http.MethodGet, path, "", "Authorization", authorization).refused(t, path, http.StatusServiceUnavailable, "UNAVAILABLE")
			if got.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
		got := n.call(http.MethodPost, "/graphql", `{"query":"{ items { totalCount } }"}`, "Authorization", authorization)
		if _, codes := got.graphQL(t); len(codes) != 1 || codes[0] != "UNAVAILABLE" || got.status == http.StatusServiceUnavailable && got.header.Get("Retry-After") == "" {
			t.Errorf("GraphQL: %d %s", got.status, got.body)
		}
		s := n.dial()
		s.send(frame{"type": "connection_init", "payload": frame{"authorization": authorization}})
		if code, reason := s.closed(); code != 1013 {
			t.Errorf("a WebSocket is closed with %d %q, want 1013", code, reason)
		}
	}
}
