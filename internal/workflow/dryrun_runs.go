package workflow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

// checkOlderRuns adds a problem for each action of an older version on which nobody can act any more, and at which runs
// wait, or to which they will come. A change of the profile's roles is not refused because of them: it must be possible
// to hide items at once.
func (s *Service) checkOlderRuns(ctx context.Context, tx db.Querier, actor account.Actor, d *dryRun) error {
	rows, err := store.New(tx).OlderRuns(ctx, store.OlderRunsParams{
		AccountID: actor.AccountID, ProfileID: d.profile.ID, Version: d.profile.Version})
	if err != nil {
		return fmt.Errorf("count the runs of older versions: %w", err)
	}
	versions := make([]versionKey, len(rows))
	for n, row := range rows {
		versions[n] = versionKey{d.profile.ID, row.ProfileVersion}
	}
	definitions, err := s.definitionsOf(ctx, tx, actor.AccountID, versions)
	if err != nil {
		return err
	}
	for n, row := range rows {
		d.olderRuns(definitions[versions[n]], row)
	}
	return nil
}

// olderRuns adds what is wrong for the runs of a version that are at an action.
func (d *dryRun) olderRuns(definition machine.Definition, at store.OlderRunsRow) {
	first := slices.IndexFunc(definition.Actions, func(a machine.Action) bool { return a.Key == at.CurrentAction })
	for _, a := range definition.Actions[max(first, 0):] {
		if !a.Kind.NeedsPerson() || len(a.RoleIDs) == 0 || slices.ContainsFunc(a.RoleIDs, d.canAct) {
			continue
		}
		verb := "will come to"
		if a.Key == at.CurrentAction {
			verb = "stand at"
		}
		d.problem("#/role_ids", Error, "Unfinished runs of version %d (%d) %s %s, where nobody can act: %s. Let one of the "+
			"roles see the items and act, or cancel the runs.", at.ProfileVersion, at.Runs, verb, a.Key, d.reasons(a))
	}
}

// canAct reports whether a user of a role can act.
func (d *dryRun) canAct(id uuid.UUID) bool {
	n := slices.IndexFunc(d.roles, func(r account.UsersOfRole) bool { return r.ID == id })
	return n >= 0 && d.roles[n].ActiveUsers > 0 && d.unable(d.roles[n], toAct) == ""
}

// reasons says of each role of an action why none of its users can act.
func (d *dryRun) reasons(a machine.Action) string {
	var reasons []string
	for _, role := range d.roles {
		if !slices.Contains(a.RoleIDs, role.ID) {
			continue
		}
		reason := d.unable(role, toAct)
		if reason == "" {
			reason = "has no active user"
		}
		reasons = append(reasons, fmt.Sprintf("the role %s %s", role.Name, reason))
	}
	if reasons == nil {
		return "its roles have been deleted"
	}
	return strings.Join(reasons, ", and ")
}

// unable says why users of a role cannot do what needs permissions; "" if they can.
func (d *dryRun) unable(role account.UsersOfRole, need account.Permissions) string {
	if !sees(d.profile.RoleIDs, role.ID) {
		return "does not see the items of this profile"
	}
	if lacking := missing(role.Permissions, need); lacking != nil {
		return "lacks the permission " + strings.Join(lacking, " and ")
	}
	return ""
}
