package hook

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/problem"
)

// The events that a hook may ask for.
const (
	ItemCreated   = "item.created"
	ItemUpdated   = "item.updated"
	ItemDeleted   = "item.deleted"
	ItemTriggered = "item.triggered"
)

// events says which event a change is.
var events = map[change.Kind]string{
	change.Created:   ItemCreated,
	change.Updated:   ItemUpdated,
	change.Deleted:   ItemDeleted,
	change.Triggered: ItemTriggered,
}

const (
	maxURL         = 2000 // characters, as in the contract
	maxDescription = 1000
)

// Input describes a hook to be made.
type Input struct {
	URL         string
	Description string
	Events      []string // none: updated, deleted and triggered
	Active      *bool    // nil: true
}

// checked returns the input with its defaults, or the error with every fault: RULE_VIOLATED when it has no other than that its host is an
// address that may not be reached, INVALID_INPUT else. The addresses of a name are checked when dialling, as they are true for that moment
// only.
func (in Input) checked(allowed []netip.Prefix) (Input, error) {
	var faults []problem.Fault
	add := func(pointer, format string, args ...any) {
		faults = append(faults, problem.Fault{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
	if detail := faultOfURL(in.URL); detail != "" {
		add("#/url", "%s", detail)
	}
	refusal := refusalOfURL(in.URL, allowed)
	if refusal != "" {
		add("#/url", "%s", refusal)
	}
	if !db.IsText(in.Description) {
		add("#/description", "must be valid text")
	} else if utf8.RuneCountInString(in.Description) > maxDescription {
		add("#/description", "must have at most %d characters", maxDescription)
	}
	for i, event := range in.Events {
		switch {
		case !known(event):
			add(fmt.Sprintf("#/events/%d", i), "must be item.created, item.updated, item.deleted or item.triggered")
		case slices.Contains(in.Events[:i], event):
			add(fmt.Sprintf("#/events/%d", i), "is there already")
		}
	}
	switch {
	case len(faults) == 1 && refusal != "":
		return Input{}, problem.Invalid(problem.RuleViolated, faults...)
	case len(faults) > 0:
		return Input{}, problem.Invalid(problem.InvalidInput, faults...)
	}
	if len(in.Events) == 0 {
		in.Events = []string{ItemUpdated, ItemDeleted, ItemTriggered}
	}
	if in.Active == nil {
		in.Active = new(true)
	}
	return in, nil
}

func known(event string) bool {
	for _, e := range events {
		if e == event {
			return true
		}
	}
	return false
}

// faultOfURL returns what is wrong with a URL to POST to; empty when nothing is.
func faultOfURL(raw string) string {
	if utf8.RuneCountInString(raw) > maxURL {
		return fmt.Sprintf("must have at most %d characters", maxURL)
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError }) {
		return "must not contain spaces or control characters"
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "must be a URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return "must begin with http:// or https://"
	case u.Hostname() == "":
		return "must name a host"
	case u.User != nil:
		return "must not contain credentials; verify the signature instead"
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return "must not have a fragment"
	case !validPort(u.Port()):
		return "must have a port from 1 to 65535, or none"
	}
	return ""
}

func validPort(port string) bool {
	if port == "" {
		return true
	}
	var n int
	_, err := fmt.Sscanf(port, "%d", &n)
	return err == nil && n >= 1 && n <= 65535
}
