package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// An item whose profile is limited to roles does not exist for users with other roles, administrators included.
func TestProfiles_ItemsDoNotExistForOtherRoles(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	news, newsRole := n.CreateEditor("news")
	sport, _ := n.CreateEditor("sport")
	profile := n.CreateProfile("News", newsRole)
	item := news.Call(http.MethodPost, "/api/v1/items",
		`{"name":"Secret","tags":["secret"],"workflow_profile_id":"`+profile+`"}`).WantStatus(t, http.StatusCreated)
	if got := item.Field(t, "workflow"); !strings.Contains(got, `"status":"pending"`) || !strings.Contains(got, profile) {
		t.Errorf("workflow is %s", got)
	}
	id := item.Field(t, "id")
	news.Call(http.MethodPatch, "/api/v1/items/"+id, `{"name":"Still secret"}`).WantStatus(t, http.StatusOK)
	nodetest.Eventually(t, "the history has the change", func() bool {
		return strings.Contains(string(news.Call(http.MethodGet, "/api/v1/items/"+id+"/history", "").Body), "UPDATED")
	})
	for who, other := range map[string]*nodetest.Client{"sport": sport, "the administrator": n.Client} {
		n.WantNoWrites(func() {
			for _, c := range [][3]string{{"GET", "", ""}, {"PUT", "", `{"name":"x"}`}, {"PATCH", "", `{"name":"x"}`},
				{"PATCH", "", `{"name":""}`}, {"DELETE", "", ""}, {"GET", "/history", ""}, {"POST", "/trigger-hook", ""}} {
				other.Call(c[0], "/api/v1/items/"+id+c[1], c[2]).WantProblem(t, who+" "+c[0]+c[1], http.StatusNotFound, "NOT_FOUND")
			}
			for _, path := range []string{"/items?count=true", "/items?count=true&sort=name",
				"/items?count=true&sort=created_at", "/items?search=secret&count=true", "/items/export", "/tags"} {
				if got := other.Call(http.MethodGet, "/api/v1"+path, "").
					WantStatus(t, http.StatusOK); strings.Contains(strings.ToLower(string(got.Body)), "secret") ||
					strings.Contains(path, "count") && !strings.Contains(string(got.Body), `"count":0`) {
					t.Errorf("%s: %s shows %s", who, path, got.Body)
				}
			}
			data := other.GraphQL(`query ($id: ID!) { item(id: $id) { name } items { nodes { name } totalCount } tags { name } }`, nodetest.Vars{"id": id})
			if string(data) != `{"item":null,"items":{"nodes":[],"totalCount":0},"tags":[]}` {
				t.Errorf("%s: GraphQL shows %s", who, data)
			}
			// Users cannot put an item into a profile that they do not see.
			got := other.Call(http.MethodPost, "/api/v1/items", `{"name":"x","workflow_profile_id":"`+profile+`"}`).
				WantProblem(t, who, http.StatusUnprocessableEntity, "RULE_VIOLATED")
			if places := got.FaultPlaces(t); len(places) != 1 || places[0] != "#/workflow_profile_id" {
				t.Errorf("faults at %q", places)
			}
		})
		imported := other.Call(http.MethodPost, "/api/v1/items/import", `{"id":"`+id+`","name":"Taken over"}`, "Content-Type",
			"application/x-ndjson").WantStatus(t, http.StatusOK)
		if !strings.Contains(string(imported.Body), `"rejected":1`) {
			t.Errorf("%s: the import reports %s", who, imported.Body)
		}
	}
	n.Call(http.MethodDelete, "/api/v1/workflow-profiles/"+profile, "").
		WantProblem(t, "in use", http.StatusConflict, "CONFLICT")
	n.Call(http.MethodDelete, "/api/v1/roles/"+newsRole, "").WantProblem(t, "in use", http.StatusConflict, "CONFLICT")

	// A profile without roles hides nothing. A change of its roles has effect at once.
	n.Call(http.MethodPatch, "/api/v1/workflow-profiles/"+profile, `{"role_ids":[]}`).WantStatus(t, http.StatusOK)
	sport.Call(http.MethodGet, "/api/v1/items/"+id, "").WantStatus(t, http.StatusOK)
	n.Call(http.MethodPatch, "/api/v1/workflow-profiles/"+profile, `{"role_ids":["`+newsRole+`"]}`).
		WantStatus(t, http.StatusOK)
	sport.Call(http.MethodGet, "/api/v1/items/"+id, "").WantStatus(t, http.StatusNotFound)
	news.Call(http.MethodGet, "/api/v1/items/"+id, "").WantStatus(t, http.StatusOK)

	// Users see the profiles that they may give to an item.
	for who, c := range map[string]struct {
		user   *nodetest.Client
		status int
	}{"news": {news, http.StatusOK}, "sport": {sport, http.StatusNotFound},
		"the manager of profiles": {n.As(nodetest.AdminEmail, nodetest.AdminPassword), http.StatusOK}} {
		c.user.Call(http.MethodGet, "/api/v1/workflow-profiles/"+profile, "").WantStatus(t, c.status)
		listed := c.user.Call(http.MethodGet, "/api/v1/workflow-profiles", "").WantStatus(t, http.StatusOK)
		if strings.Contains(string(listed.Body), profile) != (c.status == http.StatusOK) {
			t.Errorf("%s sees %s", who, listed.Body)
		}
	}

	// Importing an export does not change the profile.
	exported := news.Call(http.MethodGet, "/api/v1/items/export", "").WantStatus(t, http.StatusOK)
	again := news.Call(http.MethodPost, "/api/v1/items/import", string(exported.Body), "Content-Type",
		"application/x-ndjson").WantStatus(t, http.StatusOK)
	if !strings.Contains(string(again.Body), `"unchanged":1`) {
		t.Errorf("an export is imported as %s", again.Body)
	}
}

// The log has documents of items that had a profile. When the profile is deleted, they stay hidden.
func TestProfiles_ADeletedProfileHidesWhatItHid(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	news, newsRole := n.CreateEditor("news")
	sport, _ := n.CreateEditor("sport")
	events := sport.Subscribe(nodetest.FollowQuery, nil)
	position := sport.Call(http.MethodGet, "/api/v1/items", "").
		WantStatus(t, http.StatusOK).Header.Get("Itemcast-Change-Cursor")
	profile := n.CreateProfile("News", newsRole)
	create := func() string {
		return "/api/v1/items/" + news.Call(http.MethodPost, "/api/v1/items",
			`{"name":"secret","workflow_profile_id":"`+profile+`"}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	}
	moved, deleted := create(), create()
	news.Call(http.MethodPatch, moved, `{"name":"open","workflow_profile_id":null}`).WantStatus(t, http.StatusOK)
	news.Call(http.MethodDelete, deleted, "").WantStatus(t, http.StatusNoContent)
	n.Call(http.MethodDelete, "/api/v1/workflow-profiles/"+profile, "").WantStatus(t, http.StatusNoContent)
	marker := sport.CreateItem(`{"name":"marker"}`)

	nodetest.Eventually(t, "the feed has the last change", func() bool {
		got := sport.Call(http.MethodGet, "/api/v1/changes?after="+position, "").WantStatus(t, http.StatusOK)
		if strings.Contains(string(got.Body), "secret") {
			t.Fatalf("the feed shows %s", got.Body)
		}
		return strings.Contains(string(got.Body), marker)
	})
	if got := sport.Call(http.MethodGet, moved+"/history", "").WantStatus(t, http.StatusOK); strings.Contains(string(got.Body), "secret") {
		t.Errorf("the history shows %s", got.Body)
	}
	sport.Call(http.MethodGet, deleted+"/history", "").WantStatus(t, http.StatusNotFound)
	for {
		_, payload := events.Receive()
		if strings.Contains(string(payload), "secret") {
			t.Fatalf("a subscription shows %s", payload)
		}
		if strings.Contains(string(payload), marker) {
			break
		}
	}
	if got := news.Call(http.MethodGet, moved+"/history", "").WantStatus(t, http.StatusOK); !strings.Contains(string(got.Body), "secret") {
		t.Errorf("the profile's role lost the history: %s", got.Body)
	}
}

// A follower gets an item's changes while it sees the item, ENTERED at first and LEFT at last.
func TestProfiles_FollowersSeeItemsComeAndGo(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	news, newsRole := n.CreateEditor("news")
	sport, _ := n.CreateEditor("sport")
	events := sport.Subscribe(nodetest.FollowQuery, nil)
	filtered := sport.Subscribe(`subscription { itemChanges(filter: {tags: ["a"]}) { cursor kind revision document } }`,
		nil)
	position := sport.Call(http.MethodGet, "/api/v1/items", "").
		WantStatus(t, http.StatusOK).Header.Get("Itemcast-Change-Cursor")

	profile := n.CreateProfile("News", newsRole)
	path := "/api/v1/items/" + news.Call(http.MethodPost, "/api/v1/items",
		`{"name":"hidden","tags":["a"],"workflow_profile_id":"`+profile+`"}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	news.Call(http.MethodPatch, path, `{"name":"still hidden"}`).WantStatus(t, http.StatusOK)
	news.Call(http.MethodPatch, path, `{"name":"shown","workflow_profile_id":null}`).WantStatus(t, http.StatusOK)
	news.Call(http.MethodPatch, path, `{"name":"hidden again","workflow_profile_id":"`+profile+`"}`).
		WantStatus(t, http.StatusOK)
	news.Call(http.MethodPatch, path, `{"name":"more"}`).WantStatus(t, http.StatusOK)
	news.Call(http.MethodPatch, path, `{"workflow_profile_id":null,"name":"back"}`).WantStatus(t, http.StatusOK)
	want := []string{"ENTERED 3 shown", "LEFT 4 shown", "ENTERED 6 back"}
	for name, s := range map[string]*nodetest.Socket{"all": events, "filtered": filtered} {
		for _, line := range want {
			e := s.ReceiveEvent()
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
	body := sport.Call(http.MethodGet, "/api/v1/changes?after="+position, "").WantStatus(t, http.StatusOK).Body
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
	// The history leaves out changes from when the item was hidden.
	history := string(sport.Call(http.MethodGet, path+"/history", "").WantStatus(t, http.StatusOK).Body)
	if strings.Contains(history, "hidden") || strings.Contains(history, "more") || !strings.Contains(history, "shown") ||
		!strings.Contains(history, "back") {
		t.Errorf("the history shows %s", history)
	}
}

// A follower that resumes does not get retained messages of items that have been hidden since.
func TestProfiles_ALimitAppliesToRetainedMessages(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	_, newsRole := n.CreateEditor("news")
	sport, _ := n.CreateEditor("sport")
	profile := n.CreateProfile("Open")
	position := sport.Call(http.MethodGet, "/api/v1/items", "").
		WantStatus(t, http.StatusOK).Header.Get("Itemcast-Change-Cursor")
	staying := sport.Subscribe(nodetest.FollowQuery, nil) // so that the stream stays open
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"once open","workflow_profile_id":"`+profile+`"}`).
		WantStatus(t, http.StatusCreated)
	if e := staying.ReceiveEvent(); e.Kind != "CREATED" {
		t.Errorf("got %s", e.Kind)
	}
	n.Call(http.MethodPatch, "/api/v1/workflow-profiles/"+profile, `{"role_ids":["`+newsRole+`"]}`).
		WantStatus(t, http.StatusOK)
	nodetest.Eventually(t, "the limit holds", func() bool { // the notification takes a moment
		return !strings.Contains(string(sport.Call(http.MethodGet, "/api/v1/changes?after="+position, "").Body), "once open")
	})
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"open"}`).WantStatus(t, http.StatusCreated)
	if e := staying.ReceiveEvent(); !strings.Contains(string(e.Document), `"name":"open"`) {
		t.Errorf("got %s", e.Document)
	}
}
