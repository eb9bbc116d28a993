package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/account"
)

// limited makes a workflow profile that is limited to roles, and returns its id.
func (n *apiClient) limited(name string, roles ...string) string {
	n.t.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "role_ids": append([]string{}, roles...)})
	if err != nil {
		n.t.Fatal(err)
	}
	return n.call(http.MethodPost, "/api/v1/workflow-profiles", string(body)).expect(n.t, http.StatusCreated).field(n.t, "id")
}

// editor makes a role that may do all with items, and a user of it.
func (n *apiClient) editor(name string) (*apiClient, string) {
	n.t.Helper()
	role := n.role(name, account.APIAccess, account.ItemsView, account.ItemsCreate, account.ItemsEdit, account.ItemsDelete, account.ItemsPublish)
	return n.person(name+"@example.com", role), role
}

// An item of a profile that is limited to roles does not exist for anybody else: an editor of another role, and an administrator too.
func TestProfiles_ItemsDoNotExistForOtherRoles(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	news, newsRole := n.editor("news")
	sport, _ := n.editor("sport")
	profile := n.limited("News", newsRole)
	item := news.call(http.MethodPost, "/api/v1/items", `{"name":"Secret","tags":["secret"],"workflow_profile_id":"`+profile+`"}`).expect(t, http.StatusCreated)
	if got := item.field(t, "workflow"); !strings.Contains(got, `"status":"pending"`) || !strings.Contains(got, profile) {
		t.Errorf("workflow is %s", got)
	}
	id := item.field(t, "id")
	news.call(http.MethodPatch, "/api/v1/items/"+id, `{"name":"Still secret"}`).expect(t, http.StatusOK)
	await(t, func() bool {
		return strings.Contains(string(news.call(http.MethodGet, "/api/v1/items/"+id+"/history", "").body), "UPDATED")
	})
	for who, other := range map[string]*apiClient{"sport": sport, "the administrator": n.apiClient} {
		n.leavesNothing(func() {
			for _, c := range [][3]string{{"GET", "", ""}, {"PUT", "", `{"name":"x"}`}, {"PATCH", "", `{"name":"x"}`}, {"PATCH", "", `{"name":""}`}, {"DELETE", "", ""}, {"GET", "/history", ""}, {"POST", "/trigger-hook", ""}} {
				other.call(c[0], "/api/v1/items/"+id+c[1], c[2]).refused(t, who+" "+c[0]+c[1], http.StatusNotFound, "NOT_FOUND")
			}
			for _, path := range []string{"/items?count=true", "/items?count=true&sort=name", "/items?count=true&sort=created_at", "/items?search=secret&count=true", "/items/export", "/tags"} {
				if got := other.call(http.MethodGet, "/api/v1"+path, "").expect(t, http.StatusOK); strings.Contains(strings.ToLower(string(got.body)), "secret") ||
					strings.Contains(path, "count") && !strings.Contains(string(got.body), `"count":0`) {
					t.Errorf("%s: %s shows %s", who, path, got.body)
				}
			}
			data, _ := other.exec(`query ($id: ID!) { item(id: $id) { name } items { nodes { name } totalCount } tags { name } }`, vars{"id": id})
			if string(data) != `{"item":null,"items":{"nodes":[],"totalCount":0},"tags":[]}` {
				t.Errorf("%s: GraphQL shows %s", who, data)
			}
			// Nor can one put an item out of one's own sight, or into a profile that one does not see.
			got := other.call(http.MethodPost, "/api/v1/items", `{"name":"x","workflow_profile_id":"`+profile+`"}`).refused(t, who, http.StatusUnprocessableEntity, "RULE_VIOLATED")
			if places := got.places(t); len(places) != 1 || places[0] != "#/workflow_profile_id" {
				t.Errorf("faults at %q", places)
			}
		})
		imported := other.call(http.MethodPost, "/api/v1/items/import", `{"id":"`+id+`","name":"Taken over"}`, "Content-Type", "application/x-ndjson").expect(t, http.StatusOK)
		if !strings.Contains(string(imported.body), `"rejected":1`) {
			t.Errorf("%s: an import says %s", who, imported.body)
		}
	}
	n.call(http.MethodDelete, "/api/v1/workflow-profiles/"+profile, "").refused(t, "in use", http.StatusConflict, "CONFLICT")
	n.call(http.MethodDelete, "/api/v1/roles/"+newsRole, "").refused(t, "in use", http.StatusConflict, "CONFLICT")

	// A profile for all hides nothing; the profile's roles count at once.
	n.call(http.MethodPatch, "/api/v1/workflow-profiles/"+profile, `{"role_ids":[]}`).expect(t, http.StatusOK)
	sport.call(http.MethodGet, "/api/v1/items/"+id, "").expect(t, http.StatusOK)
	n.call(http.MethodPatch, "/api/v1/workflow-profiles/"+profile, `{"role_ids":["`+newsRole+`"]}`).expect(t, http.StatusOK)
	sport.call(http.MethodGet, "/api/v1/items/"+id, "").expect(t, http.StatusNotFound)
	news.call(http.MethodGet, "/api/v1/items/"+id, "").expect(t, http.StatusOK)

	// Who may give an item a profile finds it, and none that is for others.
	for who, c := range map[string]struct {
		user   *apiClient
		status int
	}{"news": {news, http.StatusOK}, "sport": {sport, http.StatusNotFound}, "who manages them": {n.as(adminEmail, adminPassword), http.StatusOK}} {
		c.user.call(http.MethodGet, "/api/v1/workflow-profiles/"+profile, "").expect(t, c.status)
		listed := c.user.call(http.MethodGet, "/api/v1/workflow-profiles", "").expect(t, http.StatusOK)
		if strings.Contains(string(listed.body), profile) != (c.status == http.StatusOK) {
			t.Errorf("%s is told of %s", who, listed.body)
		}
	}

	// An export can be imported again: the item stays where it is.
	exported := news.call(http.MethodGet, "/api/v1/items/export", "").expect(t, http.StatusOK)
	again := news.call(http.MethodPost, "/api/v1/items/import", string(exported.body), "Content-Type", "application/x-ndjson").expect(t, http.StatusOK)
	if !strings.Contains(string(again.body), `"unchanged":1`) {
		t.Errorf("an export is imported as %s", again.body)
	}
}

// A follower is told of an item while it is in sight: that it came into it, and once that it went.
func TestProfiles_FollowersSeeItemsComeAndGo(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	news, newsRole := n.editor("news")
	sport, _ := n.editor("sport")
	events := sport.subscribe(follow, nil)
	filtered := sport.subscribe(`subscription { itemChanges(filter: {tags: ["a"]}) { cursor kind revision document } }`, nil)
	position := sport.call(http.MethodGet, "/api/v1/items", "").expect(t, http.StatusOK).header.Get("Itemcast-Change-Cursor")

	profile := n.limited("News", newsRole)
	path := "/api/v1/items/" + news.call(http.MethodPost, "/api/v1/items", `{"name":"hidden","tags":["a"],"workflow_profile_id":"`+profile+`"}`).expect(t, http.StatusCreated).field(t, "id")
	news.call(http.MethodPatch, path, `{"name":"still hidden"}`).expect(t, http.StatusOK)
	news.call(http.MethodPatch, path, `{"name":"shown","workflow_profile_id":null}`).expect(t, http.StatusOK)
	news.call(http.MethodPatch, path, `{"name":"hidden again","workflow_profile_id":"`+profile+`"}`).expect(t, http.StatusOK)
	news.call(http.MethodPatch, path, `{"name":"more"}`).expect(t, http.StatusOK)
	news.call(http.MethodPatch, path, `{"workflow_profile_id":null,"name":"back"}`).expect(t, http.StatusOK)
	want := []string{"ENTERED 3 shown", "LEFT 4 shown", "ENTERED 6 back"}
	for name, s := range map[string]*socket{"all": events, "filtered": filtered} {
		for _, line := range want {
			e := s.event()
			var of struct{ Name string }
			if err := json.Unmarshal(e.Document, &of); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(e.Kind, " ", e.Revision, " ", of.Name); got != line {
				t.Errorf("%s: got %s, want %s", name, got, line)
			}
		}
	}
	var page struct {
		Results []struct {
			Kind     string
			Revision int
			Document struct{ Name string }
		}
	}
	body := sport.call(http.MethodGet, "/api/v1/changes?after="+position, "").expect(t, http.StatusOK).body
	if err := json.Unmarshal(body, &page); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range page.Results {
		got = append(got, fmt.Sprint(r.Kind, " ", r.Revision, " ", r.Document.Name))
	}
	if strings.Join(got, "; ") != strings.Join(want, "; ") || strings.Contains(string(body), "idden") {
		t.Errorf("got %q", got)
	}
	// The history of what is in sight now leaves out what was not.
	history := string(sport.call(http.MethodGet, path+"/history", "").expect(t, http.StatusOK).body)
	if strings.Contains(history, "hidden") || strings.Contains(history, "more") || !strings.Contains(history, "shown") || !strings.Contains(history, "back") {
		t.Errorf("the history shows %s", history)
	}
}

// What was rendered before a profile was limited is nobody's any more who comes back for it.
func TestProfiles_ALimitGoesForWhatStreamsKeep(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	_, newsRole := n.editor("news")
	sport, _ := n.editor("sport")
	profile := n.limited("Open")
	position := sport.call(http.MethodGet, "/api/v1/items", "").expect(t, http.StatusOK).header.Get("Itemcast-Change-Cursor")
	staying := sport.subscribe(follow, nil) // keeps the stream alive
	n.call(http.MethodPost, "/api/v1/items", `{"name":"once open","workflow_profile_id":"`+profile+`"}`).expect(t, http.StatusCreated)
	if e := staying.event(); e.Kind != "CREATED" {
		t.Errorf("got %s", e.Kind)
	}
	n.call(http.MethodPatch, "/api/v1/workflow-profiles/"+profile, `{"role_ids":["`+newsRole+`"]}`).expect(t, http.StatusOK)
	await(t, func() bool { // the notification is on its way
		return !strings.Contains(string(sport.call(http.MethodGet, "/api/v1/changes?after="+position, "").body), "once open")
	})
	n.call(http.MethodPost, "/api/v1/items", `{"name":"open"}`).expect(t, http.StatusCreated)
	if e := staying.event(); !strings.Contains(string(e.Document), `"name":"open"`) {
		t.Errorf("got %s", e.Document)
	}
}
