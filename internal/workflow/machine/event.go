package machine

import (
	"time"

	"github.com/google/uuid"
)

// Outcome is the result of an automatic action, or the answer of an awaited task.
type Outcome string

// OK is the third outcome, beside Fail and Skip.
const OK Outcome = "ok"

// Event is what happens to a run. Only the types of this package implement it.
type Event interface {
	apply(m *move) bool
}

// Advance takes the next step by itself. Outcome and Reason are the result of the automatic action if [State.Next]
// names one; for Process, OK hands the item to the processor.
type Advance struct {
	Outcome Outcome
	Reason  string
}

// ProcessResult is the end of the processor.
type ProcessResult struct {
	Outcome Outcome
	Reason  string
	Attempt int // how often the processor began
}

// TaskResult is the answer of an awaited task.
type TaskResult struct {
	Task    string
	Outcome Outcome
	Reason  string // the receiver's comment, or why the delivery failed
}

// Verb is what a person does to a step.
type Verb string

// The verbs. An edit is completed. An approval is approved or rejected; a reject fails the run.
const (
	VerbComplete Verb = "complete"
	VerbApprove  Verb = "approve"
	VerbReject   Verb = "reject"
)

// Act is a person's act.
type Act struct {
	Action  string
	Verb    Verb
	User    *uuid.UUID
	Comment string
}

// Remind reminds of the person's step, once, when it is due.
type Remind struct{}

// Deadline ends the person's step when its deadline has passed.
type Deadline struct{}

// Cancel ends the run.
type Cancel struct{ User *uuid.UUID }

// Broken fails a run whose next step could not be taken several times, by the current action if there is one.
type Broken struct{ Reason string }

// Effects are what a move does besides the next state.
type Effects struct {
	Process bool    // hand the item to the processor
	Remind  bool    // remind of the current step
	Tasks   []int   // the indexes of the tasks to record, in order
	Entries []Entry // for the history, in order
}

// EntryKind says what an entry of the history tells.
type EntryKind string

// The kinds of entries. Package workflow adds those of the end of a task's delivery.
const (
	RunStarted      EntryKind = "workflow_started"
	RunCompleted    EntryKind = "workflow_completed"
	RunFailed       EntryKind = "workflow_failed"
	RunCancelled    EntryKind = "workflow_cancelled"
	ActionStarted   EntryKind = "action_started" // the processor was asked
	ActionWaits     EntryKind = "action_waiting"
	ActionReminded  EntryKind = "action_reminded"
	ActionDone      EntryKind = "action_succeeded"
	ActionFails     EntryKind = "action_failed"
	ActionRejected  EntryKind = "action_rejected"
	ActionIsSkipped EntryKind = "action_skipped"
	TaskRecorded    EntryKind = "task_recorded"
	TaskSucceeded   EntryKind = "task_succeeded"
	TaskFailed      EntryKind = "task_failed"
)

// Entry is an entry of the history.
type Entry struct {
	Kind    EntryKind
	Action  string
	Task    string
	User    *uuid.UUID
	Comment string
	Error   string
	Took    time.Duration // of an action that has ended; 0: unknown
}
