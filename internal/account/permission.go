package account

import (
	"slices"
	"strings"
)

// Permission allows one kind of action.
type Permission string

// The permissions. Without APIAccess no other permission has an effect. WebinarsManage and LearningManage are for later
// versions, and have no effect yet.
const (
	APIAccess       Permission = "api.access"
	ItemsView       Permission = "items.view"
	ItemsCreate     Permission = "items.create"
	ItemsEdit       Permission = "items.edit"
	ItemsDelete     Permission = "items.delete"
	ItemsPublish    Permission = "items.publish"
	WorkflowsManage Permission = "workflows.manage"
	WorkflowsAct    Permission = "workflows.act"
	HooksManage     Permission = "hooks.manage"
	UploadsManage   Permission = "uploads.manage"
	UsersManage     Permission = "users.manage"
	WebinarsManage  Permission = "webinars.manage"
	LearningManage  Permission = "learning.manage"
)

// Permissions is the set of permissions of a role.
type Permissions []Permission

// All returns every permission, in the order in which roles show theirs. The first administrator's role has them all.
func All() Permissions {
	return Permissions{APIAccess, ItemsView, ItemsCreate, ItemsEdit, ItemsDelete, ItemsPublish, WorkflowsManage,
		WorkflowsAct, HooksManage, UploadsManage, UsersManage, WebinarsManage, LearningManage}
}

// Has reports whether p is in the set.
func (ps Permissions) Has(p Permission) bool { return slices.Contains(ps, p) }

// Fault returns what is wrong with p as a permission; "" for nothing.
func (p Permission) Fault() string {
	if All().Has(p) {
		return ""
	}
	return "must be one of " + strings.Join(All().Strings(), ", ")
}

// Strings returns the set as the database and the APIs represent it.
func (ps Permissions) Strings() []string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = string(p)
	}
	return out
}
