package machine

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Status is the status of a run, and of its item's workflow.
type Status string

// The statuses of a run.
const (
	Pending   Status = "pending"
	Running   Status = "running"
	Waiting   Status = "waiting" // for a person
	Completed Status = "completed"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
)

// Statuses returns all statuses of a run, in the order of its life.
func Statuses() []Status { return []Status{Pending, Running, Waiting, Completed, Failed, Cancelled} }

// HasEnded reports whether a run with this status is over.
func (s Status) HasEnded() bool { return s == Completed || s == Failed || s == Cancelled }

// ActionStatus is the status of an action in a run.
type ActionStatus string

// The statuses of an action.
const (
	ActionPending   ActionStatus = "pending"
	ActionRunning   ActionStatus = "running"
	ActionWaiting   ActionStatus = "waiting" // for a person
	ActionSucceeded ActionStatus = "succeeded"
	ActionFailed    ActionStatus = "failed"
	ActionSkipped   ActionStatus = "skipped"
)

// HasEnded reports whether an action with this status is over.
func (s ActionStatus) HasEnded() bool {
	return s == ActionSucceeded || s == ActionFailed || s == ActionSkipped
}

// Phase says what a run does next; see the drawing in the package comment.
type Phase string

// The phases of a run.
const (
	PhaseBegin   Phase = "begin"   // Advance begins the run
	PhaseStart   Phase = "start"   // waits for tasks at workflow_start
	PhaseBefore  Phase = "before"  // waits for tasks before the current action
	PhaseRun     Phase = "run"     // Advance runs the current action
	PhaseProcess Phase = "process" // waits for the processor
	PhasePerson  Phase = "person"  // waits for a person
	PhaseAfter   Phase = "after"   // waits for tasks after the current action
	PhaseEnd     Phase = "end"
)

// State is the state of a run. Its JSON is stored. A State is never modified: [State.Apply] returns another.
type State struct {
	Status  Status        `json:"status"`
	Phase   Phase         `json:"phase"`
	First   int           `json:"first"`   // the index of the action that the run begins with
	Current int           `json:"current"` // the index of the current action; -1: none
	Skip    bool          `json:"skip,omitempty"`
	Error   string        `json:"error,omitempty"` // why the run has failed
	Actions []ActionState `json:"actions"`
	Tasks   []TaskState   `json:"tasks"`
}

// ActionState is the state of the action at the same index of the definition.
type ActionState struct {
	Status     ActionStatus `json:"status"`
	Attempt    int          `json:"attempt,omitempty"` // how often the processor has begun
	Reminded   bool         `json:"reminded,omitempty"`
	StartedAt  *time.Time   `json:"started_at,omitempty"`
	FinishedAt *time.Time   `json:"finished_at,omitempty"`
	UserID     *uuid.UUID   `json:"user_id,omitempty"` // who completed, approved or rejected it
	Comment    string       `json:"comment,omitempty"`
	Error      string       `json:"error,omitempty"` // why it has failed, or was skipped
}

// TaskState is the state of the task at the same index of the definition.
type TaskState struct {
	RecordedAt *time.Time `json:"recorded_at,omitempty"` // nil: not recorded
	Awaited    bool       `json:"awaited,omitempty"`     // the run waits for its answer
}

// clone returns a copy that shares nothing that a move modifies.
func (s State) clone() State {
	s.Actions, s.Tasks = slices.Clone(s.Actions), slices.Clone(s.Tasks)
	return s
}

// Awaited returns the keys of the tasks that the run waits for.
func (s State) Awaited(d Definition) []string {
	keys := []string{}
	for n := range s.Tasks {
		if s.Tasks[n].Awaited {
			keys = append(keys, d.Tasks[n].Key)
		}
	}
	return keys
}

// CurrentAction returns the current action; nil: none.
func (s State) CurrentAction(d Definition) *Action {
	if s.Current < 0 {
		return nil
	}
	return &d.Actions[s.Current]
}

// HasMissed reports whether a task has not been recorded, and no longer will be.
func (s State) HasMissed(d Definition, task int) bool {
	if s.Tasks[task].RecordedAt != nil {
		return false
	}
	if s.Status.HasEnded() {
		return true
	}
	switch t := d.Tasks[task]; t.At {
	case BeforeAction, AfterAction:
		k := d.index(*t.Action)
		return s.Actions[k].Status.HasEnded()
	case AtStart:
		return s.Phase != PhaseBegin
	}
	return false
}

// Next is what Advance does in a state.
type Next string

// What Advance does.
const (
	NextNothing Next = ""        // the run waits, or has ended
	NextBegin   Next = "begin"   // it begins the run
	NextItem    Next = "item"    // it runs publish or archive, whose effects are on the item
	NextProcess Next = "process" // it hands the item to the processor
)

// Next returns what Advance does next.
func (s State) Next(d Definition) Next {
	switch {
	case s.Phase == PhaseBegin:
		return NextBegin
	case s.Phase != PhaseRun:
		return NextNothing
	case d.Actions[s.Current].Kind == Process:
		return NextProcess
	}
	return NextItem
}

// RemindAt returns when the person that the run waits for is to be reminded; nil: never, or it has been done.
func (s State) RemindAt(d Definition) *time.Time {
	if s.Phase != PhasePerson || s.Actions[s.Current].Reminded {
		return nil
	}
	return s.after(d.Actions[s.Current].Settings.RemindAfter)
}

// DeadlineAt returns when the current person's step is over; nil: never.
func (s State) DeadlineAt(d Definition) *time.Time {
	if s.Phase != PhasePerson {
		return nil
	}
	return s.after(d.Actions[s.Current].Settings.Deadline)
}

// after returns the time of a number of seconds after the start of the current action.
func (s State) after(seconds *int) *time.Time {
	started := s.Actions[s.Current].StartedAt
	if seconds == nil || started == nil {
		return nil
	}
	return new(started.Add(time.Duration(*seconds) * time.Second))
}
