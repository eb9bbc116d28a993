package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/node/nodetest"
)

// mirror is a client's copy of the items: a list, and the changes after the list's change cursor.
type mirror struct {
	name    string
	cursor  string
	copies  map[string]copied
	graphql bool
	red     bool // of the items with the tag red only
}

// copied is an item in a mirror. The list over GraphQL has no documents; an item gets one with its first change.
type copied struct {
	revision int64
	document string
}

// take applies a change, unless the copy is newer.
func (m *mirror) take(id string, next copied, gone bool) {
	switch {
	case next.revision <= m.copies[id].revision:
	case gone:
		delete(m.copies, id)
	default:
		m.copies[id] = next
	}
}

// list reads all pages, and takes the cursor of the first.
func (m *mirror) list(n *nodetest.Node, sort string) {
	n.T.Helper()
	page := m.restPage
	if m.graphql {
		page = m.graphqlPage
	}
	for at, more := "", true; more; {
		var cursor string
		if cursor, at, more = page(n, sort, at); m.cursor == "" {
			m.cursor = cursor
		}
	}
}

const mirroredPage = 5

func (m *mirror) restPage(n *nodetest.Node, sort, at string) (cursor, next string, more bool) {
	n.T.Helper()
	query := url.Values{"limit": {fmt.Sprint(mirroredPage)}, "sort": {sort}}
	if at != "" {
		query.Set("after", at)
	}
	if m.red {
		query.Set("tags", "red")
	}
	got := n.Call(http.MethodGet, "/api/v1/items?"+query.Encode(), "").WantStatus(n.T, http.StatusOK)
	var page struct{ Results []json.RawMessage }
	if err := json.Unmarshal(got.Body, &page); err != nil {
		n.T.Fatal(err)
	}
	for _, document := range page.Results {
		id, revision := identity(n.T, document)
		m.take(id, copied{revision, string(document)}, false)
	}
	link := got.Link(n.T, "next")
	if link == nil {
		return got.Header.Get("Itemcast-Change-Cursor"), "", false
	}
	return got.Header.Get("Itemcast-Change-Cursor"), link.Query().Get("after"), true
}

func (m *mirror) graphqlPage(n *nodetest.Node, sort, at string) (cursor, next string, more bool) {
	n.T.Helper()
	order := strings.ToUpper(strings.TrimPrefix(sort, "-"))
	if strings.HasPrefix(sort, "-") {
		order += "_DESC"
	}
	variables := nodetest.Vars{"sort": order, "first": mirroredPage}
	if at != "" {
		variables["after"] = at
	}
	if m.red {
		variables["filter"] = nodetest.Vars{"tags": []string{"red"}}
	}
	var got struct {
		Items struct {
			ChangeCursor string
			PageInfo     struct {
				HasNextPage bool
				EndCursor   string
			}
			Nodes []struct {
				ID       string
				Revision int64
			}
		}
	}
	data := n.GraphQL(`query ($sort: ItemSort!, $first: Int, $after: String, $filter: ItemFilter) {
		items(sort: $sort, first: $first, after: $after, filter: $filter) { changeCursor pageInfo { hasNextPage endCursor } nodes { id revision } }
	}`, variables)
	if err := json.Unmarshal(data, &got); err != nil {
		n.T.Fatal(err)
	}
	for _, node := range got.Items.Nodes {
		m.take(node.ID, copied{revision: node.Revision}, false)
	}
	return got.Items.ChangeCursor, got.Items.PageInfo.EndCursor, got.Items.PageInfo.HasNextPage
}

// follow applies the changes after the cursor, up to the first change of the item last.
func (m *mirror) follow(n *nodetest.Node, last string) {
	n.T.Helper()
	merge := func(e nodetest.Event) (done bool) {
		id, _ := identity(n.T, e.Document)
		if has := m.copies[id].revision; has > 0 && e.Revision > has+1 && !m.red {
			n.T.Errorf("%s: item %s goes from revision %d to %d", m.name, id, has, e.Revision)
		}
		m.take(id, copied{e.Revision, string(e.Document)}, e.Kind == "DELETED" || e.Kind == "LEFT")
		return id == last
	}
	if m.graphql {
		variables := nodetest.Vars{"after": m.cursor}
		if m.red {
			variables["filter"] = nodetest.Vars{"tags": []string{"red"}}
		}
		s := n.Subscribe(`subscription ($after: Cursor, $filter: ItemFilter) { itemChanges(after: $after, filter: $filter) { kind revision document } }`, variables)
		for !merge(s.ReceiveEvent()) {
		}
		return
	}
	query := "?limit=200&wait=20&after="
	if m.red {
		query = "?tags=red&limit=200&wait=20&after="
	}
	for cursor := m.cursor; ; {
		page := n.Changes(query + cursor)
		if len(page.Results) == 0 && !page.More {
			n.T.Fatalf("%s: no more changes after %s", m.name, cursor)
		}
		for _, e := range page.Results {
			if merge(e.Event) {
				return
			}
		}
		cursor = page.Cursor
	}
}

// wantEqual fails the test unless the mirror equals the database.
func (m *mirror) wantEqual(t *testing.T, all map[string]copied, reds map[string]bool) {
	t.Helper()
	for id, want := range all {
		got, ok := m.copies[id]
		switch wanted := !m.red || reds[id]; {
		case wanted != ok:
			t.Errorf("%s: item %s is in the database: %v, in the mirror: %v", m.name, id, wanted, ok)
		case ok && (got.revision != want.revision || got.document != want.document && got.document != ""):
			t.Errorf("%s: item %s differs\n got %d %s\nwant %d %s", m.name, id, got.revision, got.document, want.revision,
				want.document)
		}
	}
	for id := range m.copies {
		if _, ok := all[id]; !ok {
			t.Errorf("%s: item %s is not in the database", m.name, id)
		}
	}
}

func identity(t testing.TB, document []byte) (id string, revision int64) {
	t.Helper()
	var i struct {
		ID       string
		Revision int64
	}
	if err := json.Unmarshal(document, &i); err != nil {
		t.Fatal(err)
	}
	return i.ID, i.Revision
}

// pool holds the items that writers share.
type pool struct {
	mu  sync.Mutex
	ids []string
}

// pick returns a random item, or none while there are few. With take, it removes the item.
func (s *pool) pick(random *rand.Rand, take bool) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ids) < 20 {
		return ""
	}
	at := random.IntN(len(s.ids))
	id = s.ids[at]
	if take {
		s.ids[at] = s.ids[len(s.ids)-1]
		s.ids = s.ids[:len(s.ids)-1]
	}
	return id
}

func (s *pool) put(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
}

// writeItems creates, changes and deletes items. It reports each write to written, if somebody receives, and asks for
// a list on due with every tenth.
func writeItems(n *nodetest.Node, seed uint64, writes int, on *pool, written chan<- struct{}, due chan<- int) {
	n.T.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	for count := range writes {
		body := fmt.Sprintf(`{"name":"writer %d, %d","tags":[%q]}`, seed, count, []string{"red", "blue"}[random.IntN(2)])
		remove := random.IntN(6) == 0
		switch id := on.pick(random, remove); {
		case id == "":
			on.put(n.CreateItem(body))
		case remove:
			n.Call(http.MethodDelete, "/api/v1/items/"+id, "")
		default:
			n.Call(http.MethodPatch, "/api/v1/items/"+id, body) // 404 when another writer was faster
		}
		select {
		case written <- struct{}{}:
		default:
		}
		if count%10 == 0 {
			due <- count
		}
	}
}

// writeSlowly writes in transactions that stay open while others commit many.
func writeSlowly(n *nodetest.Node, actor account.Actor, written, stop <-chan struct{}) {
	n.T.Helper()
	ctx := account.WithActor(context.Background(), actor)
	var mine []uuid.UUID
	for count := 0; ; count++ {
		var made uuid.UUID
		ctx, slow, err := db.Begin(ctx, n.Pool, 0)
		if err != nil {
			n.T.Error(err)
			return
		}
		input := fmt.Sprintf(`{"name":"slow %d","tags":[%q]}`, count, []string{"red", "blue"}[count%2])
		document, err := n.Items.Create(ctx, []byte(input))
		if err == nil {
			id, _ := identity(n.T, document.Bytes)
			made = uuid.MustParse(id)
		}
		for i := 0; i < len(mine) && err == nil; i++ {
			_, err = n.Items.Patch(ctx, mine[i], []byte(input), nil)
		}
		if len(mine) == 3 && err == nil {
			err, mine = n.Items.Delete(ctx, mine[0], nil), mine[1:]
		}
		stopped := false
		for others := 0; others < 15 && !stopped; others++ {
			select {
			case <-written:
			case <-stop:
				stopped = true
			}
		}
		if err == nil && count%4 == 3 {
			slow.Rollback()
		} else if err == nil {
			err, mine = slow.Commit(ctx), append(mine, made)
		}
		if err != nil {
			n.T.Error(err)
			slow.Rollback()
			return
		}
		if stopped {
			return
		}
	}
}

// Clients list the items in pages, and then follow the changes from the list's cursor. Their copies equal the
// database, byte for byte, whatever others write meanwhile and at whichever node they follow, over REST and GraphQL,
// with or without a filter.
func TestMirror_AListAndTheChangesAfterItsCursorEqualTheDatabase(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	// clients only read the log there; documents have the URLs of the node that wrote them
	others := nodetest.StartOn(t, n.Pool)
	var actor account.Actor
	if err := n.Pool.QueryRow(t.Context(), "SELECT account_id, id FROM app_user").
		Scan(&actor.AccountID, &actor.UserID); err != nil {
		t.Fatal(err)
	}
	actor.Permissions = account.All()

	const clients, writers, writes = 4, 3, 150
	last := uuid.NewString() // the id of an item that an import creates at the end
	const lists = clients + writers*writes/10
	mirrors, due, stop := make(chan *mirror, lists), make(chan int, lists), make(chan struct{})
	var following sync.WaitGroup
	client := func(c, round int) {
		node := []string{"the same node", "another node"}[(c/2+round)%2]
		sort := []string{"-created_at", "created_at", "-updated_at", "updated_at", "name"}[(c+round)%5]
		m := &mirror{copies: map[string]copied{}, graphql: c%2 == 0, red: round%3 == 1}
		m.name = fmt.Sprintf("client %d, list %d by %s, GraphQL %v, red only %v, followed at %s", c, round, sort, m.graphql,
			m.red, node)
		m.list(n, sort)
		following.Go(func() {
			if !m.graphql {
				<-stop // it follows late: a poll for each change would be most of the work here
			}
			if node == "another node" {
				m.follow(others, last)
			} else {
				m.follow(n, last)
			}
			mirrors <- m
		})
	}
	for c := range clients {
		client(c, 0) // a list of nothing
	}
	written, on := make(chan struct{}), &pool{}
	var writing, writingSlowly, listing sync.WaitGroup
	for w := range uint64(writers) {
		writing.Go(func() { writeItems(n, w, writes, on, written, due) })
	}
	writingSlowly.Go(func() { writeSlowly(n, actor, written, stop) })
	for c := range clients {
		listing.Go(func() {
			for round := 1; ; round++ {
				if _, ok := <-due; !ok {
					return
				}
				client(c, round)
			}
		})
	}
	writing.Wait()
	close(due)
	close(stop)
	writingSlowly.Wait()
	listing.Wait()
	n.Call(http.MethodPost, "/api/v1/items/import", `{"id":"`+last+`","name":"last","tags":["red"]}`, "Content-Type",
		"application/x-ndjson").WantStatus(t, http.StatusOK)
	following.Wait()
	close(mirrors)

	all, reds := stored(n, t)
	if len(mirrors) != lists || len(all) < 2 || !reds[last] {
		t.Fatalf("%d mirrors of %d items", len(mirrors), len(all))
	}
	for m := range mirrors {
		m.wantEqual(t, all, reds)
	}
}

// stored returns every item in the database, and the ids of the red ones.
func stored(n *nodetest.Node, t *testing.T) (all map[string]copied, reds map[string]bool) {
	t.Helper()
	all, reds = map[string]copied{}, map[string]bool{}
	rows, err := n.Pool.Query(t.Context(), "SELECT id::text, revision, document, 'red' = ANY (tags) FROM item")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var (
			id       string
			revision int64
			document []byte
			red      bool
		)
		if err := rows.Scan(&id, &revision, &document, &red); err != nil {
			t.Fatal(err)
		}
		all[id], reds[id] = copied{revision, string(document)}, red
	}
	return all, reds
}
