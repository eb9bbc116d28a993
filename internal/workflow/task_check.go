package workflow

import (
	"fmt"
	"slices"

	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
	"itemcast/internal/workflow/machine"
)

// checkTasks adds the faults of tasks, and normalizes their URLs. If the client has given only the actions, it checks
// that they still fit the tasks.
func (f *findings) checkTasks(in *ProfileInput, part given, reach egress.Policy) {
	if !part.tasks {
		if part.actions {
			f.checkActionsOfTasks(in)
		}
		return
	}
	if len(in.Tasks) > maxTasks {
		f.contract("#/tasks", fmt.Sprintf("must have at most %d entries", maxTasks))
		return
	}
	for i := range in.Tasks {
		t := &in.Tasks[i]
		f.contract(taskPointer(i, "key"), faultOfKey(t.Key))
		f.rule(taskPointer(i, "key"), duplicate(t.Key, in.Actions, in.Tasks[:i]))
		f.checkTitle(taskPointer(i, "name"), t.Name, t.Key)
		if t.Kind != machine.HTTPPost {
			f.contract(taskPointer(i, "kind"), "must be "+machine.HTTPPost)
		}
		f.checkMoment(i, *t, in.Actions)
		f.checkEndpoint(i, t, reach)
	}
}

func (f *findings) checkMoment(i int, t machine.Task, actions []machine.Action) {
	at := taskPointer(i, "action")
	switch {
	case !slices.Contains(machine.TaskTimes(), t.At):
		f.contract(taskPointer(i, "at"), "must be "+orList(machine.TaskTimes()))
		return
	case t.At.OfAction() && t.Action == nil:
		f.rule(at, fmt.Sprintf("must be the key of an action, because at is %s", t.At))
	case !t.At.OfAction() && t.Action != nil:
		f.rule(at, fmt.Sprintf("must be left out, because at is %s", t.At))
	case t.Action != nil && !hasAction(actions, *t.Action):
		f.rule(at, "must be the key of an action of this profile")
	}
	if t.Wait && (t.At == machine.AtComplete || t.At == machine.AtFailed) {
		f.rule(taskPointer(i, "wait"), fmt.Sprintf("must be false, because the workflow has ended at %s", t.At))
	}
}

func (f *findings) checkEndpoint(i int, t *machine.Task, reach egress.Policy) {
	normal, malformed, refusal := reach.CheckURL(t.URL)
	switch at := taskPointer(i, "url"); {
	case malformed != "":
		f.contract(at, malformed)
	case refusal != nil:
		f.rule(at, refusal.Error())
	default:
		t.URL = normal
	}
	f.add(sending.HeaderFaults(t.Headers, "tasks", fmt.Sprint(i), "headers"))
}

// checkActionsOfTasks checks new actions against the tasks that the profile has.
func (f *findings) checkActionsOfTasks(in *ProfileInput) {
	for _, t := range in.Tasks {
		if t.Action != nil && !hasAction(in.Actions, *t.Action) {
			f.rule("#/actions", fmt.Sprintf("must have the action %s, which the task %s names; change the task too",
				*t.Action, t.Key))
		}
	}
	for i, a := range in.Actions {
		f.rule(actionPointer(i, "key"), duplicate(a.Key, nil, in.Tasks))
	}
}

func hasAction(actions []machine.Action, key string) bool {
	return slices.ContainsFunc(actions, func(a machine.Action) bool { return a.Key == key })
}
