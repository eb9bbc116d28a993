package workflow

import (
	"fmt"
	"slices"

	"itemcast/internal/account"
	"itemcast/internal/optional"
	"itemcast/internal/workflow/machine"
)

// actors returns the names of the roles whose users may act on an action, and adds what is wrong with that.
func (d *dryRun) actors(i int, a machine.Action) []string {
	names, users := []string{}, int64(0)
	for _, role := range d.roles {
		named := slices.Contains(a.RoleIDs, role.ID)
		if len(a.RoleIDs) > 0 && !named {
			continue
		}
		lacks := d.lacks(a, role)
		if lacks == "" {
			names, users = append(names, role.Name), users+role.ActiveUsers
		}
		if at := actionPointer(i, "role_ids", fmt.Sprint(slices.Index(a.RoleIDs, role.ID))); named && lacks != "" {
			d.problem(at, Warning, "Users of the role %s cannot act on %s, because it %s. Change the role, or name another.",
				role.Name, a.Key, lacks)
		} else if named && role.ActiveUsers == 0 {
			d.problem(at, Warning, "The role %s has no active user. Give it one.", role.Name)
		}
	}
	if users == 0 {
		d.nobody(i, a)
	}
	return names
}

// lacks says why users of a role cannot act; "" if they can.
func (d *dryRun) lacks(a machine.Action, role account.UsersOfRole) string {
	need := slices.Clone(toAct)
	if a.Kind == machine.Edit {
		need = append(need, account.ItemsEdit)
	}
	return d.unable(role, need)
}

// nobody adds the problem of an action on which no user may act.
func (d *dryRun) nobody(i int, a machine.Action) {
	const advice = "Give a user a role with workflows.act that sees the items."
	s := a.Settings
	switch {
	case s.Deadline == nil:
		d.problem(actionPointer(i), Error, "Nobody can act on %s, so the workflow would wait forever. %s", a.Key, advice)
	case optional.Or(s.OnDeadline, machine.Fail) == machine.Fail:
		d.problem(actionPointer(i), Error, "Nobody can act on %s, so it always fails after %s. %s", a.Key,
			period(*s.Deadline), advice)
	default:
		d.problem(actionPointer(i), Warning, "Nobody can act on %s, so it is always skipped after %s. %s", a.Key,
			period(*s.Deadline), advice)
	}
}
