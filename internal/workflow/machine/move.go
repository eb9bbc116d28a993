package machine

import (
	"fmt"
	"time"
)

// Apply returns the state after an event, and the move's effects. ok is false if the event does not apply to the state:
// then nothing happens.
func (s State) Apply(d Definition, at time.Time, e Event) (next State, effects Effects, ok bool) {
	if s.Status.HasEnded() {
		return s, Effects{}, false
	}
	m := &move{State: s.clone(), d: d, at: at}
	if !e.apply(m) {
		return s, Effects{}, false
	}
	return m.State, m.effects, true
}

// move is a state on its way to the next one.
type move struct {
	State
	d       Definition
	at      time.Time
	effects Effects
}

func (e Advance) apply(m *move) bool {
	switch m.Next(m.d) {
	case NextBegin:
		m.begin()
	case NextProcess:
		if e.Outcome == OK {
			m.Phase, m.effects.Process = PhaseProcess, true
			m.log(Entry{Kind: ActionStarted, Action: m.key()})
			return true
		}
		m.conclude(e.Outcome, e.Reason)
	case NextItem:
		m.conclude(e.Outcome, e.Reason)
	default:
		return false
	}
	return true
}

func (e ProcessResult) apply(m *move) bool {
	if m.Phase != PhaseProcess {
		return false
	}
	m.Actions[m.Current].Attempt = e.Attempt
	m.conclude(e.Outcome, e.Reason)
	return true
}

func (e TaskResult) apply(m *move) bool {
	n := m.d.taskIndex(e.Task)
	if n < 0 || !m.Tasks[n].Awaited {
		return false
	}
	m.Tasks[n].Awaited = false
	if e.Outcome == Fail {
		m.taskFails(e)
		return true
	}
	m.Skip = m.Skip || e.Outcome == Skip && m.Phase == PhaseBefore
	if m.isAwaiting() {
		return true
	}
	switch m.Phase {
	case PhaseStart:
		m.enter(m.First)
	case PhaseBefore:
		m.arrive()
	case PhaseAfter:
		m.enter(m.Current + 1)
	}
	return true
}

// taskFails fails the current action if the task comes before it, and the run in any case.
func (m *move) taskFails(e TaskResult) {
	reason := fmt.Sprintf("The task %q failed.", e.Task)
	if e.Reason != "" {
		reason = fmt.Sprintf("The task %q failed: %s", e.Task, e.Reason)
	}
	if m.Phase == PhaseBefore {
		m.failAction(reason)
		return
	}
	m.fail(reason)
}

func (e Act) apply(m *move) bool {
	if m.Phase != PhasePerson || m.key() != e.Action {
		return false
	}
	if kind := m.d.Actions[m.Current].Kind; (kind == Edit) != (e.Verb == VerbComplete) {
		return false
	}
	a := &m.Actions[m.Current]
	a.UserID, a.Comment = e.User, e.Comment
	if e.Verb != VerbReject {
		m.finish(ActionSucceeded, ActionDone, "")
		m.leave()
		return true
	}
	reason := "It was rejected."
	if e.Comment != "" {
		reason = "It was rejected: " + e.Comment
	}
	m.finish(ActionFailed, ActionRejected, reason)
	m.record(AfterAction)
	m.fail(fmt.Sprintf("The action %q failed. %s", m.key(), reason))
	return true
}

func (Remind) apply(m *move) bool {
	due := m.RemindAt(m.d)
	if due == nil || m.at.Before(*due) {
		return false
	}
	m.Actions[m.Current].Reminded, m.effects.Remind = true, true
	m.log(Entry{Kind: ActionReminded, Action: m.key()})
	return true
}

func (Deadline) apply(m *move) bool {
	due := m.DeadlineAt(m.d)
	if due == nil || m.at.Before(*due) {
		return false
	}
	settings := m.d.Actions[m.Current].Settings
	outcome := Outcome(Fail)
	if settings.OnDeadline != nil && *settings.OnDeadline == Skip {
		outcome = Skip
	}
	m.conclude(outcome, fmt.Sprintf("Nobody acted within its deadline of %d seconds.", *settings.Deadline))
	return true
}

func (e Cancel) apply(m *move) bool {
	m.stopAwaiting()
	if m.Current >= 0 && !m.Actions[m.Current].Status.HasEnded() && m.Actions[m.Current].Status != ActionPending {
		m.finish(ActionSkipped, "", "The workflow was cancelled.")
	}
	m.Status, m.Phase = Cancelled, PhaseEnd
	m.log(Entry{Kind: RunCancelled, User: e.User})
	return true
}

func (e Broken) apply(m *move) bool {
	m.stopAwaiting()
	if m.Current >= 0 && !m.Actions[m.Current].Status.HasEnded() {
		m.failAction(e.Reason)
	} else {
		m.fail(e.Reason)
	}
	return true
}
