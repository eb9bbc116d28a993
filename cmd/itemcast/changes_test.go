package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item"
)

// changePage is an answer of GET /changes; documents are byte for byte.
type changePage struct {
	Results []struct {
		event
		ChangedFields []string `json:"changed_fields"`
	}
	Cursor string
	More   bool
	Next   string
}

func (n *apiClient) changes(query string) changePage {
	n.t.Helper()
	got := n.call(http.MethodGet, "/api/v1/changes"+query, "").expect(n.t, http.StatusOK)
	var page changePage
	if err := json.Unmarshal(got.body, &page); err != nil {
		n.t.Fatal(err)
	}
	if link := got.header.Get("Link"); link != "<"+page.Next+`>; rel="next"` || !strings.Contains(page.Next, "after="+page.Cursor) {
		n.t.Errorf("the link %s and next %s do not lead to the cursor %s", link, page.Next, page.Cursor)
	}
	return page
}

func (n *apiClient) create(body string) (id string) {
	n.t.Helper()
	return n.call(http.MethodPost, "/api/v1/items", body).expect(n.t, http.StatusCreated).field(n.t, "id")
}

func (n *apiClient) patch(id, body string) answer {
	n.t.Helper()
	return n.call(http.MethodPatch, "/api/v1/items/"+id, body).expect(n.t, http.StatusOK)
}

// settled waits until the feed has told of count changes after the cursor, and returns them.
func (n *apiClient) settled(after string, count int) changePage {
	n.t.Helper()
	var all changePage
	for deadline := time.Now().Add(patience); len(all.Results) < count; {
		page := n.changes("?wait=5&after=" + after)
		all.Results, all.Cursor, after = append(all.Results, page.Results...), page.Cursor, page.Cursor
		if time.Now().After(deadline) {
			n.t.Fatalf("got %d changes, want %d", len(all.Results), count)
		}
	}
	return all
}

func kinds(page changePage) (kinds []string) {
	for _, c := range page.Results {
		kinds = append(kinds, c.Kind)
	}
	return kinds
}

// Pages tell an item's changes as its history does, oldest first, with the document byte for byte.
func TestChanges_PagesAreTheHistoryInTheLogsOrder(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	start := n.changes("")
	if len(start.Results) != 0 || start.More {
		t.Errorf("without a cursor, it is not the present: %+v", start)
	}
	id := n.create(`{"name":"<Metropolis> & \u2028 more","client_data":{"z":1,"a":[1.50,"é"]}}`)
	documents := []string{string(n.call(http.MethodGet, "/api/v1/items/"+id, "").body)}
	for i := range 5 {
		documents = append(documents, string(n.patch(id, fmt.Sprintf(`{"name":"%d"}`, i)).body))
	}
	n.call(http.MethodDelete, "/api/v1/items/"+id, "").expect(t, http.StatusNoContent)
	documents = append(documents, documents[5])
	n.settled(start.Cursor, 7)

	var told changePage
	for after, more := start.Cursor, true; more; {
		page := n.changes("?limit=3&after=" + after)
		told.Results = append(told.Results, page.Results...)
		after, more = page.Cursor, page.More
	}
	var history changePage
	if err := json.Unmarshal(n.call(http.MethodGet, "/api/v1/items/"+id+"/history", "").expect(t, http.StatusOK).body, &history); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(history.Results)
	if !reflect.DeepEqual(told.Results, history.Results) {
		t.Errorf("told %+v,\nthe history is %+v", told.Results, history.Results)
	}
	for i, c := range told.Results {
		if string(c.Document) != documents[i] {
			t.Errorf("change %d has %s, GET had %s", i, c.Document, documents[i])
		}
	}
	if next, err := url.Parse(told.Next); err != nil || next.Host != "" {
		t.Errorf("next is %s", told.Next)
	}
}

// A client that pages on from cursor to cursor, by next, while many write, reads each change once, those of an item in revision order.
func TestChanges_ResumingMissesAndRepeatsNothingWhileWritersHammer(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	const writers, writes = 4, 40
	next := n.changes("?limit=7&wait=5").Next
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			id := n.create(fmt.Sprintf(`{"name":"item %d"}`, w))
			for i := range writes - 1 {
				n.patch(id, fmt.Sprintf(`{"name":"item %d, %d"}`, w, i))
			}
		})
	}
	defer writing.Wait()
	revisions, cursors := map[uuid.UUID]int64{}, map[string]bool{}
	for read, deadline := 0, time.Now().Add(patience); read < writers*writes; {
		if time.Now().After(deadline) {
			t.Fatalf("read %d changes of %d", read, writers*writes)
		}
		page := n.changes("?" + strings.SplitN(next, "?", 2)[1])
		for _, c := range page.Results {
			var i item.Item
			if err := json.Unmarshal(c.Document, &i); err != nil {
				t.Fatal(err)
			}
			if revisions[i.ID]++; c.Revision != revisions[i.ID] || cursors[c.Cursor] {
				t.Fatalf("revision %d of item %s comes where %d should", c.Revision, i.ID, revisions[i.ID])
			}
			cursors[c.Cursor] = true
			read++
		}
		next = page.Next
	}
}

func TestChanges_ALongPollAnswersWithTheFirstChange(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	start := n.changes("")
	began := time.Now()
	if page := n.changes("?wait=1&after=" + start.Cursor); len(page.Results) != 0 || page.More || page.Cursor != start.Cursor {
		t.Errorf("an empty poll answers %+v", page)
	}
	if waited := time.Since(began); waited < time.Second {
		t.Errorf("waited %s, not a second", waited)
	}
	polled := make(chan changePage)
	go func() { polled <- n.changes("?wait=55&tags=red&after=" + start.Cursor) }()
	n.create(`{"name":"passed over"}`)
	n.create(`{"name":"a","tags":["red"]}`)
	if page := next(t, polled); len(page.Results) != 1 || page.Results[0].Kind != "CREATED" {
		t.Errorf("the poll answers %+v", page)
	}
}

// One request reads a bounded part of the log, and says so; the next goes on behind it.
func TestChanges_ARequestReadsABoundedPartOfTheLog(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	start := n.changes("").Cursor
	const items = 10_100
	lines := strings.Repeat(`{"name":"a"}`+"\n", items)
	n.call(http.MethodPost, "/api/v1/items/import", lines, "Content-Type", "application/x-ndjson").expect(t, http.StatusOK)
	late := n.changes("").Cursor
	n.create(`{"name":"last","tags":["red"]}`)
	for len(n.changes("?tags=red&wait=5&after="+late).Results) == 0 { // until the log has it all
	}
	after, requests := start, 0
	for {
		page := n.changes("?tags=red&after=" + after)
		requests++
		if len(page.Results) == 1 {
			break
		}
		if !page.More || page.Cursor == after {
			t.Fatalf("answers %+v without the last change", page)
		}
		after = page.Cursor
	}
	if requests < 2 {
		t.Error("one request has read it all")
	}
}

func TestChanges_RefusesWhatItCannotServe(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	present := n.changes("").Cursor
	foreign := strings.Repeat("A", len(present)-1) + "A"
	ahead := present[:len(present)-2] + "_A"
	for query, want := range map[string]string{
		"?after=nonsense":          "400 INVALID_CURSOR",
		"?after=" + ahead:          "400 INVALID_CURSOR",
		"?after=" + foreign:        "410 CURSOR_EXPIRED",
		"?after=":                  "400 INVALID_INPUT",
		"?wait=56":                 "400 INVALID_INPUT",
		"?limit=201":               "400 INVALID_INPUT",
		"?kinds=MOVED":             "400 INVALID_INPUT",
		"?changed_fields=revision": "400 INVALID_INPUT",
		"?id=7":                    "400 INVALID_INPUT",
		"?metadata.unknown=1":      "400 INVALID_INPUT",
		"?sort=name":               "400 INVALID_INPUT",
		"?after=" + present + "&after=" + present: "400 INVALID_INPUT",
	} {
		for _, accept := range []string{"application/json", "text/event-stream"} {
			got := n.call(http.MethodGet, "/api/v1/changes"+query, "", "Accept", accept)
			if told := fmt.Sprintf("%d %s", got.status, got.code(t)); told != want || got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s as %s: got %s %s, want %s", query, accept, told, got.body, want)
			}
		}
	}
	n.call(http.MethodGet, "/api/v1/changes", "", "Accept", "text/event-stream", "Last-Event-ID", "nonsense").expect(t, http.StatusBadRequest)
	n.call(http.MethodGet, "/api/v1/changes", "", "Accept", "text/plain").expect(t, http.StatusNotAcceptable)
	n.call(http.MethodGet, "/api/v1/changes", "", "Authorization", "").expect(t, http.StatusUnauthorized)
	n.setPermissions(account.APIAccess, account.ItemsEdit)
	n.untilForbidden()
}

// setPermissions changes the administrator's role, as another node would.
func (n *testNode) setPermissions(permissions ...account.Permission) {
	n.t.Helper()
	if _, err := n.pool.Exec(n.t.Context(), "UPDATE role SET permissions = $1", account.Permissions(permissions).Strings()); err != nil {
		n.t.Fatal(err)
	}
}

func (n *testNode) untilForbidden() {
	n.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		got := n.call(http.MethodGet, "/api/v1/changes", "")
		if got.status == http.StatusForbidden {
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("still answers %d", got.status)
		}
	}
}
