package workflow

import (
	"context"

	"github.com/google/uuid"

	"itemcast/internal/problem"
	"itemcast/internal/workflow/machine"
)

var errNotYet = problem.New(problem.Unavailable, "Workflows do not run yet.")

// Runs returns up to limit runs, newest first, that follow a page token; "" stands for the start of the list. Next is
// the token of the following page, or "". It omits the runs of items that the actor does not see. Needs items.view.
// Error: INVALID_PAGE_TOKEN.
func (s *Service) Runs(ctx context.Context, filter RunFilter, limit int, after string) (page []Run, next string, err error) {
	return nil, "", errNotYet
}

// RunOf returns the last run of an item. Needs items.view. Error: NOT_FOUND.
func (s *Service) RunOf(ctx context.Context, itemID uuid.UUID) (Run, error) { return Run{}, errNotYet }

// LastRuns returns the last runs of items, by item, in one statement; without those that have none, and those of items
// that the actor does not see. Needs items.view.
func (s *Service) LastRuns(ctx context.Context, itemIDs []uuid.UUID) (map[uuid.UUID]Run, error) {
	return nil, errNotYet
}

// Start starts a run of an item. Needs workflows.act. Errors: NOT_FOUND; WORKFLOW_RUNNING; RULE_VIOLATED.
func (s *Service) Start(ctx context.Context, itemID uuid.UUID, in StartInput) (Run, error) {
	return Run{}, errNotYet
}

// CancelRun cancels the run of an item. Needs workflows.act. Errors: NOT_FOUND; CONFLICT when it has ended.
func (s *Service) CancelRun(ctx context.Context, itemID uuid.UUID) (Run, error) {
	return Run{}, errNotYet
}

// Act completes, approves or rejects the action that a run waits at. Needs workflows.act and, if the action has roles,
// one of them. Errors: NOT_FOUND; FORBIDDEN; INVALID_INPUT for the comment; ACTION_NOT_WAITING.
func (s *Service) Act(ctx context.Context, itemID uuid.UUID, key string, verb machine.Verb, comment string) (Run, error) {
	return Run{}, errNotYet
}

// History returns up to limit entries of the history of an item's runs, newest first, that follow a page token. Needs
// items.view. Errors: NOT_FOUND; INVALID_PAGE_TOKEN.
func (s *Service) History(ctx context.Context, itemID uuid.UUID, limit int, after string) (events []Event, next string, err error) {
	return nil, "", errNotYet
}
