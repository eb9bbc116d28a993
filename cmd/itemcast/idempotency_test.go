package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/db/dbtest"
)

// A request with a key holds a connection until it is answered. Were it to ask for another meanwhile, a few of them would wait for each other,
// and everybody for them: so each is to do with one. An item's document is of an older renderer, for what reads one to render it anew.
func TestIdempotency_NoRequestNeedsASecondConnection(t *testing.T) {
	t.Parallel()
	database, err := url.Parse(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	query := database.Query()
	query.Set("pool_max_conns", "1")
	database.RawQuery = query.Encode()
	n := startNodeOn(t, openPool(t, database.String()))
	create := func(path, body string) string {
		return n.call(http.MethodPost, "/api/v1"+path, body).expect(t, http.StatusCreated).field(t, "id")
	}
	target, deliveries := receiver(t)
	hook := create("/hooks", `{"url":"`+target+`","events":["item.created","item.triggered"]}`)
	item := create("/items", `{"name":"a"}`)
	delivery := next(t, deliveries).header.Get("Webhook-Id")
	await(t, func() bool {
		got := n.call(http.MethodGet, "/api/v1/deliveries/"+delivery, "")
		return got.status == http.StatusOK && got.field(t, "state") != "pending"
	})
	role := n.roleNamed("Viewer")
	program := create("/users", `{"email":"program@example.com","kind":"api","role_id":"`+role+`"}`)
	if _, err := n.pool.Exec(t.Context(), "UPDATE item SET document_version = 0"); err != nil {
		t.Fatal(err)
	}

	ids := map[string]string{"items": item, "hooks": hook, "deliveries": delivery, "users": program,
		"/users/{id}/reset-link": n.userID(adminEmail)}
	bodies := map[string]string{
		"/users":             `{"email":"person@example.com","role_id":"` + role + `","password":"` + userPassword + `"}`,
		"/hooks/{id}/replay": `{"since":"2026-01-01T00:00:00Z"}`,
	}
	var spec object
	if err := json.Unmarshal(n.Node.Contract.JSON(), &spec); err != nil {
		t.Fatal(err)
	}
	posts := 0
	for _, path := range slices.Sorted(maps.Keys(spec.at("paths"))) {
		operation := spec.at("paths", path, "post")
		mediaType, body := spec.body(operation)
		if operation == nil || mediaType == "application/x-ndjson" { // which is no transaction
			continue
		}
		posts++
		id, ok := ids[path]
		if !ok {
			id = ids[strings.Split(path, "/")[1]]
		}
		if given, ok := bodies[path]; ok {
			body = given
		}
		got := n.call(http.MethodPost, "/api/v1"+strings.ReplaceAll(path, "{id}", id), body, "Idempotency-Key", fmt.Sprint("key ", posts))
		if got.status >= 300 {
			t.Errorf("POST %s: got %d %s", path, got.status, got.body)
		}
	}
	if posts < 10 {
		t.Errorf("only %d operations were found", posts)
	}
}

func TestIdempotency_APermissionThatIsGoneEndsReplaysToo(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	role := n.role("manager", account.APIAccess, account.UsersManage)
	manager := n.person("manager@example.com", role)
	create := func() answer {
		return manager.call(http.MethodPost, "/api/v1/users", `{"email":"program@example.com","kind":"api","role_id":"`+role+`"}`, "Idempotency-Key", "once")
	}
	first := create().expect(t, http.StatusCreated)
	if again := create().expect(t, http.StatusCreated); again.header.Get("Idempotent-Replayed") != "true" || again.field(t, "password") != first.field(t, "password") {
		t.Errorf("the repeat got %s", again.body)
	}
	n.call(http.MethodPatch, "/api/v1/roles/"+role, `{"permissions":["api.access"]}`).expect(t, http.StatusOK)
	await(t, func() bool { return manager.call(http.MethodGet, "/api/v1/users", "").status == http.StatusForbidden })
	if got := create().expect(t, http.StatusForbidden); got.code(t) != "FORBIDDEN" || strings.Contains(string(got.body), first.field(t, "password")) {
		t.Errorf("the repeat got %s", got.body)
	}
}
