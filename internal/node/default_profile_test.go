package node_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

// profileOf returns the workflow profile in an item's document; "" for none.
func profileOf(t *testing.T, document []byte) string {
	t.Helper()
	var item struct {
		Workflow *struct {
			ProfileID string `json:"profile_id"`
			Status    string
		}
	}
	if err := json.Unmarshal(document, &item); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	if item.Workflow == nil {
		return ""
	}
	return item.Workflow.ProfileID
}

// created creates an item and returns its profile.
func created(by *nodetest.Client, body string) string {
	by.T.Helper()
	got := by.Call(http.MethodPost, "/api/v1/items", body).WantStatus(by.T, http.StatusCreated)
	return profileOf(by.T.(*testing.T), got.Body)
}

func setDefault(n *nodetest.Node, path, profile string) {
	n.T.Helper()
	value := "null"
	if profile != "" {
		value = `"` + profile + `"`
	}
	n.Call(http.MethodPatch, "/api/v1/"+path, `{"default_workflow_profile_id":`+value+`}`).WantStatus(n.T, http.StatusOK)
}

// A new item whose input names no profile gets its creator's default, else the account's, at every door.
func TestDefaultProfile_NewItemsGetTheirCreatorsElseTheAccounts(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	news, _ := n.CreateEditor("news")
	ofUser, ofAccount, other := n.CreateProfile("User's"), n.CreateProfile("Account's"), n.CreateProfile("Other")
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number"}`).WantStatus(t, http.StatusCreated)
	user := "users/" + n.UserID("news@example.com")
	_, token := makeToken(t, news, `{"tags":["a"]}`, writing...)
	browser := n.Browser()
	n.Login(browser, "news@example.com", nodetest.UserPassword)
	session := n.WithAuthorization("")
	imported := func(mediaType string, lines ...string) string {
		t.Helper()
		got := news.Call(http.MethodPost, "/api/v1/items/import", strings.Join(lines, "\n"), "Content-Type", mediaType).
			WantStatus(t, http.StatusOK)
		if !strings.Contains(string(got.Body), `"created":1`) {
			t.Fatalf("the import reports %s", got.Body)
		}
		items := news.Call(http.MethodGet, "/api/v1/items?sort=-created_at&limit=1", "").Body
		var list struct{ Results []json.RawMessage }
		if err := json.Unmarshal(items, &list); err != nil {
			t.Fatal(err)
		}
		return profileOf(t, list.Results[0])
	}
	overGraphQL := func(input string, variables nodetest.Vars) string {
		t.Helper()
		declared := ""
		if variables != nil {
			declared = "($p: ID)"
		}
		data := news.GraphQL(`mutation `+declared+` { createItem(input: `+input+`) { item { workflow { profileId } } } }`, variables)
		var got struct {
			CreateItem struct {
				Item struct{ Workflow *struct{ ProfileID string } }
			}
		}
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if got.CreateItem.Item.Workflow == nil {
			return ""
		}
		return got.CreateItem.Item.Workflow.ProfileID
	}
	const ndjson = "application/x-ndjson"
	for _, c := range []struct{ user, account, want string }{
		{"", "", ""}, {"", ofAccount, ofAccount}, {ofUser, ofAccount, ofUser}, {ofUser, "", ofUser},
	} {
		setDefault(n, "account", c.account)
		setDefault(n, user, c.user)
		for door, got := range map[string]string{
			"POST":               created(news, `{"name":"a"}`),
			"POST with a token":  created(token, `{"name":"a","tags":["a"]}`),
			"POST in a session":  profileOf(t, session.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Cookie", n.Cookies(browser)).WantStatus(t, http.StatusCreated).Body),
			"createItem":         overGraphQL(`{name: "a"}`, nil),
			"an absent variable": overGraphQL(`{name: "a", workflowProfileId: $p}`, nodetest.Vars{}),
			"NDJSON":             imported(ndjson, `{"name":"a"}`),
			"NDJSON with an id":  imported(ndjson, `{"id":"`+newID()+`","name":"a"}`),
			"JSON":               imported("application/json", `[{"name":"a"}]`),
			"CSV":                imported("text/csv", "name,year", "a,1927"),
			"CSV, an empty cell": imported("text/csv", "name,workflow_profile_id", "a,"),
		} {
			if got != c.want {
				t.Errorf("%s with the user's default %q and the account's %q: got %q, want %q", door, c.user, c.account, got, c.want)
			}
		}
		for door, got := range map[string]string{
			"POST":       created(news, `{"name":"a","workflow_profile_id":null}`),
			"escaped":    created(news, `{"name":"a","workflow_profile\u005fid":null}`),
			"createItem": overGraphQL(`{name: "a", workflowProfileId: null}`, nil),
			"a variable": overGraphQL(`{name: "a", workflowProfileId: $p}`, nodetest.Vars{"p": nil}),
			"NDJSON":     imported(ndjson, `{"name":"a","workflow_profile_id":null}`),
			"a document": imported(ndjson, `{"id":"`+newID()+`","name":"a","workflow":null,"revision":3}`),
		} {
			if got != "" {
				t.Errorf("%s with null: got %q", door, got)
			}
		}
		for door, got := range map[string]string{
			"POST":       created(news, `{"name":"a","workflow_profile_id":"`+other+`"}`),
			"createItem": overGraphQL(`{name: "a", workflowProfileId: "`+other+`"}`, nil),
			"NDJSON":     imported(ndjson, `{"name":"a","workflow_profile_id":"`+other+`"}`),
			"CSV":        imported("text/csv", "name,workflow_profile_id", "a,"+other),
		} {
			if got != other {
				t.Errorf("%s with a profile: got %q", door, got)
			}
		}
	}

	// Items that exist get no default: not by PUT, which empties what it leaves out, nor by PATCH or import.
	id := news.CreateItem(`{"name":"a","workflow_profile_id":null}`)
	for _, c := range [][3]string{{http.MethodPut, "/api/v1/items/" + id, `{"name":"b"}`},
		{http.MethodPatch, "/api/v1/items/" + id, `{"name":"c"}`},
		{http.MethodPost, "/api/v1/items/import", `{"id":"` + id + `","name":"d"}`}} {
		header := []string{}
		if c[0] == http.MethodPost {
			header = []string{"Content-Type", ndjson}
		}
		news.Call(c[0], c[1], c[2], header...).WantStatus(t, http.StatusOK)
		if got := profileOf(t, news.Call(http.MethodGet, "/api/v1/items/"+id, "").Body); got != "" {
			t.Errorf("%s gave an item the profile %s", c[0], got)
		}
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// A default that the creator's role must not see does not apply, and one that is deleted ends everywhere. Creating an
// item never fails because of a default.
func TestDefaultProfile_OneThatIsHiddenOrDeletedDoesNotApply(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	news, newsRole := n.CreateEditor("news")
	sport, _ := n.CreateEditor("sport")
	limited, open := n.CreateProfile("News", newsRole), n.CreateProfile("Open")
	setDefault(n, "account", limited)
	if got := created(sport, `{"name":"a"}`); got != "" {
		t.Errorf("the account's default, hidden from sport, applied: %s", got)
	}
	if got := created(news, `{"name":"a"}`); got != limited {
		t.Errorf("the account's default did not apply to news: %q", got)
	}
	sport.Call(http.MethodPost, "/api/v1/items", `{"name":"a","workflow_profile_id":"`+limited+`"}`).
		WantProblem(t, "named", http.StatusUnprocessableEntity, "RULE_VIOLATED")

	// The user's default, hidden, gives way to the account's.
	own := n.CreateProfile("Own")
	setDefault(n, "account", open)
	setDefault(n, "users/"+n.UserID("sport@example.com"), own)
	if got := created(sport, `{"name":"a"}`); got != own {
		t.Errorf("the user's default did not apply: %q", got)
	}
	n.Call(http.MethodPatch, "/api/v1/workflow-profiles/"+own, `{"role_ids":["`+newsRole+`"]}`).WantStatus(t, http.StatusOK)
	if got := created(sport, `{"name":"a"}`); got != open {
		t.Errorf("with the user's default hidden, got %q, want the account's", got)
	}

	// Deleting a profile clears it where it is a default, and the audit log tells.
	gone := n.CreateProfile("Gone")
	setDefault(n, "account", gone)
	setDefault(n, "users/"+n.UserID("sport@example.com"), gone)
	before := n.Call(http.MethodGet, "/api/v1/account", "").Object(t)["revision"].(float64)
	var creating sync.WaitGroup
	for range 4 {
		creating.Go(func() {
			for range 10 {
				sport.Call(http.MethodPost, "/api/v1/items", `{"name":"a","tags":["gone"]}`).WantStatus(t, http.StatusCreated)
			}
		})
	}
	deleted := func() bool {
		for _, item := range sport.Call(http.MethodGet, "/api/v1/items?tags=gone&limit=200", "").Results(t) {
			sport.Call(http.MethodDelete, "/api/v1/items/"+item["id"].(string), "")
		}
		return n.Call(http.MethodDelete, "/api/v1/workflow-profiles/"+gone, "").Status == http.StatusNoContent
	}
	nodetest.Eventually(t, "the profile is deleted", deleted)
	creating.Wait()
	got := n.Call(http.MethodGet, "/api/v1/account", "").WantStatus(t, http.StatusOK).Object(t)
	if got["default_workflow_profile_id"] != nil || got["revision"].(float64) != before+1 {
		t.Errorf("after the deletion, the account is %v", got)
	}
	user := n.Call(http.MethodGet, "/api/v1/users/"+n.UserID("sport@example.com"), "").WantStatus(t, http.StatusOK).Object(t)
	if user["default_workflow_profile_id"] != nil {
		t.Errorf("after the deletion, the user is %v", user)
	}
	if got := created(sport, `{"name":"a"}`); got != "" {
		t.Errorf("the deleted default applied: %s", got)
	}
	log := string(n.Call(http.MethodGet, "/api/v1/audit?action=account.updated,user.updated&limit=2", "").Body)
	if want := `{"default_workflow_profile_id":["` + gone + `",null]}`; strings.Count(log, want) != 2 {
		t.Errorf("the audit log lacks %s twice: %s", want, log)
	}
}

// Nodes keep users in a cache. A new default applies on every node within a moment, and where it was set at once.
func TestDefaultProfile_AChangeIsKnownOnEveryNode(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	first := nodetest.StartOn(t, nodetest.OpenPool(t, url))
	second := nodetest.StartOn(t, nodetest.OpenPool(t, url))
	news, _ := first.CreateEditor("news")
	profiles := []string{first.CreateProfile("One"), first.CreateProfile("Two"), ""}
	elsewhere := second.As("news@example.com", nodetest.UserPassword)
	token := second.InsertToken(nodetest.Token{Of: "news@example.com",
		Permissions: account.Permissions{account.ItemsView, account.ItemsCreate}})
	for _, of := range []string{"account", "users/" + first.UserID("news@example.com")} {
		for _, profile := range profiles {
			setDefault(first, of, profile)
			if got := created(news, `{"name":"a"}`); got != profile {
				t.Errorf("%s: on the node of the change, got %q, want %q", of, got, profile)
			}
			nodetest.Eventually(t, "the other node knows the default of "+of, func() bool {
				return created(elsewhere, `{"name":"a"}`) == profile && created(token.Client, `{"name":"a"}`) == profile
			})
		}
	}
}
