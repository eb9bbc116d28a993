package node_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/node/nodetest"
)

// The budget: a request runs as many statements as a hand-written handler.
func TestStatements_RequestsStayWithinTheirBudget(t *testing.T) {
	t.Parallel()
	n, trace := nodetest.StartTraced(t)
	// The node forgets a token when the notification of its insertion arrives: long before the items are made.
	token := n.InsertToken(nodetest.Token{Permissions: []account.Permission{account.ItemsView, account.ItemsEdit}})
	narrow := n.InsertToken(nodetest.Token{Permissions: []account.Permission{account.ItemsView, account.ItemsEdit},
		Filter: item.Filter{Tags: []string{"a"}}})
	defaulting := n.CreateUser("default@example.com", n.RoleID("Editor"))
	profile := n.CreateProfile("Default")
	setDefault(n, "users/"+n.UserID("default@example.com"), profile)
	path := ""
	for i := range 60 {
		made := n.Call(http.MethodPost, "/api/v1/items",
			fmt.Sprintf(`{"name":"item %d","tags":["a","b"],"assets":[{"kind":"source","url":"https://example.com/%d","content_type":"video/mp4"}]}`, i, i))
		path = "/api/v1/items/" + made.WantStatus(t, http.StatusCreated).Field(t, "id")
	}
	nodetest.Eventually(t, "the last item has its position", func() bool {
		return strings.Contains(string(n.Call(http.MethodGet, path+"/history", "").WantStatus(t, http.StatusOK).Body),
			"CREATED")
	})
	holding := n.CreateItem(`{"name":"holding"}`)
	addHeld(n, holding)
	role := n.RoleID("Administrator")
	browser := n.Browser()
	n.Login(browser, nodetest.AdminEmail, nodetest.AdminPassword)
	cookie := []string{"Authorization", "", "Cookie", n.Cookies(browser)}
	for _, by := range []nodetest.InsertedToken{token, narrow} { // they are cached from now on
		by.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK)
	}
	defaulting.CreateItem(`{"name":"default"}`) // the user and the profile's definition are cached from now on
	page := func(path string, status int) {
		t.Helper()
		n.WithAuthorization("").Page(browser, path).WantStatus(t, status)
	}
	n.Call(http.MethodGet, "/api/v1/me", "", cookie...).WantStatus(t, http.StatusOK) // the session is cached from now on
	for name, c := range map[string]struct {
		max int
		do  func()
	}{
		"get by token":        {1, func() { token.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK) }},
		"get by a filter":     {1, func() { narrow.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK) }},
		"list by a filter":    {1, func() { narrow.Call(http.MethodGet, "/api/v1/items?limit=50", "").WantStatus(t, http.StatusOK) }},
		"history by a filter": {1, func() { narrow.Call(http.MethodGet, path+"/history", "").WantStatus(t, http.StatusOK) }},
		"patch by a filter":   {2, func() { narrow.Call(http.MethodPatch, path, `{"name":"by token"}`).WantStatus(t, http.StatusOK) }},
		"tags by a filter":    {1, func() { narrow.Call(http.MethodGet, "/api/v1/tags", "").WantStatus(t, http.StatusOK) }},
		"GraphQL by a filter": {2, func() { narrow.GraphQL(`{ items(first: 50) { totalCount nodes { id name } } }`, nil) }},
		"get by session":      {1, func() { n.Call(http.MethodGet, path, "", cookie...).WantStatus(t, http.StatusOK) }},
		"page":                {1, func() { page(path, http.StatusOK) }},
		"page of a list":      {1, func() { page("/api/v1/items?limit=50", http.StatusOK) }},
		"page of an error": {1, func() {
			page("/api/v1/items/"+uuid.NewString(), http.StatusNotFound)
		}},
		"page of a form": {0, func() {
			page("/api/v1/me/password", http.StatusMethodNotAllowed)
		}},
		"get": {1, func() { n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK) }},
		"create": {3, func() {
			n.Call(http.MethodPost, "/api/v1/items", `{"name":"one more"}`).WantStatus(t, http.StatusCreated)
		}},
		// One more: the profile is held, so that it is not deleted meanwhile.
		"create with a profile": {4, func() {
			n.Call(http.MethodPost, "/api/v1/items", `{"name":"one more","workflow_profile_id":"`+profile+`"}`).
				WantStatus(t, http.StatusCreated)
		}},
		"create with a default": {4, func() {
			defaulting.Call(http.MethodPost, "/api/v1/items", `{"name":"one more"}`).WantStatus(t, http.StatusCreated)
		}},
		"list":    {1, func() { n.Call(http.MethodGet, "/api/v1/items?limit=50", "").WantStatus(t, http.StatusOK) }},
		"history": {1, func() { n.Call(http.MethodGet, path+"/history", "").WantStatus(t, http.StatusOK) }},
		// BEGIN with the lock, then the update and the change with COMMIT.
		"patch": {2, func() { n.Call(http.MethodPatch, path, `{"name":"other"}`).WantStatus(t, http.StatusOK) }},
		"patch with files of ours": {2, func() {
			n.Call(http.MethodPatch, "/api/v1/items/"+holding, `{"name":"other"}`).WantStatus(t, http.StatusOK)
		}},
		"no change": {2, func() { n.Call(http.MethodPatch, path, `{}`).WantStatus(t, http.StatusOK) }},
		"GraphQL": {3, func() {
			n.GraphQL(`{ items(first: 50) { nodes { id name tags assets { url } createdBy { name } } } }`, nil)
		}},
		"list of nothing":          {1, func() { n.Call(http.MethodGet, "/api/v1/items?tags=none", "").WantStatus(t, http.StatusOK) }},
		"GraphQL with its cursor":  {1, func() { n.GraphQL(`{ items(first: 50) { changeCursor nodes { id name } } }`, nil) }},
		"GraphQL node of an item":  {1, func() { n.GraphQL(`{ node(id: "`+path[len("/api/v1/items/"):]+`") { id ... on Item { name } } }`, nil) }},
		"GraphQL node of a role":   {1, func() { n.GraphQL(`{ node(id: "`+role+`") { id ... on Role { name } } }`, nil) }},
		"GraphQL node of any type": {7, func() { n.GraphQL(`{ node(id: "`+role+`") { __typename } }`, nil) }},
		"GraphQL node of no type":  {9, func() { n.GraphQL(`{ node(id: "`+uuid.NewString()+`") { id } }`, nil) }},
		"GraphQL list with its edges": {1, func() {
			n.GraphQL(`{ roles(first: 50) { edges { cursor node { name } } pageInfo { endCursor } } }`, nil)
		}},
		"GraphQL history by edges": {2, func() {
			n.GraphQL(`{ item(id: "`+path[len("/api/v1/items/"):]+`") { history { edges { cursor node { kind } } } } }`, nil)
		}},
		"GraphQL items by id": {1, func() {
			n.GraphQL(`{ a: item(id: "`+path[len("/api/v1/items/"):]+`") { id } b: item(id: "`+path[len("/api/v1/items/"):]+
				`") { name } }`, nil)
		}},
	} {
		if named := trace.During(c.do); len(named) > c.max {
			t.Errorf("%s: %d statements, at most %d are allowed: %q", name, len(named), c.max, named)
		}
	}
}
