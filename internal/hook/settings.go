package hook

import (
	"encoding/json"

	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
	"itemcast/internal/item"
	"itemcast/internal/mergepatch"
	"itemcast/internal/problem"
)

// The bodies that a hook can ask for.
const (
	FullBody = "full" // the item's document
	ThinBody = "thin" // its id, url and revision
)

// Masked replaces the value of a header wherever hooks are shown. A client that writes it back leaves the value
// unchanged.
const Masked = sending.Masked

// Settings are the part of a hook that its owner sets, as clients read and write it.
type Settings struct {
	URL           string            `json:"url"`
	Description   string            `json:"description"`
	Events        []string          `json:"events"`         // none: updated, deleted and triggered
	Filter        *item.Filter      `json:"filter"`         // nil: every item
	ChangedFields []string          `json:"changed_fields"` // of updates; none: an update is sent whatever it changed
	Headers       map[string]string `json:"headers"`
	Body          string            `json:"body"`          // FullBody or ThinBody; "": full
	RateLimit     *int32            `json:"rate_limit"`    // requests a second, of all nodes; nil: no limit
	MaxInFlight   *int32            `json:"max_in_flight"` // concurrent requests, of all nodes; nil: 64 from each
	Active        bool              `json:"active"`
}

// patched applies a merge patch (RFC 7396) to the settings; objects named in replaced are set as a whole. A masked
// header keeps its value, unless the URL moves to another host: a secret of the old host must not reach the new
// one. Error: INVALID_INPUT.
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
	isMasked := func(name string) bool { return given.Headers[name] == nil || *given.Headers[name] == Masked }
	moved := s.URL != "" && egress.Origin(s.URL) != egress.Origin(after.URL)
	faults := sending.Unmask(after.Headers, s.Headers, isMasked, moved, "headers")
	return after, faults.Err(problem.InvalidInput)
}

// decodeSettings decodes settings. Without the member active, a hook is active.
func decodeSettings(raw []byte) (Settings, error) {
	settings := Settings{Active: true}
	if err := json.Unmarshal(raw, &settings); err != nil {
		return Settings{}, errSettings()
	}
	return settings, nil
}

func errSettings() error {
	return problem.New(problem.InvalidInput,
		"The settings of a hook must be a JSON object. See the schema HookInput in /api/v1/openapi.json.")
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

// masked returns the settings as they are shown. The values of headers are often secrets of the endpoint.
func (s Settings) masked() Settings {
	s.Headers = sending.MaskedHeaders(s.Headers)
	return s
}
