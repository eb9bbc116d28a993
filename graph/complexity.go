package graph

import (
	"time"

	"github.com/google/uuid"

	"itemcast/graph/internal/exec"
	"itemcast/graph/internal/model"
	"itemcast/internal/item"
	"itemcast/internal/optional"
)

// Complexity of fields that cost more than a plain one, in plain fields.
const (
	statementCost = 100   // a statement for each element of a list
	scanCost      = 500   // a read of a whole table
	manySteps     = 4     // actions or tasks of a run: profiles can have more, but few do
	hashCost      = 4_000 // a password's hash: argon2id takes some 100 ms
)

// complexity multiplies a list's selection by the requested number of elements. The limit is maxComplexity.
func complexity() (root exec.ComplexityRoot) {
	root.Query.Items = func(
		child int, _ *model.ItemFilter, _ *item.Sort, first *int64, _ *string, last *int64, _ *string,
	) int {
		if first == nil {
			first = last
		}
		return 1 + child*clamp(first, defaultPage)
	}
	root.Item.History = func(child int, first *int64, _ *string) int {
		return statementCost + child*clamp(first, defaultHistory)
	}
	root.Query.Deliveries = func(
		child int, _, _ *uuid.UUID, _ *model.DeliveryState, _, _ *time.Time, first *int64, _ *string,
	) int {
		return 1 + child*clamp(first, defaultPage)
	}
	list := func(child int, first *int64, _ *string) int { return 1 + child*clamp(first, defaultPage) }
	root.Query.Hooks, root.Query.Roles, root.Query.WorkflowProfiles = list, list, list
	root.Query.Users = func(child int, _ *model.UserFilter, first *int64, _ *string) int {
		return 1 + child*clamp(first, defaultPage)
	}
	root.Query.AccessTokens = func(child int, _ *uuid.UUID, first *int64, _ *string) int {
		return 1 + child*clamp(first, defaultPage)
	}
	root.Query.Audit = func(child int, _ *model.AuditFilter, first *int64, _ *string) int {
		return 1 + child*clamp(first, defaultPage)
	}

	root.Query.Node = func(child int, _ uuid.UUID) int { return statementCost + child }            // one for each type
	root.Query.WorkflowProfileCheck = func(child int, _ uuid.UUID) int { return scanCost + child } // hosts' names
	root.WorkflowProfile.VersionNumbered = func(child int, _ int64) int { return statementCost + child }
	root.WorkflowProfile.Versions = func(child int, first *int64, _ *string) int {
		return statementCost + child*clamp(first, defaultPage)
	}
	root.Query.Tags = func(child int) int { return scanCost + child }
	root.Query.MetadataFields = func(child int) int { return scanCost + child }
	root.Query.MyViews = func(child int) int { return scanCost + child }
	// Multiplied by the page's items.
	root.ItemConnection.TotalCount = func(child int) int { return scanCost/defaultPage + child }

	root.Query.Workflows = func(child int, _ *model.WorkflowFilter, first *int64, _ *string) int {
		return 1 + child*clamp(first, defaultPage)
	}
	root.Item.WorkflowHistory = root.Item.History
	for _, list := range []*func(int) int{&root.WorkflowRun.Actions, &root.WorkflowRun.Tasks} {
		*list = func(child int) int { return 1 + child*manySteps }
	}

	root.Hook.Deliveries = func(
		child int, _ *uuid.UUID, _ *model.DeliveryState, _, _ *time.Time, first *int64, _ *string,
	) int {
		return statementCost + child*clamp(first, defaultPage)
	}
	root.Hook.Replay = func(child int) int { return statementCost + child }
	root.Delivery.Attempts = func(child int) int { return statementCost + child }

	root.Mutation.CreateUser = func(child int, _ model.CreateUserInput) int { return hashCost + child }
	root.Mutation.UpdateUser = func(child int, _ uuid.UUID, _ map[string]any, _ *int64) int {
		return hashCost + child
	}
	root.Mutation.RotatePassword = func(child int, _ uuid.UUID) int { return hashCost + child }
	root.Mutation.ChangeMyPassword = func(child int, _, _ string) int { return hashCost + child }
	return root
}

// clamp returns the number of elements that a list reads at most.
func clamp(first *int64, fallback int64) int {
	return int(max(1, min(optional.Or(first, fallback), maxPage)))
}
