package node_test

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
	"itemcast/internal/node/nodetest"
)

// A request with a key holds a connection until it is answered. If such requests needed a second one, a few of them
// would wait for each other and block all others. The item's document has an old version, so that reads render it
// again.
func TestIdempotency_NoRequestNeedsASecondConnection(t *testing.T) {
	t.Parallel()
	database, err := url.Parse(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	query := database.Query()
	query.Set("pool_max_conns", "1")
	database.RawQuery = query.Encode()
	n := nodetest.StartOn(t, nodetest.OpenPool(t, database.String()))
	create := func(path, body string) string {
		return n.Call(http.MethodPost, "/api/v1"+path, body).WantStatus(t, http.StatusCreated).Field(t, "id")
	}
	target, deliveries := nodetest.StartReceiver(t)
	hook := create("/hooks", `{"url":"`+target+`","events":["item.created","item.triggered"]}`)
	item := create("/items", `{"name":"a"}`)
	delivery := nodetest.Next(t, deliveries).Header.Get("Webhook-Id")
	nodetest.Eventually(t, "the delivery has ended", func() bool {
		got := n.Call(http.MethodGet, "/api/v1/deliveries/"+delivery, "")
		return got.Status == http.StatusOK && got.Field(t, "state") != "pending"
	})
	role := n.RoleID("Viewer")
	program := create("/users", `{"email":"program@example.com","kind":"api","role_id":"`+role+`"}`)
	if _, err := n.Pool.Exec(t.Context(), "UPDATE item SET document_version = 0"); err != nil {
		t.Fatal(err)
	}

	const step = "/items/{id}/workflow/actions/{key}/"
	profile := create("/workflow-profiles", `{"name":"Steps","actions":[{"key":"key","kind":"approve"}]}`)
	editing := create("/workflow-profiles", `{"name":"Edit","actions":[{"key":"key","kind":"edit"}]}`)
	over := create("/workflow-profiles", `{"name":"Archive","actions":[{"key":"key","kind":"archive"}]}`)
	running := func(profile, status string) (id string) {
		id = create("/items", `{"name":"a","workflow_profile_id":"`+profile+`"}`)
		nodetest.Eventually(t, "the workflow is "+status, func() bool {
			return n.Call(http.MethodGet, "/api/v1/items/"+id+"/workflow", "").Field(t, "status") == status
		})
		return id
	}
	token := create("/tokens", `{"name":"a","permissions":["items.view"]}`)
	ids := map[string]string{"items": item, "hooks": hook, "deliveries": delivery, "users": program, "tokens": token,
		"/users/{id}/reset-link": n.UserID(nodetest.AdminEmail), "workflow-profiles": profile,
		"/items/{id}/workflow": running(over, "completed"), "/items/{id}/workflow/cancel": running(profile, "waiting"),
		step + "approve": running(profile, "waiting"), step + "reject": running(profile, "waiting"),
		step + "complete": running(editing, "waiting")}
	bodies := map[string]string{
		"/users":               `{"email":"person@example.com","role_id":"` + role + `","password":"` + nodetest.UserPassword + `"}`,
		"/items/{id}/workflow": `{}`,
		"/hooks/{id}/replay":   `{"since":"2026-01-01T00:00:00Z"}`,
	}
	var spec object
	if err := json.Unmarshal(n.Contract.JSON(), &spec); err != nil {
		t.Fatal(err)
	}
	posts := 0
	for _, path := range slices.Sorted(maps.Keys(spec.at("paths"))) {
		operation := spec.at("paths", path, "post")
		if operation == nil || operation["x-streams"] != nil { // the import and files: their key opens no transaction
			continue
		}
		_, body := spec.body(operation)
		posts++
		id, ok := ids[path]
		if !ok {
			id = ids[strings.Split(path, "/")[1]]
		}
		if given, ok := bodies[path]; ok {
			body = given
		}
		got := n.Call(http.MethodPost, "/api/v1"+strings.NewReplacer("{id}", id, "{key}", "key").Replace(path), body, "Idempotency-Key",
			fmt.Sprint("key ", posts))
		if got.Status >= 300 {
			t.Errorf("POST %s: got %d %s", path, got.Status, got.Body)
		}
	}
	if posts < 10 {
		t.Errorf("only %d operations were found", posts)
	}
}

func TestIdempotency_ARevokedPermissionEndsReplaysToo(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	role := n.CreateRole("manager", account.APIAccess, account.UsersManage)
	manager := n.CreateUser("manager@example.com", role)
	create := func() nodetest.Response {
		return manager.Call(http.MethodPost, "/api/v1/users",
			`{"email":"program@example.com","kind":"api","role_id":"`+role+`"}`, "Idempotency-Key", "once")
	}
	first := create().WantStatus(t, http.StatusCreated)
	if again := create().WantStatus(t, http.StatusCreated); again.Header.Get("Idempotent-Replayed") != "true" ||
		again.Field(t, "password") != first.Field(t, "password") {
		t.Errorf("the repeat got %s", again.Body)
	}
	n.Call(http.MethodPatch, "/api/v1/roles/"+role, `{"permissions":["api.access"]}`).WantStatus(t, http.StatusOK)
	nodetest.Eventually(t, "the permission is gone",
		func() bool { return manager.Call(http.MethodGet, "/api/v1/users", "").Status == http.StatusForbidden })
	if got := create().WantStatus(t, http.StatusForbidden); got.Code(t) != "FORBIDDEN" ||
		strings.Contains(string(got.Body), first.Field(t, "password")) {
		t.Errorf("the repeat got %s", got.Body)
	}
}
