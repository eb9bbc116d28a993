package ticket

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/jsonobject"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// Lifetime is how far ahead a ticket may expire.
const Lifetime = 7 * 24 * time.Hour

// Ticket is a ticket whose signature holds.
type Ticket struct {
	Terms // of its profile

	Expires    time.Time
	Nonce      string          // makes one upload
	Limit      int64           // bytes of an upload: the smaller max_size of ticket and profile; 0: neither has one
	Redirect   string          // one of Terms.Redirects; "": answer with JSON
	ClientData json.RawMessage // nil: none
	Item       json.RawMessage // an item input, in which the name may be missing; nil: none

	contentTypes []string // of the ticket, beside those of Terms; empty: all
}

// errSignature is also the answer for a profile that does not exist, or has no secret.
var errSignature = problem.New(problem.TicketInvalid, "The signature of the ticket does not match. Sign the text of "+
	InfoName+", exactly as it is sent, with the upload secret of the profile that it names.")

// Parse checks a ticket. lookup returns the terms of a profile, or NOT_FOUND. Errors: TICKET_MISSING; TICKET_INVALID,
// with every fault if the signature holds; UPLOADS_DISABLED; TICKET_EXPIRED; those of lookup but NOT_FOUND.
func Parse(info, signature string, now time.Time, lookup func(profile uuid.UUID) (Terms, error)) (Ticket, error) {
	claims, mac, err := decode(info, signature)
	if err != nil {
		return Ticket{}, err
	}
	fields, err := readFields(claims)
	if err != nil {
		return Ticket{}, err
	}
	profile, err := fields.profile()
	if err != nil {
		return Ticket{}, err
	}
	terms, err := lookup(profile)
	if problem.Is(err, problem.NotFound) {
		terms, err = Terms{}, nil
	}
	switch {
	case err != nil:
		return Ticket{}, err
	case !terms.signed(info, mac, now):
		return Ticket{}, errSignature
	case !terms.Enabled:
		return Ticket{}, problem.New(problem.UploadsDisabled,
			"The ticket's workflow profile takes no uploads. Ask its owner to enable them.")
	}
	return fields.ticket(terms, now)
}

// readFields reads the JSON of a ticket. No error contains a part of it. Error: TICKET_INVALID.
func readFields(claims []byte) (*fields, error) {
	value, broken := strictjson.Parse(claims, strictjson.Limits{})
	switch {
	case broken != nil && broken.Code == problem.InvalidJSON:
		return nil, problem.New(problem.TicketInvalid, "%s cannot be read. %s", InfoName, broken.Detail)
	case broken != nil: // its text names members
		return nil, problem.New(problem.TicketInvalid, "%s has a value that cannot be stored: the character U+0000, a "+
			"number beyond a double, or more than 32 levels.", InfoName)
	}
	object, isObject := value.(map[string]any)
	if !isObject {
		return nil, problem.New(problem.TicketInvalid, "%s must be the base64url of a JSON object.", InfoName)
	}
	members, err := jsonobject.Members(claims)
	if err != nil {
		return nil, err
	}
	return &fields{members: members, values: object}, nil
}

// Allows reports whether the ticket and its profile both allow a content type.
func (t Ticket) Allows(contentType string) bool {
	return allows(t.ContentTypes, contentType) && allows(t.contentTypes, contentType)
}

// RedirectTo returns the URL to which the form of an upload leads: the ticket's redirect, with the ids of the new items
// as item=ID.
func (t Ticket) RedirectTo(items ...uuid.UUID) string {
	url, separator := t.Redirect, "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	for _, id := range items {
		url, separator = url+separator+"item="+id.String(), "&"
	}
	return url
}

// ItemInput returns the item input of an upload: the ticket's item with the ticket's profile and client data, and with
// the name of the file if it has none.
func (t Ticket) ItemInput(name string) (json.RawMessage, error) {
	var members []jsonobject.Member
	if t.Item != nil {
		var err error
		if members, err = jsonobject.Members(t.Item); err != nil {
			return nil, err
		}
	}
	members = slices.DeleteFunc(members, func(m jsonobject.Member) bool {
		return m.Name == "workflow_profile_id" || string(m.Value) == "null" && (m.Name == "name" || m.Name == "client_data")
	})
	if !slices.ContainsFunc(members, func(m jsonobject.Member) bool { return m.Name == "name" }) {
		text, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		members = append(members, jsonobject.Member{Name: "name", Value: text})
	}
	if t.ClientData != nil {
		members = append(members, jsonobject.Member{Name: "client_data", Value: t.ClientData})
	}
	profile := json.RawMessage(`"` + t.Profile.String() + `"`)
	return jsonobject.Encode(append(members, jsonobject.Member{Name: "workflow_profile_id", Value: profile}))
}
