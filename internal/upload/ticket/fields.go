package ticket

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/jsonobject"
	"itemcast/internal/nearest"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
	"itemcast/internal/validate"
)

// MaxSize is the largest limit of a size: JSON readers keep whole numbers up to it exactly.
const MaxSize = 1<<53 - 1 // bytes

const maxNonce = 128 // characters

var names = []string{"profile", "expires", "nonce", "max_size", "content_types", "redirect", "client_data", "item"}

// fields are the members of a ticket's JSON, which strictjson has checked. A null stands for a field that is left out.
type fields struct {
	members []jsonobject.Member // with their bytes
	values  map[string]any
	faults  problem.Faults
}

func (f *fields) fault(detail string, path ...string) {
	f.faults.At(strictjson.Pointer(path...), detail)
}

// profile returns the id that finds the secret. No error contains a part of the ticket. Error: TICKET_INVALID.
func (f *fields) profile() (uuid.UUID, error) {
	text, _ := f.values["profile"].(string)
	id, err := uuid.Parse(text)
	if err != nil || len(text) != len(uuid.Nil.String()) { // Parse also reads other forms
		return uuid.Nil, problem.New(problem.TicketInvalid, "The ticket names no profile. Its JSON must have the id of a "+
			`workflow profile as "profile".`)
	}
	return id, nil
}

// ticket reads the fields of a ticket whose signature holds. Errors: TICKET_INVALID, with every fault; TICKET_EXPIRED.
func (f *fields) ticket(terms Terms, now time.Time) (Ticket, error) {
	for _, m := range f.members {
		if !slices.Contains(names, m.Name) {
			f.fault("is not a field of a ticket"+nearest.DidYouMean(m.Name, names), m.Name)
		}
	}
	t := Ticket{
		Terms: terms, Expires: f.expires(now), Nonce: f.nonce(), Limit: f.maxSize(terms), Redirect: f.redirect(terms),
		ClientData: f.object("client_data"), Item: f.object("item"), contentTypes: f.contentTypes(),
	}
	f.checkItem(terms)
	if len(f.faults) > 0 {
		invalid := problem.Invalid(problem.TicketInvalid, f.faults...)
		invalid.Detail = "The ticket" + strings.TrimPrefix(invalid.Detail, "The input")
		return Ticket{}, invalid
	}
	if !t.Expires.After(now) {
		return Ticket{}, problem.New(problem.TicketExpired, "The ticket expired at %s, and it is %s. Get a new one from "+
			"the server that made it.", clock(t.Expires), clock(now))
	}
	return t, nil
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// whole returns a whole number from 1 to most. ok is false, and the fault recorded, for another value.
func (f *fields) whole(name, unit string, most int64) (n int64, ok bool) {
	literal, isNumber := f.values[name].(json.Number)
	if !isNumber {
		f.fault("must be a number, in "+unit, name)
		return 0, false
	}
	n, err := strconv.ParseInt(literal.String(), 10, 64)
	if err != nil || n < 1 || n > most {
		f.fault(fmt.Sprintf("must be a whole number of %s from 1 to %d, without a fraction or an exponent", unit, most), name)
		return 0, false
	}
	return n, true
}

func (f *fields) expires(now time.Time) time.Time {
	const unit = "seconds since 1970"
	if f.values["expires"] == nil {
		f.fault("is missing; give the end of the ticket in "+unit, "expires")
		return time.Time{}
	}
	seconds, ok := f.whole("expires", unit, MaxSize)
	if !ok {
		return time.Time{}
	}
	at := time.Unix(seconds, 0)
	switch {
	case seconds/100 > now.Unix():
		f.fault("must be in seconds since 1970, not in milliseconds", "expires")
	case at.After(now.Add(Lifetime)):
		f.fault(fmt.Sprintf("must be at most %d seconds ahead of now, which is %d", int64(Lifetime.Seconds()), now.Unix()),
			"expires")
	}
	return at
}

func (f *fields) nonce() string {
	text, isText := f.values["nonce"].(string)
	switch {
	case f.values["nonce"] == nil:
		f.fault("is missing; give each ticket another text", "nonce")
	case !isText:
		f.fault("must be text", "nonce")
	default:
		f.fault(validate.Name(text, 1, maxNonce), "nonce")
	}
	return text
}

// maxSize returns the smaller of the limits of the ticket and of its profile.
func (f *fields) maxSize(terms Terms) int64 {
	if f.values["max_size"] == nil {
		return terms.MaxSize
	}
	size, ok := f.whole("max_size", "bytes", MaxSize)
	if ok && (terms.MaxSize == 0 || size < terms.MaxSize) {
		return size
	}
	return terms.MaxSize
}

func (f *fields) contentTypes() []string {
	value := f.values["content_types"]
	if value == nil {
		return nil
	}
	list, isList := value.([]any)
	if !isList || len(list) == 0 || len(list) > MaxContentTypes {
		f.fault(fmt.Sprintf("must be a list of 1 to %d content types; leave it out to allow those of the profile",
			MaxContentTypes), "content_types")
		return nil
	}
	types := make([]string, len(list))
	for i, one := range list {
		text, isText := one.(string)
		if !isText {
			text = "" // which has the fault of another form
		}
		f.fault(FaultOfContentType(text), "content_types", strconv.Itoa(i))
		types[i] = text
	}
	return types
}

func (f *fields) redirect(terms Terms) string {
	text, isText := f.values["redirect"].(string)
	switch {
	case f.values["redirect"] == nil:
		return ""
	case !isText || !slices.Contains(terms.Redirects, text):
		f.fault("must be one of the redirects of the profile, exactly as it lists them", "redirect")
		return ""
	}
	return text
}

// object returns the bytes of a field that is an object; nil if it is left out.
func (f *fields) object(name string) json.RawMessage {
	value := f.values[name]
	if value == nil {
		return nil
	}
	if _, isObject := value.(map[string]any); !isObject {
		f.fault("must be a JSON object", name)
		return nil
	}
	at := slices.IndexFunc(f.members, func(m jsonobject.Member) bool { return m.Name == name })
	return f.members[at].Value
}

// checkItem checks what only tickets forbid in an item input.
func (f *fields) checkItem(terms Terms) {
	item, _ := f.values["item"].(map[string]any)
	if privacy := item["privacy"]; privacy != nil && privacy != "private" && !terms.Publish {
		f.fault("must be private, because the profile does not let tickets publish items", "item", "privacy")
	}
	profile, _ := item["workflow_profile_id"].(string)
	if _, given := item["workflow_profile_id"]; given && !strings.EqualFold(profile, terms.Profile.String()) {
		f.fault("must be the ticket's profile; leave it out", "item", "workflow_profile_id")
	}
	if item["client_data"] != nil && f.values["client_data"] != nil {
		f.fault("is given twice; leave it out here, or in the item", "client_data")
	}
}
