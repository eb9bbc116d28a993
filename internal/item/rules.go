package item

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

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
	assets, snapshots, poster, mediaFaults := s.mergeMedia(i, d)
	faults.Add(mediaFaults...)
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
	i.Assets, i.Snapshots, i.SnapshotID = assets, snapshots, poster
	i.EmbedCode, i.PlayerURL = d.EmbedCode, d.PlayerURL
	return version, nil
}

// mergeMedia returns the assets, the snapshots and the poster that an item has after a draft.
func (s *Service) mergeMedia(
	i *Item, d draft,
) (assets []Asset, snapshots []Snapshot, poster *uuid.UUID, faults problem.Faults) {
	assets, snapshots, poster = i.Assets, i.Snapshots, d.SnapshotID
	if !d.keepMedia {
		var renamed map[uuid.UUID]uuid.UUID
		var more problem.Faults
		assets, _, faults = merge(s, assetList, d.Assets, i.Assets, d.imported)
		snapshots, renamed, more = merge(s, snapshotList, d.Snapshots, i.Snapshots, d.imported)
		faults.Add(more...)
		if poster != nil {
			if id, ok := renamed[*poster]; ok {
				poster = &id
			}
		}
	}
	if poster != nil && !hasSnapshot(snapshots, *poster) {
		faults.At("#/snapshot_id", "must be the id of one of snapshots")
	}
	return assets, snapshots, poster, faults
}

func hasSnapshot(all []Snapshot, id uuid.UUID) bool {
	return slices.ContainsFunc(all, func(p Snapshot) bool { return p.ID == id })
}
