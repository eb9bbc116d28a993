package item

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/jsonobject"
	"itemcast/internal/problem"
)

// checked holds an input's JSON against the contract and decodes it. Errors: INVALID_JSON, INVALID_INPUT with every fault.
func (s *Service) checked(raw []byte) (ItemInput, error) {
	var input ItemInput
	if err := s.check(raw); err != nil {
		return input, err
	}
	if err := json.Unmarshal(raw, &input); err != nil {
		return input, problem.New(problem.InvalidInput, "The input does not have the form of an item input.")
	}
	return input, nil
}

// draft is what a write makes of an item: every field that a client sets.
type draft struct {
	ItemInput
	metadataMayStay bool // metadata that equals what the item has is not looked at
}

// patched is an item's input with a merge patch applied; read decodes the part that the patch names. The rest was held against the contract
// when it was written: it stays as it is, and costs nothing. Errors: INVALID_INPUT when the patch is no object, and read's.
func patched(i *Item, patch json.RawMessage, read func([]byte) (ItemInput, error)) (draft, error) {
	malformed := problem.New(problem.InvalidInput, "The patch must be a JSON object.")
	changes, err := jsonobject.Members(patch)
	if err != nil {
		return draft{}, malformed
	}
	named := map[string]bool{"name": true} // without which there is no input
	for _, change := range changes {
		named[change.Name] = true
	}
	before, touched := i.input(), ItemInput{}
	setFields(&touched, &before, func(name string) bool { return named[name] })
	raw, err := json.Marshal(touched)
	if err != nil {
		return draft{}, fmt.Errorf("encode input: %w", err)
	}
	if raw, err = jsonobject.Merge(raw, patch); err != nil {
		return draft{}, malformed
	}
	input, err := read(raw)
	setFields(&input, &before, func(name string) bool { return !named[name] })
	return draft{ItemInput: input, metadataMayStay: !named["metadata"]}, err
}

// setFields copies the fields whose JSON names are wanted.
func setFields(to, from *ItemInput, wanted func(name string) bool) {
	target, source := reflect.ValueOf(to).Elem(), reflect.ValueOf(from).Elem()
	for n, name := range inputNames {
		if wanted(name) {
			target.Field(n).Set(source.Field(n))
		}
	}
}

var inputNames = jsonNames[ItemInput]()

// apply sets every field of i that a client sets, as input says or by default, unless that breaks a rule. Error: RULE_VIOLATED with every
// fault.
func (s *Service) apply(ctx context.Context, q *store.Queries, actor account.Actor, i *Item, input ItemInput) error {
	return s.applyDraft(ctx, q, actor, i, draft{ItemInput: input, metadataMayStay: true})
}

func (s *Service) applyDraft(ctx context.Context, q *store.Queries, actor account.Actor, i *Item, input draft) error {
	var faults problem.Faults
	if strings.TrimSpace(input.Name) == "" {
		faults.At("#/name", "must not be blank")
	}
	tags, ok := cleanTags(input.Tags)
	if !ok {
		faults.At("#/tags", "must not hold a blank tag")
	}
	clientData, err := compactObject(input.ClientData)
	if err != nil {
		return err
	}
	if len(clientData) > maxObjectBytes {
		faults.At("#/client_data", "must be at most 64 KiB")
	}
	if depth(clientData) > maxClientDepth {
		faults.At("#/client_data", fmt.Sprintf("must be at most %d levels deep", maxClientDepth))
	}
	metadata, metadataFaults, err := s.checkMetadata(ctx, q, actor.AccountID, i, input)
	if err != nil {
		return err
	}
	faults.Add(metadataFaults...)
	assets, assetFaults := toAssets(input.Assets, i.Assets)
	snapshots, snapshotFaults := toSnapshots(input.Snapshots, i.Snapshots)
	faults.Add(assetFaults...)
	faults.Add(snapshotFaults...)
	if id := input.SnapshotID; id != nil && !slices.ContainsFunc(snapshots, func(p Snapshot) bool { return p.ID == *id }) {
		faults.At("#/snapshot_id", "must be the id of one of snapshots")
	}
	workflow, workflowFault, err := onProfile(ctx, q, actor, i.Workflow, input.WorkflowProfileID)
	if err != nil {
		return err
	}
	faults.At("#/workflow_profile_id", workflowFault)
	if err := faults.Err(problem.RuleViolated); err != nil {
		return err
	}

	i.Workflow = workflow
	i.Name, i.Description = input.Name, input.Description
	i.Type = orDefault(input.Type, ItemTypeVideo)
	i.Privacy = orDefault(input.Privacy, PrivacyPrivate)
	i.Language, i.Producer, i.Duration = input.Language, input.Producer, input.Duration
	i.Tags, i.Metadata, i.ClientData = tags, metadata, clientData
	i.Assets, i.Snapshots, i.SnapshotID = assets, snapshots, input.SnapshotID
	i.EmbedCode, i.PlayerURL = input.EmbedCode, input.PlayerURL
	return nil
}

// input is what a client would have to send to get the item as it is: what a merge patch is merged into.
func (i *Item) input() ItemInput {
	in := ItemInput{
		Name: i.Name, Description: i.Description, Type: i.Type, Privacy: i.Privacy, Language: i.Language, Producer: i.Producer,
		Duration: i.Duration, Tags: i.Tags, Metadata: i.Metadata, ClientData: i.ClientData, SnapshotID: i.SnapshotID,
		EmbedCode: i.EmbedCode, PlayerURL: i.PlayerURL,
	}
	if i.Workflow != nil {
		in.WorkflowProfileID = &i.Workflow.ProfileID
	}
	for _, a := range i.Assets {
		in.Assets = append(in.Assets, AssetInput{ID: &a.ID, Kind: a.Kind, URL: a.URL, ContentType: a.ContentType, Size: a.Size, Width: a.Width,
			Height: a.Height, Bitrate: a.Bitrate, Language: a.Language})
	}
	for _, p := range i.Snapshots {
		in.Snapshots = append(in.Snapshots, SnapshotInput{ID: &p.ID, URL: p.URL})
	}
	return in
}

// toAssets gives each asset its id: its own, that of the one it replaces at the same URL, or a new one.
func toAssets(inputs []AssetInput, old []Asset) ([]Asset, problem.Faults) {
	assets := make([]Asset, len(inputs))
	var faults problem.Faults
	seen, named := map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	for _, in := range inputs {
		if in.ID != nil {
			named[*in.ID] = true
		}
	}
	for n, in := range inputs {
		id := in.ID
		free := func(a Asset) bool { return a.URL == in.URL && a.Kind == in.Kind && !seen[a.ID] && !named[a.ID] }
		if at := slices.IndexFunc(old, free); id == nil && at >= 0 {
			id = &old[at].ID
		}
		assets[n] = Asset{ID: idOrNew(id), Kind: in.Kind, URL: in.URL, ContentType: in.ContentType, Size: in.Size, Width: in.Width,
			Height: in.Height, Bitrate: in.Bitrate, Language: in.Language}
		if seen[assets[n].ID] {
			faults.At(fmt.Sprintf("#/assets/%d/id", n), "must not occur twice")
		}
		seen[assets[n].ID] = true
	}
	return assets, faults
}

func toSnapshots(inputs []SnapshotInput, old []Snapshot) ([]Snapshot, problem.Faults) {
	snapshots := make([]Snapshot, len(inputs))
	var faults problem.Faults
	seen, named := map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	for _, in := range inputs {
		if in.ID != nil {
			named[*in.ID] = true
		}
	}
	for n, in := range inputs {
		id := in.ID
		free := func(p Snapshot) bool { return p.URL == in.URL && !seen[p.ID] && !named[p.ID] }
		if at := slices.IndexFunc(old, free); id == nil && at >= 0 {
			id = &old[at].ID
		}
		snapshots[n] = Snapshot{ID: idOrNew(id), URL: in.URL}
		if seen[snapshots[n].ID] {
			faults.At(fmt.Sprintf("#/snapshots/%d/id", n), "must not occur twice")
		}
		seen[snapshots[n].ID] = true
	}
	return snapshots, faults
}

func idOrNew(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Must(uuid.NewV7())
	}
	return *id
}

// cleanTags trims, sorts, and keeps each once; ok is false when one is blank.
func cleanTags(tags []string) (clean []string, ok bool) {
	clean = make([]string, len(tags))
	for i, tag := range tags {
		clean[i] = strings.TrimSpace(tag)
	}
	slices.Sort(clean)
	clean = slices.Compact(clean)
	return clean, !slices.Contains(clean, "")
}

func compactObject(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}"), nil
	}
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return nil, fmt.Errorf("compact client data: %w", err)
	}
	// Escaped as the document will be, so that an item decoded from its document equals the one it was made of.
	var escaped bytes.Buffer
	json.HTMLEscape(&escaped, out.Bytes())
	return escaped.Bytes(), nil
}

// depth is how many levels of objects and arrays a JSON text has.
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
