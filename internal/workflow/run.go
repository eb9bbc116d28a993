package workflow

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/page"
	"itemcast/internal/workflow/machine"
)

// Run is a run of a profile on an item.
type Run struct {
	ID             uuid.UUID
	ItemID         uuid.UUID
	ItemName       string
	ProfileID      uuid.UUID // may have been deleted
	ProfileVersion int
	Status         machine.Status
	CurrentAction  *string // of a failed or cancelled run: where it ended
	Explanation    *string // why it has not ended: one sentence; nil: it has
	Error          *string // why it has failed
	StartedBy      *uuid.UUID
	StartedAt      time.Time
	MovedAt        time.Time
	FinishedAt     *time.Time
	Actions        []RunAction
	Tasks          []RunTask
}

// RunAction is an action of a run.
type RunAction struct {
	Key        string
	Kind       machine.ActionKind
	Name       string
	Status     machine.ActionStatus
	Progress   int // percent
	Attempt    int // how often the processor has begun
	StartedAt  *time.Time
	FinishedAt *time.Time
	UserID     *uuid.UUID // who completed, approved or rejected it
	Comment    *string
	Error      *string // why it failed, or was skipped
}

// RunTask is a task of a run.
type RunTask struct {
	Key        string
	At         machine.TaskTime
	Action     *string
	DeliveryID *uuid.UUID // the webhook-id; nil: not known yet
	State      TaskState
}

// TaskState is the state of a task in a run.
type TaskState string

// The states of a task.
const (
	TaskPending   TaskState = "pending" // its moment has not come
	TaskSending   TaskState = "sending"
	TaskSucceeded TaskState = "succeeded"
	TaskFailed    TaskState = "failed"
	TaskSkipped   TaskState = "skipped" // its moment has passed without it
)

// runs is the name of the list in page tokens.
const runs = "workflows"

// PageToken returns the token of the run's place in the list of runs.
func (r Run) PageToken() string { return page.Token(runs, r.ID) }

// RunFilter selects runs. A zero field selects all.
type RunFilter struct {
	Statuses  []machine.Status
	Action    *string // the current action
	ProfileID *uuid.UUID
	ForMe     bool // those that wait for a person, if the actor may act
}

// statuses returns the statuses that runs of the filter can have.
func (f RunFilter) statuses() []string {
	wanted := []string{}
	for _, status := range machine.Statuses() {
		switch {
		case len(f.Statuses) > 0 && !slices.Contains(f.Statuses, status):
		case f.ForMe && status != machine.Waiting:
		case f.Action != nil && (status == machine.Pending || status == machine.Completed): // such runs are at no action
		default:
			wanted = append(wanted, string(status))
		}
	}
	return wanted
}

// StartInput says which run to start.
type StartInput struct {
	ProfileID *uuid.UUID // nil: the item's profile
	From      *string    // the action to begin with; nil: the first
}

// Event is an entry of the history of an item's runs.
type Event struct {
	ID         uuid.UUID
	RunID      uuid.UUID
	At         time.Time
	Event      machine.EntryKind
	Action     *string
	Task       *string
	UserID     *uuid.UUID // nil: the system
	Comment    *string
	Error      *string
	Took       *time.Duration // of an action that has ended
	DeliveryID *uuid.UUID     // of a task: the webhook-id
}

// history is the name of the list in page tokens.
const history = "workflow-history"

// PageToken returns the token of the entry's place in the history.
func (e Event) PageToken() string { return page.Token(history, e.ID) }
