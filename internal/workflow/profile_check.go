package workflow

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/validate"
	"itemcast/internal/workflow/machine"
)

// The limits of the contract. GraphQL does not check them.
const (
	maxName        = 100  // characters
	maxDescription = 2000 // characters
	maxRoles       = 100  // of a profile, and of an action
	maxActions     = 20
	maxTasks       = 50
	maxTags        = 100
	maxTag         = 100                // characters
	maxWait        = 366 * 24 * 60 * 60 // seconds
)

var keyForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

func faultOfKey(key string) string {
	if keyForm.MatchString(key) {
		return ""
	}
	return "must be 1 to 63 lower-case letters, digits, hyphens or underscores, and begin with a letter"
}

// checkTitle checks the name of an action or a task. By default it is the key, which is checked by itself.
func (f *findings) checkTitle(pointer, name, key string) {
	if name != key {
		f.contract(pointer, validate.Name(name, 1, maxName))
	}
}

// check adds every fault of an input in its normal form to f, and returns them as INVALID_INPUT or RULE_VIOLATED. It
// brings the URLs of tasks into the form in which they are requested, and origins into that of browsers. Fields that
// the client has not given are not checked again, unless they no longer fit the others. The roles of the account are
// locked against deletion until the transaction ends.
func (s *Service) check(ctx context.Context, tx pgx.Tx, accountID uuid.UUID, in *ProfileInput, part given,
	f *findings) error {
	if part.name {
		f.contract("#/name", validate.Name(in.Name, 1, maxName))
	}
	f.contract("#/description", validate.Text(in.Description, 0, maxDescription))
	if len(in.RoleIDs) > maxRoles {
		f.contract("#/role_ids", fmt.Sprintf("must have at most %d entries", maxRoles))
		part.roles = false // each of them unknown would be too much
	}
	f.checkActions(in, part)
	f.checkTasks(in, part, s.reach)
	if part.uploads {
		f.checkUploads(&in.Uploads)
	}
	if err := f.checkRoles(ctx, tx, accountID, in, part); err != nil {
		return err
	}
	return f.err()
}

// checkRoles adds a fault for each role that the account lacks.
func (f *findings) checkRoles(ctx context.Context, tx pgx.Tx, accountID uuid.UUID, in *ProfileInput, part given) error {
	type place struct {
		pointer string
		id      uuid.UUID
	}
	var named []place
	if part.roles {
		for i, id := range in.RoleIDs {
			named = append(named, place{fmt.Sprintf("#/role_ids/%d", i), id})
		}
	}
	for i, a := range in.Actions {
		if !part.actions || i >= maxActions || len(a.RoleIDs) > maxRoles {
			break
		}
		for n, id := range a.RoleIDs {
			named = append(named, place{actionPointer(i, "role_ids", fmt.Sprint(n)), id})
		}
	}
	if len(named) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, len(named))
	for i, one := range named {
		ids[i] = one.id
	}
	unknown, err := account.UnknownRoles(ctx, tx, accountID, unique(ids))
	if err != nil {
		return err
	}
	for _, one := range named {
		if slices.Contains(unknown, one.id) {
			f.rule(one.pointer, "is no role of this account")
		}
	}
	return nil
}

// sees reports whether a profile shows its items to a role.
func sees(profileRoles []uuid.UUID, role uuid.UUID) bool {
	return len(profileRoles) == 0 || slices.Contains(profileRoles, role)
}

// duplicate returns the fault of a key that an action or an earlier task has. Tasks are searched up to the given one.
func duplicate(key string, actions []machine.Action, tasks []machine.Task) string {
	switch {
	case key == "":
	case slices.ContainsFunc(actions, func(a machine.Action) bool { return a.Key == key }):
		return "must be unique in the profile: an action has this key already"
	case slices.ContainsFunc(tasks, func(t machine.Task) bool { return t.Key == key }):
		return "must be unique in the profile: a task has this key already"
	}
	return ""
}
