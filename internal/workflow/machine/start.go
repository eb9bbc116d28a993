package machine

import "errors"

// ErrNoAction is the error of Start for an action that the definition lacks.
var ErrNoAction = errors.New("the workflow has no action with this key")

// Start returns the state of a new run. The actions before from are skipped; "" skips none.
func Start(d Definition, from string) (State, error) {
	s := State{Status: Pending, Phase: PhaseBegin, Current: -1,
		Actions: make([]ActionState, len(d.Actions)), Tasks: make([]TaskState, len(d.Tasks))}
	for n := range s.Actions {
		s.Actions[n].Status = ActionPending
	}
	if from == "" {
		return s, nil
	}
	s.First = d.index(from)
	if s.First < 0 {
		return State{}, ErrNoAction
	}
	for n := range s.First {
		s.Actions[n].Status = ActionSkipped
	}
	return s, nil
}

// index returns the index of an action; -1: the definition lacks it.
func (d Definition) index(key string) int {
	for n := range d.Actions {
		if d.Actions[n].Key == key {
			return n
		}
	}
	return -1
}

// taskIndex returns the index of a task; -1: the definition lacks it.
func (d Definition) taskIndex(key string) int {
	for n := range d.Tasks {
		if d.Tasks[n].Key == key {
			return n
		}
	}
	return -1
}
