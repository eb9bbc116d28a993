package workflow

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/workflow/machine"
)

// DryRun is what would happen to an item with a profile, and what is wrong with that.
type DryRun struct {
	Version  int32 // of the profile
	Steps    []Step
	Problems []Problem
}

// Step is an action or a task. Steps are in the order in which they would happen; the tasks of workflow_failed are
// last.
type Step struct {
	Pointer string // to the action or the task in the profile
	Key     string
	Name    string
	Action  machine.ActionKind // "" for a task
	Task    machine.TaskTime   // "" for an action
	Roles   []string           // the names of the roles that may act; empty for what needs no person
	URL     string             // of a task
	Waits   bool               // a person or a task's receiver must answer before the workflow goes on
	Effect  string             // in one or more sentences
}

// Problem is what is wrong with a profile.
type Problem struct {
	Pointer  string // to a place in the profile
	Severity Severity
	Detail   string // what is wrong, and what to do
}

// Severity is how bad a problem is.
type Severity string

// An Error makes workflows fail or wait without end. A Warning is probably not meant.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// CheckProfile lists what would happen to an item with a profile, and looks up whether that can work now: whether hooks
// may reach each task's URL, who may act, and whether runs of older versions wait, or will wait, for people who cannot.
// It changes nothing, and sends nothing. Needs workflows.manage. Error: NOT_FOUND.
func (s *Service) CheckProfile(ctx context.Context, id uuid.UUID) (DryRun, error) {
	actor, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return DryRun{}, err
	}
	tx := db.Read(ctx, s.pool)
	profile, err := get(ctx, tx, actor, id)
	if err != nil {
		return DryRun{}, err
	}
	roles, err := account.RoleUsers(ctx, tx, actor.AccountID)
	if err != nil {
		return DryRun{}, err
	}
	d := dryRun{profile: profile, roles: roles, processes: s.processor != nil, DryRun: DryRun{Version: profile.Version,
		Steps: []Step{}, Problems: []Problem{}}}
	d.run()
	d.checkUploads()
	if err := s.checkOlderRuns(ctx, tx, actor, &d); err != nil {
		return DryRun{}, err
	}
	d.checkEndpoints(ctx, s.reach, s.resolver)
	return d.DryRun, nil
}

// dryRun collects a DryRun.
type dryRun struct {
	DryRun
	profile   stored
	roles     []account.UsersOfRole
	processes bool // there is a media processor
}

func (d *dryRun) problem(pointer string, severity Severity, format string, args ...any) {
	d.Problems = append(d.Problems, Problem{Pointer: pointer, Severity: severity, Detail: fmt.Sprintf(format, args...)})
}

// run goes through the profile's steps in their order.
func (d *dryRun) run() {
	definition := d.profile.definition
	if definition.IsEmpty() && !d.profile.Uploads.Enabled {
		d.problem("#/actions", Warning, "The profile has neither actions nor tasks, so it starts no workflow. Add one.")
	}
	d.tasks(machine.AtStart, "")
	for i, a := range definition.Actions {
		d.tasks(machine.BeforeAction, a.Key)
		d.action(i, a)
		d.tasks(machine.AfterAction, a.Key)
	}
	d.tasks(machine.AtComplete, "")
	d.tasks(machine.AtFailed, "")
}

// checkUploads warns of uploads for which nobody can sign a ticket, and of those that nothing makes playable.
func (d *dryRun) checkUploads() {
	if !d.profile.Uploads.Enabled {
		return
	}
	isProcess := func(a machine.Action) bool { return a.Kind == machine.Process }
	if !slices.ContainsFunc(d.profile.Actions, isProcess) {
		d.problem("#/actions", Warning, "Nothing makes uploaded files playable, because the profile has no action of the "+
			"kind process. Add one.")
	}
	if !d.profile.hasUploadSecret {
		d.problem("#/uploads/enabled", Warning, "Uploads are enabled, and there is no secret to sign tickets with. Make one "+
			"by POST /workflow-profiles/{id}/rotate-secret with {\"secret\": \"uploads\"}.")
	}
}

// tasks adds the tasks of a moment; action is "" for a moment of the workflow.
func (d *dryRun) tasks(at machine.TaskTime, action string) {
	moments := map[machine.TaskTime]string{
		machine.AtStart:      "When the workflow starts",
		machine.AtComplete:   "When the workflow has completed",
		machine.AtFailed:     "When the workflow has failed",
		machine.BeforeAction: "Before the action " + action,
		machine.AfterAction:  "After the action " + action + ", even if that has failed or was skipped",
	}
	for i, t := range d.profile.definition.Tasks {
		if t.At != at || t.Action != nil && *t.Action != action {
			continue
		}
		effect := moments[at] + ", sends the item to the URL."
		if t.Wait {
			effect += " The workflow waits for the answer, and fails if there is none after the last retry."
		}
		d.Steps = append(d.Steps, Step{Pointer: taskPointer(i), Key: t.Key, Name: t.Name, Task: at, Roles: []string{},
			URL: t.URL, Waits: t.Wait, Effect: effect})
	}
}

// action adds an action, and what is wrong with it.
func (d *dryRun) action(i int, a machine.Action) {
	step := Step{Pointer: actionPointer(i), Key: a.Key, Name: a.Name, Action: a.Kind, Roles: []string{},
		Waits: a.Kind.NeedsPerson(), Effect: d.effect(a)}
	if a.Kind.NeedsPerson() {
		step.Roles = d.actors(i, a)
	}
	d.Steps = append(d.Steps, step)
	switch {
	case a.Kind == machine.Process && !d.processes:
		d.problem(actionPointer(i, "kind"), Warning,
			"The action %s will be skipped, because this server has no media processor.", a.Key)
	case a.Kind == machine.Publish:
		d.checkPublish(i, a)
	}
}

// checkPublish warns of an item that is published before a person has approved it.
func (d *dryRun) checkPublish(i int, publish machine.Action) {
	for _, later := range d.profile.definition.Actions[i+1:] {
		if later.Kind == machine.Approve {
			d.problem(actionPointer(i), Warning, "The action %s publishes the item before the action %s approves it. "+
				"Move it behind, if that is not meant.", publish.Key, later.Key)
			return
		}
	}
}
