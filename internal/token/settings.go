package token

import (
	"encoding/json"
	"time"

	"itemcast/internal/item"
	"itemcast/internal/mergepatch"
	"itemcast/internal/problem"
)

// DefaultRate is the number of requests a minute that a token may make unless its settings say otherwise.
const DefaultRate = 600

// Settings are the part of a token that its user sets, as clients read and write it.
type Settings struct {
	Name              string       `json:"name"`
	Permissions       []string     `json:"permissions"` // in the order of account.All
	Filter            *item.Filter `json:"filter"`      // nil: every item
	Origins           []string     `json:"origins"`     // none: no page of another origin
	RequestsPerMinute int32        `json:"requests_per_minute"`
	ExpiresAt         *time.Time   `json:"expires_at"` // nil: never
}

// patched applies a merge patch (RFC 7396) to the settings; objects named in replaced are set as a whole. Error:
// INVALID_INPUT.
func (s Settings) patched(patch []byte, replaced ...string) (Settings, error) {
	merge := mergepatch.Merge[Settings]{Decode: decodeSettings, Replaced: replaced}
	after, _, err := merge.Apply(s, patch)
	return after, err
}

// decodeSettings decodes settings. The missing ones get their defaults.
func decodeSettings(raw []byte) (Settings, error) {
	settings := Settings{RequestsPerMinute: DefaultRate}
	if err := json.Unmarshal(raw, &settings); err != nil {
		return Settings{}, errSettings()
	}
	return settings, nil
}

func errSettings() error {
	return problem.New(problem.InvalidInput,
		"The settings of a token must be a JSON object. See the schema TokenInput in /api/v1/openapi.json.")
}

// encodedFilter returns the filter as it is stored; nil for none.
func (s Settings) encodedFilter() ([]byte, error) {
	if s.Filter == nil {
		return nil, nil
	}
	return json.Marshal(s.Filter)
}
