package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/workflow/internal/store"
)

// toAct are the permissions without which nobody can act.
var toAct = account.Permissions{account.APIAccess, account.ItemsView, account.WorkflowsAct}

// withRoles names the roles that may act, and says why if none of their users can; "" for every role.
func (v *view) withRoles() string {
	if len(v.row.WaitingRoles) == 0 {
		return ""
	}
	var names, reasons []string
	for _, id := range v.row.WaitingRoles {
		role, exists := v.roles[id]
		if !exists {
			continue
		}
		names = append(names, role.Name)
		if reason := prevents(role, v.row.ProfileID); reason != "" {
			reasons = append(reasons, fmt.Sprintf("the role %s %s", role.Name, reason))
		}
	}
	if len(names) == 0 {
		return ", but the roles that may act have been deleted"
	}
	slices.Sort(names)
	text := " with the role " + strings.Join(names, " or ")
	if len(reasons) < len(names) {
		return text
	}
	slices.Sort(reasons)
	return text + ", but nobody can act: " + strings.Join(reasons, ", and ")
}

// prevents says why no user of a role can act on the items of a profile; "" if one can.
func prevents(role store.WaitingRolesRow, profile uuid.UUID) string {
	lacking := missing(role.Permissions, toAct)
	switch {
	case slices.Contains(role.Hidden, profile):
		return "does not see the item, because its profile is limited to other roles"
	case lacking != nil:
		return "lacks the permission " + strings.Join(lacking, " and ")
	case !role.HasUser:
		return "has no active user"
	}
	return ""
}

// missing returns the permissions of need that are not granted.
func missing(granted []string, need account.Permissions) (lacking []string) {
	for _, permission := range need {
		if !slices.Contains(granted, string(permission)) {
			lacking = append(lacking, string(permission))
		}
	}
	return lacking
}
