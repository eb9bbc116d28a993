package nodetest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Event is a change as clients see it, its document byte for byte.
type Event struct {
	Cursor   string
	Kind     string
	Revision int64
	Document json.RawMessage
}

// ChangePage is a page of GET /changes.
type ChangePage struct {
	Results []struct {
		Event
		ChangedFields []string `json:"changed_fields"`
	}
	Cursor string
	More   bool
	Next   string
}

// Kinds returns the kinds of the page's changes.
func (p ChangePage) Kinds() (kinds []string) {
	for _, c := range p.Results {
		kinds = append(kinds, c.Kind)
	}
	return kinds
}

// ForeignCursor is a cursor of another log: an epoch that is not this one's, and a position.
var ForeignCursor = base64.RawURLEncoding.EncodeToString(append(bytes.Repeat([]byte{7}, 16), 0, 0, 0, 0, 0, 0, 0, 1))

// Changes reads a page of GET /changes. The query begins with ?, or is empty.
func (c *Client) Changes(query string) ChangePage {
	c.T.Helper()
	got := c.Call(http.MethodGet, "/api/v1/changes"+query, "").WantStatus(c.T, http.StatusOK)
	var page ChangePage
	got.decode(c.T, &page)
	link := got.Header.Get("Link")
	if link != "<"+page.Next+`>; rel="next"` || !strings.Contains(page.Next, "after="+page.Cursor) {
		c.T.Errorf("the link %s and next %s do not lead to the cursor %s", link, page.Next, page.Cursor)
	}
	return page
}

// AwaitChanges waits until the log has count changes after a cursor, and returns them.
func (c *Client) AwaitChanges(after string, count int) ChangePage {
	c.T.Helper()
	var all ChangePage
	for deadline := time.Now().Add(Timeout); len(all.Results) < count; {
		page := c.Changes("?wait=5&after=" + after)
		all.Results, all.Cursor, after = append(all.Results, page.Results...), page.Cursor, page.Cursor
		if time.Now().After(deadline) {
			c.T.Fatalf("got %d changes, want %d", len(all.Results), count)
		}
	}
	return all
}
