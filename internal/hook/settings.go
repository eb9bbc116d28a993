package hook

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
	"itemcast/internal/item"
	"itemcast/internal/mergepatch"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
	"itemcast/internal/validate"
)

// What the body of a POST is.
const (
	FullBody = "full" // the item's document
	ThinBody = "thin" // its id, url and revision
)

// Masked stands for the value of a header wherever hooks are told of: who writes it back leaves the value as it is.
const Masked = "***"

// Limits of Settings, as in the contract.
const (
	maxDescription = 1000 // characters
	maxRate        = 1000 // requests a second
	maxInFlight    = 64   // requests at a time
)

// Settings are what the owner of a hook decides on, as clients write them and as they are shown.
type Settings struct {
	URL           string            `json:"url"`
	Description   string            `json:"description"`
	Events        []string          `json:"events"`         // none: updated, deleted and triggered
	Filter        *Filter           `json:"filter"`         // nil: every item
	ChangedFields []string          `json:"changed_fields"` // an update is sent when it changed one of them; none: whatever it changed
	Headers       map[string]string `json:"headers"`
	Body          string            `json:"body"`          // FullBody or ThinBody; "": full
	RateLimit     *int32            `json:"rate_limit"`    // requests a second, of all nodes; nil: no limit
	MaxInFlight   *int32            `json:"max_in_flight"` // requests at a time, of all nodes; nil: Config.Slots on each
	Active        bool              `json:"active"`
}

// Filter says of which items a hook is sent changes. It is item.Filter as clients write it.
type Filter struct {
	Search         string            `json:"search,omitempty"`
	Tags           []string          `json:"tags,omitempty"`
	Type           []item.ItemType   `json:"type,omitempty"`
	Privacy        []item.Privacy    `json:"privacy,omitempty"`
	WorkflowStatus []string          `json:"workflow_status,omitempty"`
	CreatedAfter   *time.Time        `json:"created_after,omitempty"`
	CreatedBefore  *time.Time        `json:"created_before,omitempty"`
	UpdatedAfter   *time.Time        `json:"updated_after,omitempty"`
	Metadata       map[string]string `json:"metadata,omitempty"`
}

func (f *Filter) matcher(ctx context.Context, pool *pgxpool.Pool, accountID uuid.UUID) (*item.Matcher, error) {
	return item.NewMatcher(ctx, pool, accountID, item.Filter{Search: f.Search, Tags: f.Tags, Types: f.Type, Privacies: f.Privacy,
		WorkflowStatuses: f.WorkflowStatus, CreatedAfter: f.CreatedAfter, CreatedBefore: f.CreatedBefore, UpdatedAfter: f.UpdatedAfter,
		Metadata: f.Metadata})
}

// patched applies a merge patch (RFC 7396) to the settings, in the form in which they are written. Errors: INVALID_INPUT.
func (s Settings) patched(patch []byte, replaced ...string) (Settings, error) {
	merge := mergepatch.Merge[Settings]{Decode: decodeSettings, Replaced: replaced}
	after, _, err := merge.Apply(s, patch)
	if err != nil {
		return Settings{}, err
	}
	var given struct{ Headers map[string]*string }
	if err := json.Unmarshal(patch, &given); err != nil {
		return Settings{}, errSettings()
	}
	moved := s.URL != "" && originOf(s.URL) != originOf(after.URL)
	var faults problem.Faults
	for _, name := range slices.Sorted(maps.Keys(after.Headers)) {
		switch old, ok := s.Headers[name]; {
		case given.Headers[name] != nil && *given.Headers[name] != Masked:
		case ok && moved:
			faults.At(strictjson.Pointer("headers", name),
				"is for the host that the URL had, and is not told to another: give its value anew, or take it away with null")
		case ok:
			after.Headers[name] = old
		default:
			faults.At(strictjson.Pointer("headers", name),
				"is how a value is shown that is not told; there is none that it could stand for, so write the value itself")
		}
	}
	return after, faults.Err(problem.InvalidInput)
}

// decodeSettings reads settings. A hook is active unless they say otherwise.
func decodeSettings(raw []byte) (Settings, error) {
	settings := Settings{Active: true}
	if err := json.Unmarshal(raw, &settings); err != nil {
		return Settings{}, errSettings()
	}
	return settings, nil
}

func errSettings() error {
	return problem.New(problem.InvalidInput, "The settings of a hook must be a JSON object in the form of the contract.")
}

// originOf is the part of a URL that says who gets what is sent there.
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// checked returns the settings with their defaults, or the error with every fault: RULE_VIOLATED when there is no other than what hooks may
// not reach, INVALID_INPUT else.
func (s Settings) checked(ctx context.Context, pool *pgxpool.Pool, accountID uuid.UUID, reach egress.Policy) (Settings, error) {
	var faults problem.Faults
	add := func(pointer, format string, args ...any) { faults.At(pointer, fmt.Sprintf(format, args...)) }
	fault, refusal := reach.CheckURL(s.URL)
	if fault != "" {
		add("#/url", "%s", fault)
	} else if refusal != nil {
		add("#/url", "%s", refusal)
	}
	faults.At("#/description", validate.Text(s.Description, 0, maxDescription))
	if s.Events != nil && len(s.Events) == 0 {
		add("#/events", "must name at least one; left out, it is item.updated, item.deleted and item.triggered")
	}
	for i, event := range s.Events {
		switch {
		case !isEvent(event):
			add(fmt.Sprintf("#/events/%d", i), "must be item.created, item.updated, item.deleted or item.triggered")
		case slices.Contains(s.Events[:i], event):
			add(fmt.Sprintf("#/events/%d", i), "is there already")
		}
	}
	for i, field := range s.ChangedFields {
		if !item.CanChange(field) {
			add(fmt.Sprintf("#/changed_fields/%d", i), "is no field of an item that a change can change")
		}
	}
	if !slices.Contains([]string{"", FullBody, ThinBody}, s.Body) {
		add("#/body", "must be full or thin")
	}
	if s.RateLimit != nil && (*s.RateLimit < 1 || *s.RateLimit > maxRate) {
		add("#/rate_limit", "must be from 1 to %d requests a second, or null for no limit", maxRate)
	}
	if s.MaxInFlight != nil && (*s.MaxInFlight < 1 || *s.MaxInFlight > maxInFlight) {
		add("#/max_in_flight", "must be from 1 to %d requests at a time, or null", maxInFlight)
	}
	faultsOfHeaders(s.Headers, add)
	if s.Filter != nil {
		switch _, err := s.Filter.matcher(ctx, pool, accountID); {
		case problem.Is(err, problem.InvalidInput):
			for _, f := range problem.Of(err).Faults {
				add("#/filter/"+strings.Replace(f.Parameter, ".", "/", 1), "%s", f.Detail)
			}
		case err != nil:
			return Settings{}, err
		}
	}
	switch {
	case len(faults) == 1 && refusal != nil:
		return Settings{}, problem.Invalid(problem.RuleViolated, faults...)
	case len(faults) > 0:
		return Settings{}, problem.Invalid(problem.InvalidInput, faults...)
	}
	return s.withDefaults(), nil
}

func (s Settings) withDefaults() Settings {
	if len(s.Events) == 0 {
		s.Events = []string{ItemUpdated, ItemDeleted, ItemTriggered}
	}
	if len(s.ChangedFields) == 0 {
		s.ChangedFields = nil
	}
	if s.Headers == nil {
		s.Headers = map[string]string{}
	}
	if s.Body == "" {
		s.Body = FullBody
	}
	return s
}

func faultsOfHeaders(headers map[string]string, add func(pointer, format string, args ...any)) {
	faults := sending.CheckHeaders(headers)
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		pointer := "#/headers"
		if name != "" {
			pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		}
		add(pointer, "%s", faults[name])
	}
}

// masked are the settings as they are shown: without the values of headers, which are often secrets of the endpoint's.
func (s Settings) masked() Settings {
	shown := make(map[string]string, len(s.Headers))
	for name := range s.Headers {
		shown[name] = Masked
	}
	s.Headers = shown
	return s
}
