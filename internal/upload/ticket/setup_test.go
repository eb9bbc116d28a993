package ticket_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/problem"
	"itemcast/internal/upload/ticket"
)

// now is the time of the tests.
var now = time.Date(2026, 11, 27, 20, 0, 0, 0, time.UTC)

const (
	secret    = "icu_THESECRETOFTHEPROFILE"
	oldSecret = "icu_THEONEBEFORE"
)

var profile = uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")

// terms are those of the profile, with an old secret for one more hour.
func terms() ticket.Terms {
	return ticket.Terms{Account: uuid.New(), Profile: profile, Enabled: true, Secret: secret, OldSecret: oldSecret,
		OldSecretUntil: now.Add(time.Hour), Origins: []string{"https://app.example"},
		Redirects: []string{"https://app.example/thanks", "https://app.example/done?from=form"}, MaxSize: 1000}
}

// known is a lookup that knows one profile.
func known(t ticket.Terms) func(uuid.UUID) (ticket.Terms, error) {
	return func(id uuid.UUID) (ticket.Terms, error) {
		if id != t.Profile {
			return ticket.Terms{}, problem.New(problem.NotFound, "There is no such profile.")
		}
		return t, nil
	}
}

// claims returns the JSON of a valid ticket with some members replaced; nil leaves one out.
func claims(t *testing.T, replaced map[string]any) []byte {
	t.Helper()
	members := map[string]any{"profile": profile, "expires": now.Add(time.Hour).Unix(), "nonce": "a nonce"}
	for name, value := range replaced {
		if members[name] = value; value == nil {
			delete(members, name)
		}
	}
	raw, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// parse signs the JSON of a ticket, and parses it.
func parse(of ticket.Terms, claims []byte) (ticket.Ticket, error) {
	info := ticket.Encode(claims)
	return ticket.Parse(info, ticket.Signature(info, of.Secret), now, known(of))
}

// wantProblem fails the test unless err has the code, the text, and faults at the places in their order.
func wantProblem(t *testing.T, name string, err error, code problem.Code, text string, places ...string) {
	t.Helper()
	e := problem.Of(err)
	if e == nil || e.Code != code || !strings.Contains(e.Detail, text) {
		t.Errorf("%s: got %v, want %s with %q", name, err, code, text)
		return
	}
	var at []string
	for _, fault := range e.Faults {
		at = append(at, fault.Pointer)
	}
	if strings.Join(at, " ") != strings.Join(places, " ") {
		t.Errorf("%s: faults at %q, want %q: %v", name, at, places, err)
	}
}

var errDatabase = errors.New("the database is away")
