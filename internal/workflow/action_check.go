package workflow

import (
	"fmt"
	"slices"
	"strings"

	"itemcast/internal/item"
	"itemcast/internal/validate"
	"itemcast/internal/workflow/machine"
)

// checkActions adds the faults of actions. If the client has given only the profile's roles, it checks that these see
// the items.
func (f *findings) checkActions(in *ProfileInput, part given) {
	if part.actions && len(in.Actions) > maxActions {
		f.contract("#/actions", fmt.Sprintf("must have at most %d entries", maxActions))
		return
	}
	for i, a := range in.Actions {
		if part.actions {
			f.contract(actionPointer(i, "key"), faultOfKey(a.Key))
			f.rule(actionPointer(i, "key"), duplicate(a.Key, in.Actions[:i], nil))
			f.checkTitle(actionPointer(i, "name"), a.Name, a.Key)
			f.checkKind(i, a)
		}
		f.checkSight(i, a, in, part)
	}
}

func (f *findings) checkKind(i int, a machine.Action) {
	if !slices.Contains(machine.ActionKinds(), a.Kind) {
		f.contract(actionPointer(i, "kind"), "must be "+orList(machine.ActionKinds()))
		return
	}
	if len(a.RoleIDs) > maxRoles {
		f.contract(actionPointer(i, "role_ids"), fmt.Sprintf("must have at most %d entries", maxRoles))
	}
	f.checkSettings(i, a)
}

// settingsOf has the settings of each kind.
var settingsOf = map[machine.ActionKind][]string{
	machine.Edit:    {"remind_after", "deadline", "on_deadline"},
	machine.Approve: {"remind_after", "deadline", "on_deadline"},
	machine.Publish: {"privacy"},
	machine.Archive: {"tags"},
}

func (f *findings) checkSettings(i int, a machine.Action) {
	s := a.Settings
	f.checkWait(i, "remind_after", s.RemindAfter)
	f.checkWait(i, "deadline", s.Deadline)
	if s.OnDeadline != nil && *s.OnDeadline != machine.Fail && *s.OnDeadline != machine.Skip {
		f.contract(actionPointer(i, "settings", "on_deadline"), "must be fail or skip")
	}
	if s.Privacy != nil && *s.Privacy != string(item.PrivacyPublic) && *s.Privacy != string(item.PrivacyUnlisted) {
		f.contract(actionPointer(i, "settings", "privacy"), "must be public or unlisted")
	}
	f.checkTags(i, s.Tags)
	for _, setting := range []struct {
		name  string
		given bool
	}{
		{"remind_after", s.RemindAfter != nil}, {"deadline", s.Deadline != nil}, {"on_deadline", s.OnDeadline != nil},
		{"privacy", s.Privacy != nil}, {"tags", s.Tags != nil},
	} {
		if setting.given && !slices.Contains(settingsOf[a.Kind], setting.name) {
			f.rule(actionPointer(i, "settings", setting.name), "is no setting of the kind "+string(a.Kind)+"; leave it out")
		}
	}
	switch {
	case !a.Kind.NeedsPerson():
	case s.OnDeadline != nil && s.Deadline == nil:
		f.rule(actionPointer(i, "settings", "on_deadline"), "needs a deadline")
	case s.Deadline != nil && s.RemindAfter != nil && *s.Deadline <= *s.RemindAfter:
		f.rule(actionPointer(i, "settings", "deadline"), "must be later than remind_after")
	}
}

func (f *findings) checkWait(i int, name string, seconds *int) {
	if seconds != nil && (*seconds < 1 || *seconds > maxWait) {
		f.contract(actionPointer(i, "settings", name), fmt.Sprintf("must be from 1 to %d seconds", maxWait))
	}
}

func (f *findings) checkTags(i int, tags []string) {
	if tags != nil && (len(tags) == 0 || len(tags) > maxTags) {
		f.contract(actionPointer(i, "settings", "tags"), fmt.Sprintf("must have from 1 to %d entries", maxTags))
		return
	}
	for n, tag := range tags {
		at := actionPointer(i, "settings", "tags", fmt.Sprint(n))
		f.contract(at, validate.Name(tag, 1, maxTag))
		if slices.Contains(tags[:n], tag) {
			f.contract(at, "must not occur twice")
		}
	}
}

// checkSight checks that an action's roles see the items on which they should act.
func (f *findings) checkSight(i int, a machine.Action, in *ProfileInput, part given) {
	for n, role := range a.RoleIDs {
		switch {
		case sees(in.RoleIDs, role):
		case part.actions:
			f.rule(actionPointer(i, "role_ids", fmt.Sprint(n)),
				"does not see the items: add the role to role_ids of the profile, or remove it here")
		case part.roles:
			f.rule("#/role_ids", fmt.Sprintf("hides the items from the role %s of the action %s: add the role, "+
				"or change the action", role, a.Key))
		}
	}
}

// orList returns "a, b or c".
func orList[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = string(value)
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}
