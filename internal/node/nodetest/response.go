package nodetest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Response is what a server sent.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// WantStatus ends the test unless the response has the status.
func (r Response) WantStatus(t testing.TB, status int) Response {
	t.Helper()
	if r.Status != status {
		t.Fatalf("got %d %s, want %d", r.Status, r.Body, status)
	}
	return r
}

// WantProblem fails the test unless the response is a problem (RFC 9457) with the status and code that shows nothing of
// the implementation. name is for the failure's text.
func (r Response) WantProblem(t testing.TB, name string, status int, code string) Response {
	t.Helper()
	if len(name) > 200 {
		name = name[:200] + "…"
	}
	if r.Status != status {
		t.Errorf("%s: got %d %.500s, want %d %s", name, r.Status, r.Body, status, code)
		return r
	}
	if kind := r.Header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("%s: the Content-Type is %q", name, kind)
	}
	var p struct {
		Type, Title, Code, Detail string
		Status                    int
	}
	if err := json.Unmarshal(r.Body, &p); err != nil || p.Type != "about:blank" || p.Title == "" || p.Detail == "" ||
		p.Status != status || p.Code != code {
		t.Errorf("%s: got %s, want a problem with the code %s", name, r.Body, code)
	}
	r.WantNoInternals(t, name)
	return r
}

// internals are texts that would show a client how the server is built.
var internals = []string{"SQLSTATE", "pgx", "pgconn", "goroutine", ".go:", "json: ", "strconv.", "unmarshal",
	"invalid byte sequence", "*item.", "uuid.UUID"}

// WantNoInternals fails the test if the body shows something of the implementation, such as a driver's text.
func (r Response) WantNoInternals(t testing.TB, name string) {
	t.Helper()
	for _, text := range internals {
		if strings.Contains(string(r.Body), text) {
			t.Errorf("%s: the response shows %q: %.500s", name, text, r.Body)
		}
	}
}

// Code returns a problem's code.
func (r Response) Code(t testing.TB) string {
	t.Helper()
	return r.Field(t, "code")
}

// Detail returns a problem's detail.
func (r Response) Detail(t testing.TB) string {
	t.Helper()
	var p struct{ Detail string }
	r.decode(t, &p)
	return p.Detail
}

// FaultPlaces returns the pointers and parameters of a problem's faults, sorted.
func (r Response) FaultPlaces(t testing.TB) []string {
	t.Helper()
	var p struct {
		Errors []struct{ Pointer, Parameter string }
	}
	r.decode(t, &p)
	var places []string
	for _, fault := range p.Errors {
		places = append(places, fault.Pointer+fault.Parameter)
	}
	slices.Sort(places)
	return places
}

// Field returns a member of an object as JSON, without quotes.
func (r Response) Field(t testing.TB, name string) string {
	t.Helper()
	var members map[string]json.RawMessage
	r.decode(t, &members)
	return strings.Trim(string(members[name]), `"`)
}

// Object returns the members of an object.
func (r Response) Object(t testing.TB) (members map[string]any) {
	t.Helper()
	r.decode(t, &members)
	return members
}

// Results returns the elements of a list's page.
func (r Response) Results(t testing.TB) []map[string]any {
	t.Helper()
	var list struct{ Results []map[string]any }
	r.decode(t, &list)
	return list.Results
}

// Link returns the URL of a list's next or previous page; nil if there is none.
func (r Response) Link(t testing.TB, name string) *url.URL {
	t.Helper()
	text, ok := r.Object(t)[name].(string)
	if !ok {
		return nil
	}
	link, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func (r Response) decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal(r.Body, into); err != nil {
		t.Fatalf("%d %.500s: %v", r.Status, r.Body, err)
	}
}
