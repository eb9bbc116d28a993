// Package machine is the state machine of a workflow run: a state and an event give the next state and its effects. It
// is pure. It must not know the database, the clock or HTTP.
package machine

import "github.com/google/uuid"

// Definition is what a version of a workflow profile does: its actions, one after another, and its tasks beside them.
type Definition struct {
	Actions []Action `json:"actions"`
	Tasks   []Task   `json:"tasks"`
}

// IsEmpty reports whether there is nothing to do: such a profile starts no run.
func (d Definition) IsEmpty() bool { return len(d.Actions) == 0 && len(d.Tasks) == 0 }

// ActionKind is what an action does.
type ActionKind string

// The kinds of actions. Edit and Approve wait for a person; the others run by themselves.
const (
	Process ActionKind = "process"
	Edit    ActionKind = "edit"
	Approve ActionKind = "approve"
	Publish ActionKind = "publish"
	Archive ActionKind = "archive"
)

// ActionKinds returns every kind, in the order of the contract.
func ActionKinds() []ActionKind { return []ActionKind{Process, Edit, Approve, Publish, Archive} }

// NeedsPerson reports whether an action of the kind waits for a person.
func (k ActionKind) NeedsPerson() bool { return k == Edit || k == Approve }

// Action is a step of a workflow.
type Action struct {
	Key      string      `json:"key"` // unique in the profile
	Kind     ActionKind  `json:"kind"`
	Name     string      `json:"name"`
	RoleIDs  []uuid.UUID `json:"role_ids"` // who may act; empty: every role with workflows.act
	Settings Settings    `json:"settings"`
}

// Settings are those of an action's kind. The settings of other kinds are nil.
type Settings struct {
	RemindAfter *int     `json:"remind_after,omitempty"` // edit and approve: seconds of waiting; nil: never
	Deadline    *int     `json:"deadline,omitempty"`     // edit and approve: seconds of waiting; nil: none
	OnDeadline  *string  `json:"on_deadline,omitempty"`  // edit and approve: Fail or Skip; nil: Fail
	Privacy     *string  `json:"privacy,omitempty"`      // publish: public or unlisted
	Tags        []string `json:"tags,omitempty"`         // archive: tags to add
}

// What happens when a deadline passes.
const (
	Fail = "fail"
	Skip = "skip"
)

// TaskTime is the moment of a task.
type TaskTime string

// The moments of tasks. BeforeAction and AfterAction belong to an action.
const (
	AtStart      TaskTime = "workflow_start"
	AtComplete   TaskTime = "workflow_complete"
	AtFailed     TaskTime = "workflow_failed"
	BeforeAction TaskTime = "before_action"
	AfterAction  TaskTime = "after_action"
)

// TaskTimes returns every moment, in the order of the contract.
func TaskTimes() []TaskTime {
	return []TaskTime{AtStart, AtComplete, AtFailed, BeforeAction, AfterAction}
}

// OfAction reports whether a task at the moment names an action.
func (t TaskTime) OfAction() bool { return t == BeforeAction || t == AfterAction }

// HTTPPost is the only kind of a task: it sends the item's document to a URL.
const HTTPPost = "http_post"

// Task tells others that a moment of the workflow has come.
type Task struct {
	Key     string            `json:"key"` // unique in the profile
	Name    string            `json:"name"`
	At      TaskTime          `json:"at"`
	Action  *string           `json:"action"` // the key of its action, if its moment belongs to one
	Kind    string            `json:"kind"`   // HTTPPost
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Wait    bool              `json:"wait"` // the run goes on after the receiver's answer
}
