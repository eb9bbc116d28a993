package nodetest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// changePage is an answer of GET /changes; documents are byte for byte.
type ChangePage struct {
	Results []struct {
		Event
		ChangedFields []string `json:"changed_fields"`
	}
	Cursor string
	More   bool
	Next   string
}

func (n *Client) Changes(query string) ChangePage {
	n.T.Helper()
	got := n.Call(http.MethodGet, "/api/v1/changes"+query, "").WantStatus(n.T, http.StatusOK)
	var page ChangePage
	if err := json.Unmarshal(got.Body, &page); err != nil {
		n.T.Fatal(err)
	}
	if link := got.Header.Get("Link"); link != "<"+page.Next+`>; rel="next"` || !strings.Contains(page.Next, "after="+page.Cursor) {
		n.T.Errorf("the link %s and next %s do not lead to the cursor %s", link, page.Next, page.Cursor)
	}
	return page
}

// settled waits until the feed has told of count changes after the cursor, and returns them.
func (n *Client) AwaitChanges(after string, count int) ChangePage {
	n.T.Helper()
	var all ChangePage
	for deadline := time.Now().Add(Timeout); len(all.Results) < count; {
		page := n.Changes("?wait=5&after=" + after)
		all.Results, all.Cursor, after = append(all.Results, page.Results...), page.Cursor, page.Cursor
		if time.Now().After(deadline) {
			n.T.Fatalf("got %d changes, want %d", len(all.Results), count)
		}
	}
	return all
}

// event is an itemChanges event; Document is byte for byte.
type Event struct {
	Cursor   string
	Kind     string
	Revision int64
	Document json.RawMessage
}
