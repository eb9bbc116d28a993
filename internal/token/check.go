package token

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/origin"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/token/internal/store"
	"itemcast/internal/validate"
)

// Limits of Settings, as in the contract.
const (
	maxName    = 100 // characters
	maxRate    = 60_000
	maxPerUser = 100 // tokens
)

// unfiltered are the permissions that reach beyond items, or reach all of them. A token with a filter cannot have them.
var unfiltered = account.Permissions{account.HooksManage, account.UsersManage, account.WorkflowsManage}

// checked returns the settings in their normal form. before are the former settings; zero for a new token. What has not
// changed may break a rule: the owner may have lost a permission, the token may have expired, and a metadata field of
// the filter may have been deleted. Error: INVALID_INPUT or RULE_VIOLATED, with every fault.
func (s Settings) checked(ctx context.Context, pool *pgxpool.Pool, accountID uuid.UUID, owner store.OwnerRow,
	before Settings) (Settings, error) {
	var invalid, broken problem.Faults
	s.Name = plaintext.Composed(strings.TrimSpace(s.Name))
	invalid.At("#/name", validate.Name(s.Name, 1, maxName))
	if s.RequestsPerMinute < 1 || s.RequestsPerMinute > maxRate {
		invalid.At("#/requests_per_minute", fmt.Sprintf("must be from 1 to %d, or null for %d", maxRate, DefaultRate))
	}
	s.checkPermissions(&invalid, &broken, owner, before)
	s.checkExpiry(&invalid, &broken, before)
	s.Origins = origin.Normalize(s.Origins, "#/origins", &invalid)
	if s.Filter != nil && !reflect.DeepEqual(s.Filter, before.Filter) {
		faults, err := item.FilterFaults(ctx, pool, accountID, *s.Filter)
		if err != nil {
			return Settings{}, err
		}
		invalid.Add(faults...)
		s.checkCriteria(&invalid)
	}
	if err := invalid.Err(problem.InvalidInput); err != nil {
		return Settings{}, err
	}
	s.Permissions = account.Sorted(s.Permissions)
	return s, broken.Err(problem.RuleViolated)
}

func (s Settings) checkPermissions(invalid, broken *problem.Faults, owner store.OwnerRow, before Settings) {
	if len(s.Permissions) == 0 {
		invalid.At("#/permissions", "must name at least one")
	}
	for i, p := range s.Permissions {
		pointer := fmt.Sprintf("#/permissions/%d", i)
		switch {
		case account.Permission(p).Fault() != "":
			invalid.At(pointer, account.Permission(p).Fault())
		case slices.Contains(s.Permissions[:i], p):
			invalid.At(pointer, "must not occur twice")
		case !slices.Contains(owner.Permissions, p) && !slices.Contains(before.Permissions, p):
			broken.At(pointer, fmt.Sprintf("is not a permission of %s, whose role is %s", owner.Email, owner.Role))
		case s.Filter != nil && unfiltered.Has(account.Permission(p)):
			broken.At(pointer, "reaches beyond the items of a filter: remove the permission or the filter")
		}
	}
}

func (s *Settings) checkExpiry(invalid, broken *problem.Faults, before Settings) {
	if s.ExpiresAt == nil {
		return
	}
	at := s.ExpiresAt.UTC().Truncate(time.Microsecond) // the precision of Postgres
	s.ExpiresAt = &at
	if fault := validate.Time(at); fault != "" {
		invalid.At("#/expires_at", fault)
		return
	}
	if unchanged := before.ExpiresAt != nil && before.ExpiresAt.Equal(at); !unchanged && !at.After(time.Now()) {
		broken.At("#/expires_at", "must be in the future; null means never")
	}
}

// checkCriteria refuses a filter without criteria, and a criterion without values: they could be meant as "no item",
// and would show every item.
func (s Settings) checkCriteria(invalid *problem.Faults) {
	f := s.Filter
	empty := func(name string, given bool, n int) {
		if given && n == 0 {
			invalid.At("#/filter/"+name, "must have at least one value; leave it out to show all")
		}
	}
	empty("tags", f.Tags != nil, len(f.Tags))
	empty("type", f.Types != nil, len(f.Types))
	empty("privacy", f.Privacies != nil, len(f.Privacies))
	empty("workflow_status", f.WorkflowStatuses != nil, len(f.WorkflowStatuses))
	empty("metadata", f.Metadata != nil, len(f.Metadata))
	if f.IsZero() {
		invalid.At("#/filter", "must have at least one criterion; null shows every item")
	}
}
