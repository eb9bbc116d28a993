package item

import (
	"context"
	"fmt"
	"slices"

	"itemcast/internal/account"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
)

// apply checks the draft against the rules, and then sets every field that a client sets to the draft's value or its
// default. If the item gets another workflow profile, the version is the profile's. Error: RULE_VIOLATED with every
// fault.
func (s *Service) apply(
	ctx context.Context, q *store.Queries, actor account.Actor, i *Item, d draft,
) (version int32, err error) {
	var faults problem.Faults
	if plaintext.IsBlank(d.Name) && (d.Name == "" || d.Name != i.Name) {
		faults.At("#/name", "must not be blank")
	}
	tags := cleanTags(d.Tags)
	if hasNewBlank(tags, i.Tags) {
		faults.At("#/tags", "must not hold a blank tag")
	}
	clientData, err := compactObject(d.ClientData)
	if err != nil {
		return 0, err
	}
	if len(clientData) > maxObjectBytes {
		faults.At("#/client_data", "must be at most 64 KiB")
	}
	if depth(clientData) > maxClientDepth {
		faults.At("#/client_data", fmt.Sprintf("must be at most %d levels deep", maxClientDepth))
	}
	metadata, metadataFaults, err := s.checkMetadata(ctx, q, actor.AccountID, i, d)
	if err != nil {
		return 0, err
	}
	faults.Add(metadataFaults...)
	assets, assetFaults := toAssets(d.Assets, i.Assets)
	snapshots, snapshotFaults := toSnapshots(d.Snapshots, i.Snapshots)
	faults.Add(assetFaults...)
	faults.Add(snapshotFaults...)
	if id := d.SnapshotID; id != nil && !slices.ContainsFunc(snapshots, func(p Snapshot) bool { return p.ID == *id }) {
		faults.At("#/snapshot_id", "must be the id of one of snapshots")
	}
	workflow, version, workflowFault, err := withProfile(ctx, q, actor, i.Workflow, d.WorkflowProfileID)
	if err != nil {
		return 0, err
	}
	faults.At("#/workflow_profile_id", workflowFault)
	if err := faults.Err(problem.RuleViolated); err != nil {
		return 0, err
	}

	i.Workflow = workflow
	i.Name, i.Description = plaintext.Composed(d.Name), plaintext.Composed(d.Description)
	i.Type = orDefault(d.Type, ItemTypeVideo)
	i.Privacy = orDefault(d.Privacy, PrivacyPrivate)
	i.Language, i.Producer, i.Duration = d.Language, composedOrNil(d.Producer), withoutSign(d.Duration)
	i.Tags, i.Metadata, i.ClientData = tags, metadata, clientData
	i.Assets, i.Snapshots, i.SnapshotID = assets, snapshots, d.SnapshotID
	i.EmbedCode, i.PlayerURL = d.EmbedCode, d.PlayerURL
	return version, nil
}
