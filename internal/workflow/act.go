package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

var (
	errItemHasNoRun = problem.New(problem.NotFound, "The item has no workflow run.")
	errEnded        = problem.New(problem.Conflict, "The item's workflow has ended already.")
)

// Start starts a run of an item: of its profile or of another one, which the item then has. Needs workflows.act.
// Errors: NOT_FOUND; WORKFLOW_RUNNING; RULE_VIOLATED for a profile or an action that does not exist; FORBIDDEN to begin
// after or at an action of other roles.
func (s *Service) Start(ctx context.Context, itemID uuid.UUID, in StartInput) (Run, error) {
	return s.act(ctx, func(ctx context.Context, tx pgx.Tx, actor account.Actor) error {
		held, err := s.items.LockForWorkflow(ctx, tx, actor, itemID)
		if err != nil {
			return err
		}
		if err := s.hasEnded(ctx, tx, actor.AccountID, itemID); err != nil {
			return err
		}
		v, state, err := s.toStart(ctx, tx, actor, held.Item, in)
		if err != nil {
			return err
		}
		after := *held.Item
		after.Workflow = &item.ItemWorkflow{ProfileID: v.profile, Status: string(machine.Pending)}
		if held, err = s.items.ReviseForWorkflow(ctx, tx, actor, held, &after); err != nil {
			return err
		}
		if err := s.items.StoreForWorkflow(ctx, tx, actor, held); err != nil {
			return err
		}
		return s.insertRun(ctx, tx, actor, itemID, v, state, held.At)
	}, itemID)
}

// toStart returns the version of the profile to start, and the first state of its run.
func (s *Service) toStart(
	ctx context.Context, tx pgx.Tx, actor account.Actor, i *item.Item, in StartInput,
) (v versionKey, state machine.State, err error) {
	profile := in.ProfileID
	if profile == nil {
		if i.Workflow == nil {
			return v, state, ruleFault("#/profile_id", "is missing: the item has no workflow profile")
		}
		profile = &i.Workflow.ProfileID
	}
	version, err := store.New(tx).ProfileToRun(ctx, store.ProfileToRunParams{
		AccountID: actor.AccountID, ID: *profile, RoleID: actor.RoleParam()})
	if errors.Is(err, pgx.ErrNoRows) {
		return v, state, ruleFault("#/profile_id", "is no workflow profile that you can use")
	}
	if err != nil {
		return v, state, fmt.Errorf("read the version of a workflow profile: %w", err)
	}
	v = versionKey{*profile, version}
	d, err := s.definition(ctx, tx, actor.AccountID, v)
	if err != nil {
		return v, state, err
	}
	if d.IsEmpty() {
		return v, state, ruleFault("#/profile_id", "is a workflow profile without actions and tasks")
	}
	from := ""
	if in.From != nil {
		from = *in.From
	}
	if state, err = machine.Start(d, from); err != nil {
		return v, state, ruleFault("#/from", "is not the key of an action of this workflow profile")
	}
	return v, state, s.mayBeginAt(ctx, tx, actor, i.ID, v, d, state.First)
}

// mayBeginAt returns FORBIDDEN if a run that begins at an action passes over one that has other roles than the actor's:
// a user must not skip the approval of others. What has succeeded in the item's last run may be skipped, if it was a
// run of the same version. To begin at a person's step hands it to its roles; an automatic action that names roles
// needs one.
func (s *Service) mayBeginAt(ctx context.Context, tx pgx.Tx, actor account.Actor, itemID uuid.UUID, v versionKey,
	d machine.Definition, first int) error {
	if first == 0 || actor.RoleID == uuid.Nil {
		return nil
	}
	var done []machine.ActionState
	row, err := store.New(tx).LastRun(ctx, store.LastRunParams{
		AccountID: actor.AccountID, ItemID: itemID, RoleID: actor.RoleParam()})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
	case err != nil:
		return fmt.Errorf("read the last run: %w", err)
	case row.ProfileID == v.profile && row.ProfileVersion == v.version:
		state, err := decodeState(row.State)
		if err != nil {
			return err
		}
		done = state.Actions
	}
	for k, a := range d.Actions[:first+1] {
		mayPass := k < first && k < len(done) && done[k].Status == machine.ActionSucceeded
		if k == first {
			mayPass = a.Kind.NeedsPerson()
		}
		if !mayPass && len(a.RoleIDs) > 0 && !slices.Contains(a.RoleIDs, actor.RoleID) {
			return problem.New(problem.Forbidden, "Your role may not begin there: only the roles of the action %q may do or "+
				"skip it. Begin earlier, or ask them.", a.Key)
		}
	}
	return nil
}

func ruleFault(pointer, detail string) error {
	return problem.Invalid(problem.RuleViolated, problem.Fault{Pointer: pointer, Detail: detail})
}

// CancelRun cancels the run of an item. Tasks that are recorded already are still sent. Needs workflows.act and, if the
// current action has roles, one of them or workflows.manage. Errors: NOT_FOUND; FORBIDDEN; CONFLICT when it has ended.
func (s *Service) CancelRun(ctx context.Context, itemID uuid.UUID) (Run, error) {
	return s.act(ctx, func(ctx context.Context, tx pgx.Tx, actor account.Actor) error {
		m, err := s.load(ctx, tx, actor, itemID)
		if errors.Is(err, errNoRun) {
			return s.errNotRunning(ctx, tx, actor, itemID, errEnded)
		}
		if err != nil {
			return err
		}
		if err := m.mayCancel(); err != nil {
			return err
		}
		after := *m.held.Item
		if _, err := m.apply(ctx, machine.Cancel{User: actor.UserParam()}, &after); err != nil {
			return err
		}
		return m.save(ctx)
	}, itemID)
}

// Act completes, approves or rejects the action that a run waits at. Needs workflows.act and, if the action has roles,
// one of them. Errors: NOT_FOUND; FORBIDDEN; INVALID_INPUT for the comment; ACTION_NOT_WAITING.
func (s *Service) Act(
	ctx context.Context, itemID uuid.UUID, key string, verb machine.Verb, comment string,
) (Run, error) {
	return s.act(ctx, func(ctx context.Context, tx pgx.Tx, actor account.Actor) error {
		comment := plaintext.Composed(comment)
		if fault := validate.Text(comment, 0, maxComment); fault != "" {
			return problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/comment", Detail: fault})
		}
		m, err := s.load(ctx, tx, actor, itemID)
		if errors.Is(err, errNoRun) {
			return s.errNotRunning(ctx, tx, actor, itemID, errNotWaiting(key, "the workflow has ended"))
		}
		if err != nil {
			return err
		}
		if err := m.mayAct(key); err != nil {
			return err
		}
		after := *m.held.Item
		e := machine.Act{Action: key, Verb: verb, User: actor.UserParam(), Comment: comment}
		moved, err := m.apply(ctx, e, &after)
		if err != nil {
			return err
		}
		if !moved {
			return m.errCannotAct(key, verb)
		}
		return m.saveAndGoOn(ctx)
	}, itemID)
}

// mayCancel returns FORBIDDEN if the current action has other roles. Users with workflows.manage may cancel every run:
// else one could wait for ever for a role that nobody has.
func (m *moving) mayCancel() error {
	a := m.state.CurrentAction(m.definition)
	if a == nil || len(a.RoleIDs) == 0 || m.actor.RoleID == uuid.Nil || slices.Contains(a.RoleIDs, m.actor.RoleID) ||
		m.actor.Permissions.Has(account.WorkflowsManage) {
		return nil
	}
	return problem.New(problem.Forbidden, "Your role may not cancel the workflow at the action %q. The roles of the "+
		"action may, and users with the permission %s.", a.Key, account.WorkflowsManage)
}

// mayAct returns NOT_FOUND for an action that the run lacks, and FORBIDDEN if the run waits at it for other roles.
func (m *moving) mayAct(key string) error {
	k := slices.IndexFunc(m.definition.Actions, func(a machine.Action) bool { return a.Key == key })
	if k < 0 {
		return problem.New(problem.NotFound, "The workflow has no action with this key.")
	}
	roles := m.definition.Actions[k].RoleIDs
	if k != m.state.Current || m.state.Phase != machine.PhasePerson || len(roles) == 0 || m.actor.RoleID == uuid.Nil ||
		slices.Contains(roles, m.actor.RoleID) {
		return nil
	}
	return problem.New(problem.Forbidden, "Your role may not act at this step. The roles of the action may.")
}

// errCannotAct says why an act does not apply.
func (m *moving) errCannotAct(key string, verb machine.Verb) error {
	a := m.state.CurrentAction(m.definition)
	switch {
	case m.state.Phase != machine.PhasePerson:
		return errNotWaiting(key, m.busy())
	case a.Key != key:
		return errNotWaiting(key, fmt.Sprintf("the workflow waits at %q", a.Key))
	case verb == machine.VerbComplete:
		return errNotWaiting(key, "it is an approval: approve or reject it")
	}
	return errNotWaiting(key, "it is an edit: complete it")
}

// busy says what a run does that waits for no person.
func (m *moving) busy() string {
	switch m.state.Phase {
	case machine.PhaseStart, machine.PhaseBefore, machine.PhaseAfter:
		return "the workflow waits for the answer to a task"
	case machine.PhaseProcess:
		return "the workflow waits for the media processor"
	}
	return "the workflow has not come to a step for people"
}

func errNotWaiting(key, why string) error {
	return problem.New(problem.ActionNotWaiting, "The action %q cannot be done now: %s.", key, why)
}

// errNotRunning returns NOT_FOUND if the item has never had a run, and else the given error.
func (s *Service) errNotRunning(
	ctx context.Context, tx pgx.Tx, actor account.Actor, itemID uuid.UUID, ended error,
) error {
	_, err := store.New(tx).LastRun(ctx, store.LastRunParams{
		AccountID: actor.AccountID, ItemID: itemID, RoleID: actor.RoleParam()})
	if errors.Is(err, pgx.ErrNoRows) {
		return errItemHasNoRun
	}
	return errors.Join(err, ended)
}

// act runs fn with the actor's permissions as the transaction reads them, and returns the item's run as it is then.
func (s *Service) act(
	ctx context.Context, fn func(ctx context.Context, tx pgx.Tx, actor account.Actor) error, itemID uuid.UUID,
) (run Run, err error) {
	if _, err := account.Authorize(ctx, account.WorkflowsAct); err != nil {
		return Run{}, err
	}
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		actor, err := account.Reauthorize(ctx, tx, account.WorkflowsAct)
		if err != nil {
			return err
		}
		if err := fn(ctx, tx, actor); err != nil {
			return err
		}
		run, err = s.lastRun(ctx, tx, actor, itemID)
		return err
	})
	return run, err
}
