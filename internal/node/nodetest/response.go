package nodetest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// object reads an answer's body.
func (a Response) Object(t *testing.T) (members map[string]any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, &members); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return members
}

// results reads a list's.
func (a Response) Results(t *testing.T) (results []map[string]any) {
	t.Helper()
	var list struct{ Results []map[string]any }
	if err := json.Unmarshal(a.Body, &list); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return list.Results
}

// refused holds an answer against the form of refusals: its status and code, problem+json, and nothing of what lies behind.
func (a Response) WantProblem(t *testing.T, name string, status int, code string) Response {
	t.Helper()
	if len(name) > 200 {
		name = name[:200] + "…"
	}
	if a.Status != status {
		t.Errorf("%s: got %d %.500s, want %d %s", name, a.Status, a.Body, status, code)
		return a
	}
	if kind := a.Header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("%s: the Content-Type is %q", name, kind)
	}
	var p struct {
		Type, Title, Code, Detail string
		Status                    int
	}
	if err := json.Unmarshal(a.Body, &p); err != nil || p.Type != "about:blank" || p.Title == "" || p.Detail == "" || p.Status != status || p.Code != code {
		t.Errorf("%s: got %s, want a problem with the code %s", name, a.Body, code)
	}
	a.WantNoInternals(t, name)
	return a
}

var internals = []string{"SQLSTATE", "pgx", "pgconn", "goroutine", ".go:", "json: ", "strconv.", "unmarshal", "invalid byte sequence", "*item.", "uuid.UUID"}

func (a Response) WantNoInternals(t *testing.T, name string) {
	t.Helper()
	for _, text := range internals {
		if strings.Contains(string(a.Body), text) {
			t.Errorf("%s: the answer tells %q: %.500s", name, text, a.Body)
		}
	}
}

// places are the pointers and parameters of an error answer's faults.
func (a Response) FaultPlaces(t *testing.T) []string {
	t.Helper()
	var p struct {
		Errors []struct{ Pointer, Parameter string }
	}
	if err := json.Unmarshal(a.Body, &p); err != nil {
		t.Fatal(err)
	}
	var places []string
	for _, fault := range p.Errors {
		places = append(places, fault.Pointer+fault.Parameter)
	}
	slices.Sort(places)
	return places
}

type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

func (a Response) WantStatus(t *testing.T, status int) Response {
	t.Helper()
	if a.Status != status {
		t.Fatalf("got %d %s, want %d", a.Status, a.Body, status)
	}
	return a
}

// code is the problem's code of an error answer.
func (a Response) Code(t *testing.T) string {
	t.Helper()
	var p struct{ Code string }
	if err := json.Unmarshal(a.Body, &p); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return p.Code
}

// detail is what an error answer says to do.
func (a Response) Detail(t *testing.T) string {
	t.Helper()
	var p struct{ Detail string }
	if err := json.Unmarshal(a.Body, &p); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return p.Detail
}

// field is a member of an object answer, as text.
func (a Response) Field(t *testing.T, name string) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(a.Body, &members); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return strings.Trim(string(members[name]), `"`)
}

// link is the URL that a list names next or previous; nil when there is none.
func (a Response) Link(t *testing.T, name string) *url.URL {
	t.Helper()
	var links map[string]any
	if err := json.Unmarshal(a.Body, &links); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	text, ok := links[name].(string)
	if !ok {
		return nil
	}
	link, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return link
}
