package machine

import (
	"fmt"
	"slices"
)

// begin begins the run: the tasks at its start, then the first action.
func (m *move) begin() {
	m.Status = Running
	if m.First < len(m.Actions) {
		m.Current = m.First
	}
	if m.record(AtStart); m.isAwaiting() {
		m.Phase = PhaseStart
		return
	}
	m.enter(m.First)
}

// enter goes to an action, or completes the run after the last one.
func (m *move) enter(k int) {
	if k >= len(m.Actions) {
		m.complete()
		return
	}
	m.Current, m.Status = k, Running
	if m.record(BeforeAction); m.isAwaiting() {
		m.Phase = PhaseBefore
		return
	}
	m.arrive()
}

// arrive begins the current action, unless a task has asked to skip it.
func (m *move) arrive() {
	if m.Skip {
		m.Skip = false
		m.conclude(Skip, "A task asked to skip it.")
		return
	}
	a := &m.Actions[m.Current]
	a.StartedAt = &m.at
	if m.d.Actions[m.Current].Kind.NeedsPerson() {
		m.Status, m.Phase, a.Status = Waiting, PhasePerson, ActionWaiting
		m.log(Entry{Kind: ActionWaits, Action: m.key()})
		return
	}
	m.Status, m.Phase, a.Status = Running, PhaseRun, ActionRunning
}

// conclude ends the current action with an outcome.
func (m *move) conclude(outcome Outcome, reason string) {
	switch outcome {
	case Fail:
		m.failAction(reason)
	case Skip:
		m.finish(ActionSkipped, ActionIsSkipped, reason)
		m.leave()
	default:
		m.finish(ActionSucceeded, ActionDone, "")
		m.leave()
	}
}

// finish ends the current action, and logs it unless kind is empty.
func (m *move) finish(status ActionStatus, kind EntryKind, reason string) {
	a := &m.Actions[m.Current]
	a.Status, a.FinishedAt, a.Error = status, &m.at, reason
	if kind == "" {
		return
	}
	entry := Entry{Kind: kind, Action: m.key(), User: a.UserID, Comment: a.Comment, Error: reason}
	if a.StartedAt != nil {
		entry.Took = m.at.Sub(*a.StartedAt)
	}
	m.log(entry)
}

// leave goes on from an action that has ended.
func (m *move) leave() {
	m.Status = Running
	if m.record(AfterAction); m.isAwaiting() {
		m.Phase = PhaseAfter
		return
	}
	m.enter(m.Current + 1)
}

func (m *move) failAction(reason string) {
	m.finish(ActionFailed, ActionFails, reason)
	m.record(AfterAction)
	m.fail(fmt.Sprintf("The action %q failed. %s", m.key(), reason))
}

func (m *move) complete() {
	m.Status, m.Phase, m.Current = Completed, PhaseEnd, -1
	m.record(AtComplete)
	m.log(Entry{Kind: RunCompleted})
	m.stopAwaiting()
}

// fail ends the run. The current action remains, to show where the run has failed.
func (m *move) fail(reason string) {
	m.Status, m.Phase, m.Error, m.Skip = Failed, PhaseEnd, reason, false
	m.record(AtFailed)
	m.log(Entry{Kind: RunFailed, Error: reason})
	m.stopAwaiting()
}

// record records the tasks of a moment, in the order of the definition.
func (m *move) record(at TaskTime) {
	for n := range m.d.Tasks {
		t := &m.d.Tasks[n]
		if t.At != at || m.Tasks[n].RecordedAt != nil {
			continue
		}
		if at.OfAction() && (t.Action == nil || *t.Action != m.key()) {
			continue
		}
		m.Tasks[n] = TaskState{RecordedAt: &m.at, Awaited: t.Wait}
		m.effects.Tasks = append(m.effects.Tasks, n)
		m.log(Entry{Kind: TaskRecorded, Task: t.Key, Action: m.key()})
	}
}

func (m *move) isAwaiting() bool {
	return slices.ContainsFunc(m.Tasks, func(t TaskState) bool { return t.Awaited })
}

func (m *move) stopAwaiting() {
	for n := range m.Tasks {
		m.Tasks[n].Awaited = false
	}
}

// key is the key of the current action; "" without one.
func (m *move) key() string {
	if m.Current < 0 {
		return ""
	}
	return m.d.Actions[m.Current].Key
}

func (m *move) log(e Entry) { m.effects.Entries = append(m.effects.Entries, e) }
