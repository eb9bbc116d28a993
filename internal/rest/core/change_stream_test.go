package core_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

// A stream's events equal a page's results, byte for byte. An event's id is its cursor.
func TestChangeStream_SendsTheResultsOfAPageAndResumesByLastEventID(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	stream := n.StreamChanges("")
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store",
		"X-Accel-Buffering": "no"} {
		if got := stream.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	start := stream.Begin()
	id := n.CreateItem(`{"name":"<Nosferatu>\n & \u2028","tags":["silent"],"client_data":{"z":"\r\n","a":1.50}}`)
	n.PatchItem(id, `{"tags":[]}`)
	n.PatchItem(id, `{"tags":["silent"]}`)
	sent := []nodetest.ServerEvent{stream.NextChange(), stream.NextChange(), stream.NextChange()}

	var page struct {
		Results []json.RawMessage
		Cursor  string
	}
	if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/changes?after="+start, "").
		WantStatus(t, http.StatusOK).Body, &page); err != nil {
		t.Fatal(err)
	}
	for i, e := range sent {
		if e.Data != string(page.Results[i]) || !strings.Contains(e.Data, e.ID) {
			t.Errorf("the stream sends %+v, the page %s", e, page.Results[i])
		}
	}
	for _, end := range []string{sent[2].ID, page.Cursor} {
		if rest := n.Changes("?after=" + end); len(rest.Results) > 0 {
			t.Errorf("after the last cursor %s come %+v", end, rest)
		}
	}

	resumed := n.StreamChanges("?after="+start, "Last-Event-ID", sent[0].ID)
	if rest := n.Changes("?after=" + resumed.Begin()); len(rest.Results) != 2 {
		t.Errorf("resumes before %+v", rest)
	}
	if a, b := resumed.NextChange(), resumed.NextChange(); a != sent[1] || b != sent[2] {
		t.Errorf("resumes with %+v and %+v", a, b)
	}
	filtered := n.StreamChanges("?tags=silent&after=" + start)
	filtered.Begin()
	for i, want := range []string{"CREATED", "LEFT", "ENTERED"} {
		if e := filtered.NextChange(); e.ID != sent[i].ID || !strings.Contains(e.Data, `"kind":"`+want+`"`) {
			t.Errorf("with a filter, got %+v, want %s", e, want)
		}
	}
}

func TestChangeStream_IsNegotiatedByAccept(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for accept, want := range map[string]string{
		"text/event-stream":            "text/event-stream",
		"text/event-stream, */*;q=0.1": "text/event-stream",
		"text/*":                       "text/event-stream",
		"application/json;q=0.5, text/event-stream": "text/event-stream",
		"*/*":                                 "application/json",
		"application/json, text/event-stream": "application/json",
		"application/json":                    "application/json",
		"text/event-stream;q=0, */*":          "application/json",
		"":                                    "application/json",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, n.URL+"/api/v1/changes", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)
		request.Header["Accept"] = []string{accept}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if got := response.Header.Get("Content-Type"); got != want {
			t.Errorf("%q gets %s, want %s", accept, got, want)
		}
	}
}

// A quiet stream sends checkpoints, whether or not its filter leaves changes out. A long poll beside it lasts longer than
// the read deadline of an ordinary request.
func TestChangeStream_AQuietStreamSendsCheckpoints(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	n := nodetest.Start(t)
	stream := n.StreamChanges("?tags=silent")
	start := stream.Begin()
	n.CreateItem(`{"name":"Gilda"}`)
	present := n.AwaitChanges(start, 1).Cursor
	polled := make(chan time.Duration, 1)
	go func() {
		began := time.Now()
		n.Changes("?wait=32&after=" + present)
		polled <- time.Since(began)
	}()
	last := start
	for range 2 {
		e := nodetest.Next(t, stream.Events)
		if e.Name != "checkpoint" || e.ID == last || len(n.Changes("?after="+e.ID).Results) > 0 {
			t.Errorf("got %+v, want a checkpoint after the change, other than %s", e, last)
		}
		last = e.ID
	}
	if waited := nodetest.Next(t, polled); waited < 32*time.Second {
		t.Errorf("the poll was cut off after %s", waited)
	}
}

// A user who loses items.view gets a problem, and nothing more.
func TestChangeStream_EndsWithThePermission(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ statement, code string }{
		"role":  {"UPDATE role SET permissions = ARRAY['api.access', 'items.create']", "FORBIDDEN"},
		"user":  {"UPDATE app_user SET active = false", "UNAUTHENTICATED"},
		"other": {"UPDATE app_user SET email = 'someone.else@example.com'", "UNAUTHENTICATED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t)
			stream := n.StreamChanges("")
			stream.Begin()
			if _, err := n.Pool.Exec(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			if e := nodetest.Next(t, stream.Events); e.Name != "error" || e.ID != "" ||
				!strings.Contains(e.Data, `"code":"`+c.code+`"`) {
				t.Errorf("got %+v, want the problem %s", e, c.code)
			}
			if err := nodetest.Next(t, stream.Ended); err != nil {
				t.Errorf("ends with %v", err)
			}
		})
	}
}

// Whatever ends a browser's session also ends its streams, subscriptions and polls, and they send nothing more.
func TestChangeStream_EndsWithItsSession(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	viewer := n.RoleID("Viewer")
	admins := n.StreamChanges("")
	admins.Begin()
	for name, end := range map[string]func(u *nodetest.Client, browser *http.Client, id string){
		"signed out": func(_ *nodetest.Client, browser *http.Client, _ string) {
			n.Submit(browser, "/logout", nil)
		},
		"signed out everywhere": func(u *nodetest.Client, _ *http.Client, _ string) {
			u.Call(http.MethodDelete, "/api/v1/me/sessions", "").WantStatus(t, http.StatusNoContent)
		},
		"disabled": func(_ *nodetest.Client, _ *http.Client, id string) {
			n.Call(http.MethodPatch, "/api/v1/users/"+id, `{"active":false}`).WantStatus(t, http.StatusOK)
		},
		"deleted": func(_ *nodetest.Client, _ *http.Client, id string) {
			n.Call(http.MethodDelete, "/api/v1/users/"+id, "").WantStatus(t, http.StatusNoContent)
		},
		"another password": func(_ *nodetest.Client, _ *http.Client, id string) {
			n.Call(http.MethodPatch, "/api/v1/users/"+id, `{"password":"a bicycle made of snow"}`).
				WantStatus(t, http.StatusOK)
		},
	} {
		email := strings.ReplaceAll(name, " ", ".") + "@example.com"
		u := n.CreateUser(email, viewer)
		id := n.UserID(email)
		browser := n.Browser()
		n.Login(browser, email, nodetest.UserPassword)
		cookie := []string{"Authorization", "", "Cookie", n.Cookies(browser)}
		stream := n.StreamChanges("", cookie...)
		cursor := stream.Begin()
		subscription := n.Stream(http.MethodPost, "/graphql", `{"query":"subscription { itemChanges { document } }"}`,
			cookie...)
		polled := make(chan nodetest.Response, 1)
		go func() { polled <- n.Call(http.MethodGet, "/api/v1/changes?wait=30&after="+cursor, "", cookie...) }()
		n.AwaitHandler("wait=30", "live.(*Subscription).Wait")
		end(u, browser, id)
		for from, ended := range map[string]chan error{
			"the stream": stream.Ended, "the subscription": subscription.Ended,
		} {
			if err := nodetest.Next(t, ended); err != nil {
				t.Errorf("%s: %s ends with %v", name, from, err)
			}
		}
		n.Call(http.MethodPost, "/api/v1/items", `{"name":"Secret"}`).WantStatus(t, http.StatusCreated)
		admins.NextChange() // it is in the log, so the next streams begin after it
		if got := nodetest.Next(t, polled); got.Status != http.StatusUnauthorized {
			t.Errorf("%s: the poll gets %d %s", name, got.Status, got.Body)
		}
		for len(stream.Events) > 0 {
			if e := <-stream.Events; e.Name == "error" && !strings.Contains(e.Data, "UNAUTHENTICATED") ||
				strings.Contains(e.Data, "Secret") {
				t.Errorf("%s: the stream sent %+v", name, e)
			}
		}
	}
}

func TestChangeStream_OutlastsLostDatabaseConnections(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	stream := n.StreamChanges("")
	stream.Begin()
	const others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
		"WHERE datname = current_database() AND pid <> pg_backend_pid()"
	if _, err := n.Pool.Exec(t.Context(), others); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(nodetest.Timeout); n.Call(http.MethodPost, "/api/v1/items",
		`{"name":"Gilda"}`).Status != http.StatusCreated; {
		if time.Now().After(deadline) {
			t.Fatal("no item can be created")
		}
	}
	if e := stream.NextChange(); !strings.Contains(e.Data, "Gilda") {
		t.Errorf("got %+v", e)
	}
}

// A server that shuts down completes the responses of streams, and answers polls that wait.
func TestChangeStream_EndsCleanlyWhenTheServerShutsDown(t *testing.T) {
	t.Parallel()
	n, stop := nodetest.Serve(t, dbtest.New(t), nodetest.Listen(t, "127.0.0.1:0"))
	stream := n.StreamChanges("")
	cursor := stream.Begin()
	poll := n.URL + "/api/v1/changes?wait=55&after=" + cursor
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, poll, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)
	polled := make(chan string, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			polled <- err.Error()
			return
		}
		body, err := io.ReadAll(response.Body)
		polled <- fmt.Sprint(response.StatusCode, " ", string(body), " ", err)
	}()
	n.AwaitHandler("wait=55", "live.(*Subscription).Wait")
	stop()
	if err := nodetest.Next(t, stream.Ended); err != nil {
		t.Errorf("the stream ends with %v", err)
	}
	if answer := nodetest.Next(t, polled); !strings.HasPrefix(answer, `200 {"results":[],"cursor":"`) {
		t.Errorf("the poll gets %s", answer)
	}
}

// A client that stops reading is disconnected. It does not delay the others meanwhile.
func TestChangeStream_DropsAStalledClientAndServesTheOthers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	listener := nodetest.ListenWatched(t)
	n, _ := nodetest.Serve(t, dbtest.New(t), listener)

	stalled, err := net.Dial("tcp", strings.TrimPrefix(n.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	_ = stalled.(*net.TCPConn).SetReadBuffer(4096)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL+"/api/v1/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)
	request.Header.Set("Accept", "text/event-stream")
	if err := request.Write(stalled); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReaderSize(stalled, 16).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%s: %v", line, err)
	}

	healthy := n.StreamChanges("")
	healthy.Begin()
	id := n.CreateItem(`{"name":"0"}`)
	healthy.NextChange()
	const writes = 200 // of 60 kB: together more than the kernel's buffers hold
	for i := range writes {
		n.PatchItem(id, fmt.Sprintf(`{"name":"%d","client_data":{"long":%q}}`, i+1, strings.Repeat("x", 60_000)))
		if e := healthy.NextChange(); !strings.Contains(e.Data, fmt.Sprintf(`"revision":%d,`, i+2)) {
			t.Fatalf("change %d: got %.100s", i, e.Data)
		}
	}
	listener.AwaitClose(t, stalled, 40*time.Second)
	n.PatchItem(id, `{"name":"after"}`)
	healthy.NextChange()
}
