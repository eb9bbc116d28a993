package item

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/jsonobject"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
)

const (
	maxObjectBytes = 64 << 10 // of metadata, and of client_data
	maxClientDepth = 20       // levels of client_data
)

// draft holds every field that a client sets, as a write will set it.
type draft struct {
	ItemInput
	keepMetadata bool      // metadata that equals the item's present metadata is not checked
	restored     *restored // nil: the server sets what only it sets
	takesDefault bool      // a new item gets the workflow profile that is the actor's default
	keepMedia    bool      // the assets and the snapshots stay, whatever the input has
	imported     bool      // the input is a line of an import; see merging
	media        *newMedia // nil: the item gets no files
}

func keepingMetadata(input ItemInput) draft { return draft{ItemInput: input, keepMetadata: true} }

// newDraft returns the draft of a new item. It takes the default workflow profile unless the JSON names one, or null
// for none.
func newDraft(actor account.Actor, input ItemInput, raw []byte) draft {
	d := keepingMetadata(input)
	d.takesDefault = len(actor.DefaultProfiles()) > 0 && namesNoProfile(input, raw)
	return d
}

// keepProfile gives an input the item's workflow profile unless its JSON names one, or null for none. So a client that
// knows of no workflows, and sends an item again, neither ends nor disturbs its workflow.
func (in *ItemInput) keepProfile(i *Item, raw []byte) {
	if present := i.profile(); present != nil && namesNoProfile(*in, raw) {
		in.WorkflowProfileID = present
	}
}

// namesNoProfile reports whether an input leaves its workflow profile out. Null is a name: that of none.
func namesNoProfile(input ItemInput, raw []byte) bool {
	return input.WorkflowProfileID == nil && !hasMember(raw, "workflow_profile_id")
}

// hasMember reports whether a JSON object has a member.
func hasMember(object []byte, name string) bool {
	members, err := jsonobject.Members(object)
	return err == nil && slices.ContainsFunc(members, func(m jsonobject.Member) bool { return m.Name == name })
}

// decodeChecked checks an input's JSON against the contract and decodes it. Errors: INVALID_JSON, INVALID_INPUT with
// every fault.
func (s *Service) decodeChecked(raw []byte) (ItemInput, error) {
	if err := s.check(raw); err != nil {
		return ItemInput{}, err
	}
	input, err := decodeInput(raw)
	if err != nil {
		return input, problem.New(problem.InvalidInput, "The input does not have the form of an item input.")
	}
	return input, nil
}

func decodeInput(raw []byte) (input ItemInput, err error) {
	err = json.Unmarshal(raw, &input)
	return input, err
}

// input returns the input that would produce the item as it is. A merge patch is applied to it.
func (i *Item) input() ItemInput {
	in := ItemInput{
		Name: i.Name, Description: i.Description, Type: i.Type, Privacy: i.Privacy, Language: i.Language,
		Producer: i.Producer, Duration: i.Duration, Tags: i.Tags, Metadata: i.Metadata, ClientData: i.ClientData,
		SnapshotID: i.SnapshotID, EmbedCode: i.EmbedCode, PlayerURL: i.PlayerURL,
	}
	if i.Workflow != nil {
		in.WorkflowProfileID = &i.Workflow.ProfileID
	}
	for _, a := range i.Assets {
		in.Assets = append(in.Assets, AssetInput{
			ID: &a.ID, Kind: a.Kind, URL: a.URL, ContentType: a.ContentType, Size: a.Size, Width: a.Width,
			Height: a.Height, Bitrate: a.Bitrate, Language: a.Language,
		})
	}
	for _, p := range i.Snapshots {
		in.Snapshots = append(in.Snapshots, SnapshotInput{ID: &p.ID, URL: p.URL})
	}
	return in
}

// cleanTags trims, composes and sorts tags and removes repetitions.
func cleanTags(tags []string) []string {
	clean := make([]string, len(tags))
	for i, tag := range tags {
		clean[i] = plaintext.Composed(strings.TrimSpace(tag))
	}
	slices.Sort(clean)
	return slices.Compact(clean)
}

// hasNewBlank reports whether a tag is blank that the item does not have already.
func hasNewBlank(tags, had []string) bool {
	return slices.ContainsFunc(tags, func(tag string) bool { return plaintext.IsBlank(tag) && !slices.Contains(had, tag) })
}

// withoutSign returns zero for a negative zero, which JSON can write and people do not mean.
func withoutSign(number *float64) *float64 {
	if number != nil && *number == 0 {
		return new(0.0)
	}
	return number
}

// compactObject removes the white space between values, and nothing else: client data keeps its digits, its escapes and
// the order of its keys.
func compactObject(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}"), nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, fmt.Errorf("compact client data: %w", err)
	}
	return compact.Bytes(), nil
}

// depth returns the number of levels of objects and arrays in a JSON text.
func depth(raw []byte) (deepest int) {
	level, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

func orDefault[T ~string](value, fallback T) T {
	if value == "" {
		return fallback
	}
	return value
}
