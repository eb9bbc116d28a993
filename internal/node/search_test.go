package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

func (n *finder) create(name string) {
	n.T.Helper()
	body, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		n.T.Fatal(err)
	}
	n.Call(http.MethodPost, "/api/v1/items", string(body)).WantStatus(n.T, http.StatusCreated)
}

// finder finds items over REST.
type finder struct{ *nodetest.Node }

// names returns the names in a list, which it reads page by page.
func (n *finder) names(query string) []string {
	n.T.Helper()
	names := []string{}
	for path := "/api/v1/items?" + query; path != ""; {
		var list struct {
			Results []struct{ Name string }
			Next    *string
		}
		if err := json.Unmarshal(n.Call(http.MethodGet, path, "").WantStatus(n.T, http.StatusOK).Body, &list); err != nil {
			n.T.Fatal(err)
		}
		for _, i := range list.Results {
			names = append(names, i.Name)
		}
		path = ""
		if list.Next != nil {
			path = (*list.Next)[strings.Index(*list.Next, "/api/"):]
		}
	}
	return names
}

func TestSearch_FindsWhatPeopleExpect(t *testing.T) {
	t.Parallel()
	n := &finder{nodetest.Start(t)}
	cursor := n.Changes("").Cursor
	all := []string{"funny.cat.videos.mp4", "TC_00715.JPG", "Radiohead", "Löwenthal", "東京オリンピック"}
	for _, name := range all {
		n.create(name)
	}
	n.AwaitChanges(cursor, len(all))
	for search, want := range map[string]string{
		"cat": all[0], "funny.cat.videos.mp4": all[0], "00715": all[1], "radio": all[2], "RADIOHEAD": all[2],
		"lowenthal": all[3], "löwenthal": all[3], "lo\u0308wen": all[3], "東京": all[4], "オリンピック": all[4], `"radio"`: "",
		"cat -funny": "", "nowhere or 東京": all[4],
	} {
		q := url.QueryEscape(search)
		if got := n.names("search=" + q); strings.Join(got, " ") != want {
			t.Errorf("%s finds %q, want %q", search, got, want)
		}
		changes := n.Changes("?after=" + cursor + "&search=" + q)
		if found := len(changes.Results); found > 1 || found == 1 != (want != "") {
			t.Errorf("%s finds %d changes", search, found)
		}
	}
}

func TestSearch_ByRelevanceTheNameComesFirst(t *testing.T) {
	t.Parallel()
	n := &finder{nodetest.Start(t)}
	for i := range 3 {
		for _, body := range []string{
			`{"name":"in the name %d: radio"}`, `{"name":"a beginning in the name %d: radiohead"}`,
			`{"name":"among the tags %d","tags":["radio"]}`, `{"name":"described %d","description":"old radio sets"}`,
			`{"name":"silent %d"}`,
		} {
			n.Call(http.MethodPost, "/api/v1/items", fmt.Sprintf(body, i)).WantStatus(t, http.StatusCreated)
		}
	}
	var want []string
	for _, name := range []string{"in the name %d: radio", "a beginning in the name %d: radiohead", "among the tags %d",
		"described %d"} {
		for i := range 3 {
			want = append(want, fmt.Sprintf(name, 2-i)) // the newest first
		}
	}
	for _, limit := range []int{1, 2, 5, 12, 50} {
		if got := n.names(fmt.Sprintf("search=radio&sort=relevance&limit=%d", limit)); !slices.Equal(got, want) {
			t.Errorf("by %d: got %q, want %q", limit, got, want)
		}
	}
	type connection struct {
		Items struct {
			Nodes    []struct{ Name string }
			PageInfo struct {
				HasPreviousPage bool
				StartCursor     *string
			}
		}
	}
	var backwards []string
	for variables := map[string]any{}; ; {
		var page connection
		if err := json.Unmarshal(n.GraphQL(`query($before: String) {
			items(filter: {search: "radio"}, sort: RELEVANCE, last: 5, before: $before) {
				nodes { name } pageInfo { hasPreviousPage startCursor } } }`, variables), &page); err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, node := range page.Items.Nodes {
			names = append(names, node.Name)
		}
		backwards = append(names, backwards...)
		if !page.Items.PageInfo.HasPreviousPage {
			break
		}
		variables["before"] = page.Items.PageInfo.StartCursor
	}
	if !slices.Equal(backwards, want) {
		t.Errorf("backwards: got %q, want %q", backwards, want)
	}
	if got := n.names("sort=relevance&limit=4"); len(got) != 15 || got[0] != "silent 2" || got[14] != "in the name 0: radio" {
		t.Errorf("without a search: got %q", got)
	}
	if got := n.names("search=...&sort=relevance"); len(got) != 0 {
		t.Errorf("a search without words finds %q", got)
	}
}

func TestSort_ByNameIsAsPeopleSort(t *testing.T) {
	t.Parallel()
	n := &finder{nodetest.Start(t)}
	var hasICU bool
	if err := n.Pool.QueryRow(t.Context(), "SELECT collprovider = 'i' FROM pg_collation WHERE collname = 'item_name'").
		Scan(&hasICU); err != nil {
		t.Fatal(err)
	}
	if !hasICU {
		t.Skip("this Postgres has no ICU, and sorts by code point")
	}
	want := []string{"_", "1", "apple", "Ather", "Äther", "Athos", "Zebra", "Ωmega", "Ярмарка", "東京"}
	for _, i := range []int{7, 2, 9, 4, 0, 3, 6, 8, 1, 5} {
		n.create(want[i])
	}
	for _, limit := range []int{1, 3, 50} {
		if got := n.names(fmt.Sprintf("sort=name&limit=%d", limit)); !slices.Equal(got, want) {
			t.Errorf("by %d: got %q", limit, got)
		}
		got := n.names(fmt.Sprintf("sort=-name&limit=%d", limit))
		if slices.Reverse(got); !slices.Equal(got, want) {
			t.Errorf("down by %d: got %q", limit, got)
		}
	}
}

// A description of 50 kB took Postgres's parser 16 seconds.
func TestSearch_TextThatIsSlowForAParserCostsNoMore(t *testing.T) {
	t.Parallel()
	n := &finder{nodetest.Start(t)}
	for name, unit := range map[string]string{"dots": "a.b@", "slashes": "/a.", "tags": "<a ", "kanji": "東京都", "words": "lorem1 "} {
		began := time.Now()
		made := n.Call(http.MethodPost, "/api/v1/items", `{"name":"`+name+`","description":"`+
			strings.Repeat(unit, 49_000/len([]rune(unit)))+` needle"}`).WantStatus(t, http.StatusCreated)
		n.Call(http.MethodPatch, "/api/v1/items/"+made.Field(t, "id"), `{"tags":["x"]}`).WantStatus(t, http.StatusOK)
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
	}
	if got := n.names("search=needle"); len(got) != 5 {
		t.Errorf("found in %q", got)
	}
}

// A Postgres that was built without ICU lacks its collations.
func TestSort_WithoutICUIsByCodePoint(t *testing.T) {
	t.Parallel()
	pool := dbtest.Earlier(t, "")
	if _, err := pool.Exec(t.Context(), "DELETE FROM pg_collation WHERE collprovider = 'i'"); err != nil {
		t.Fatal(err)
	}
	dbtest.Migrate(t, pool)
	n := &finder{nodetest.StartOn(t, pool)}
	want := []string{"Ather", "Zebra", "Äther", "東京"}
	for _, i := range []int{3, 1, 0, 2} {
		n.create(want[i])
	}
	for _, limit := range []int{1, 50} {
		if got := n.names(fmt.Sprintf("sort=name&limit=%d", limit)); !slices.Equal(got, want) {
			t.Errorf("by %d: got %q", limit, got)
		}
	}
	if got := n.names("search=ather&sort=name"); !slices.Equal(got, []string{"Ather", "Äther"}) {
		t.Errorf("found %q", got)
	}
	n.Call(http.MethodGet, "/api/v1/tags", "").WantStatus(t, http.StatusOK)
}
