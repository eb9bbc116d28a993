package core_test

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
	"itemcast/internal/node/nodetest"
)

// Pages have an item's changes as its history does, but oldest first. Documents are equal byte for byte.
func TestChanges_PagesEqualTheHistoryInTheLogsOrder(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	start := n.Changes("")
	if len(start.Results) != 0 || start.More {
		t.Errorf("without a cursor, the page does not begin at the present: %+v", start)
	}
	id := n.CreateItem(`{"name":"<Metropolis> & \u2028 more","client_data":{"z":1,"a":[1.50,"é"]}}`)
	documents := []string{string(n.Call(http.MethodGet, "/api/v1/items/"+id, "").Body)}
	for i := range 5 {
		documents = append(documents, string(n.PatchItem(id, fmt.Sprintf(`{"name":"%d"}`, i)).Body))
	}
	n.Call(http.MethodDelete, "/api/v1/items/"+id, "").WantStatus(t, http.StatusNoContent)
	documents = append(documents, documents[5])
	n.AwaitChanges(start.Cursor, 7)

	var paged nodetest.ChangePage
	for after, more := start.Cursor, true; more; {
		page := n.Changes("?limit=3&after=" + after)
		paged.Results = append(paged.Results, page.Results...)
		after, more = page.Cursor, page.More
	}
	var history nodetest.ChangePage
	if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/items/"+id+"/history", "").
		WantStatus(t, http.StatusOK).Body, &history); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(history.Results)
	if !reflect.DeepEqual(paged.Results, history.Results) {
		t.Errorf("paged %+v,\nthe history is %+v", paged.Results, history.Results)
	}
	for i, c := range paged.Results {
		if string(c.Document) != documents[i] {
			t.Errorf("change %d has %s, GET had %s", i, c.Document, documents[i])
		}
	}
	if next, err := url.Parse(paged.Next); err != nil || next.Host != "" {
		t.Errorf("next is %s", paged.Next)
	}
}

// A client that follows next reads each change once, an item's in revision order, while others write.
func TestChanges_ResumingMissesAndRepeatsNothingWhileOthersWrite(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const writers, writes = 4, 40
	next := n.Changes("?limit=7&wait=5").Next
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			id := n.CreateItem(fmt.Sprintf(`{"name":"item %d"}`, w))
			for i := range writes - 1 {
				n.PatchItem(id, fmt.Sprintf(`{"name":"item %d, %d"}`, w, i))
			}
		})
	}
	defer writing.Wait()
	revisions, cursors := map[uuid.UUID]int64{}, map[string]bool{}
	for read, deadline := 0, time.Now().Add(nodetest.Timeout); read < writers*writes; {
		if time.Now().After(deadline) {
			t.Fatalf("read %d changes of %d", read, writers*writes)
		}
		page := n.Changes("?" + strings.SplitN(next, "?", 2)[1])
		for _, c := range page.Results {
			var i item.Item
			if err := json.Unmarshal(c.Document, &i); err != nil {
				t.Fatal(err)
			}
			if revisions[i.ID]++; c.Revision != revisions[i.ID] || cursors[c.Cursor] {
				t.Fatalf("got revision %d of item %s, want %d", c.Revision, i.ID, revisions[i.ID])
			}
			cursors[c.Cursor] = true
			read++
		}
		next = page.Next
	}
}

func TestChanges_ALongPollReturnsTheFirstChange(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	start := n.Changes("")
	began := time.Now()
	empty := n.Changes("?wait=1&after=" + start.Cursor)
	if len(empty.Results) != 0 || empty.More {
		t.Errorf("an empty poll returns %+v", empty)
	}
	if waited := time.Since(began); waited < time.Second {
		t.Errorf("waited %s, want a second", waited)
	}
	polled := make(chan nodetest.ChangePage, 1)
	go func() { polled <- n.Changes("?wait=55&tags=red&after=" + empty.Cursor) }()
	n.AwaitHandler("wait=55", "live.(*Subscription).Wait")
	n.CreateItem(`{"name":"passed over"}`)
	n.CreateItem(`{"name":"a","tags":["red"]}`)
	if page := nodetest.Next(t, polled); len(page.Results) != 1 || page.Results[0].Kind != "CREATED" {
		t.Errorf("the poll returns %+v", page)
	}
}

// A request reads a bounded part of the log, and returns the cursor to continue from.
func TestChanges_ARequestReadsABoundedPartOfTheLog(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	start := n.Changes("").Cursor
	const items = 10_100
	lines := strings.Repeat(`{"name":"a"}`+"\n", items)
	n.Call(http.MethodPost, "/api/v1/items/import", lines, "Content-Type", "application/x-ndjson").
		WantStatus(t, http.StatusOK)
	late := n.Changes("").Cursor
	n.CreateItem(`{"name":"last","tags":["red"]}`)
	for len(n.Changes("?tags=red&wait=5&after="+late).Results) == 0 { // until the log has all of them
	}
	after, requests := start, 0
	for {
		page := n.Changes("?tags=red&after=" + after)
		requests++
		if len(page.Results) == 1 {
			break
		}
		if !page.More || page.Cursor == after {
			t.Fatalf("got %+v before the last change", page)
		}
		after = page.Cursor
	}
	if requests < 2 {
		t.Error("one request has read the whole log")
	}
}

func TestChanges_RefusesInvalidQueriesAndCursors(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	present := n.Changes("").Cursor
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
			got := n.Call(http.MethodGet, "/api/v1/changes"+query, "", "Accept", accept)
			if code := fmt.Sprintf("%d %s", got.Status, got.Code(t)); code != want ||
				got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s as %s: got %s %s, want %s", query, accept, code, got.Body, want)
			}
		}
	}
	for _, cursor := range []string{"nonsense", ahead, foreign} { // changeCursor is a name of GraphQL
		if text := n.Call(http.MethodGet, "/api/v1/changes?after="+cursor, "").Detail(t); strings.Contains(text, "changeC") {
			t.Errorf("%s: %s", cursor, text)
		}
	}
	expired := n.Call(http.MethodGet, "/api/v1/changes?after="+foreign, "").Detail(t)
	oldest := expired[strings.LastIndexByte(expired, ' ')+1:]
	n.Call(http.MethodGet, "/api/v1/changes?after="+oldest, "").WantStatus(t, http.StatusOK)
	n.Call(http.MethodGet, "/api/v1/changes", "", "Accept", "text/event-stream", "Last-Event-ID", "nonsense").
		WantStatus(t, http.StatusBadRequest)
	n.Call(http.MethodGet, "/api/v1/changes", "", "Accept", "text/plain").WantStatus(t, http.StatusNotAcceptable)
	n.Call(http.MethodGet, "/api/v1/changes", "", "Authorization", "").WantStatus(t, http.StatusUnauthorized)
	setPermissions(n, account.APIAccess, account.ItemsEdit)
	untilForbidden(n)
}

// setPermissions changes the administrator's role, as another node would.
func setPermissions(n *nodetest.Node, permissions ...account.Permission) {
	n.T.Helper()
	if _, err := n.Pool.Exec(n.T.Context(), "UPDATE role SET permissions = $1",
		account.Permissions(permissions).Strings()); err != nil {
		n.T.Fatal(err)
	}
}

func untilForbidden(n *nodetest.Node) {
	n.T.Helper()
	for deadline := time.Now().Add(nodetest.Timeout); ; {
		got := n.Call(http.MethodGet, "/api/v1/changes", "")
		if got.Status == http.StatusForbidden {
			return
		}
		if time.Now().After(deadline) {
			n.T.Fatalf("still has status %d", got.Status)
		}
	}
}
