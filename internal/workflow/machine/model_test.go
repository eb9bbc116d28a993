package machine

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// definitions generates lawful definitions.
func definitions(t *rapid.T) Definition {
	d := Definition{}
	for n := range rapid.IntRange(0, 5).Draw(t, "actions") {
		a := Action{Key: fmt.Sprint("a", n), Kind: rapid.SampledFrom(ActionKinds()).Draw(t, "kind")}
		if a.Kind.NeedsPerson() && rapid.Bool().Draw(t, "has a deadline") {
			a.Settings.RemindAfter, a.Settings.Deadline = new(60), new(120)
			a.Settings.OnDeadline = new(rapid.SampledFrom([]string{Fail, Skip}).Draw(t, "on_deadline"))
		}
		d.Actions = append(d.Actions, a)
	}
	for n := range rapid.IntRange(0, 6).Draw(t, "tasks") {
		task := Task{Key: fmt.Sprint("t", n), At: rapid.SampledFrom(TaskTimes()).Draw(t, "at")}
		if task.At.OfAction() {
			if len(d.Actions) == 0 {
				continue
			}
			task.Action = new(rapid.SampledFrom(d.Actions).Draw(t, "action").Key)
		}
		task.Wait = task.At != AtComplete && task.At != AtFailed && rapid.Bool().Draw(t, "wait")
		d.Tasks = append(d.Tasks, task)
	}
	return d
}

// events generates any event, lawful in the state or not.
func events(t *rapid.T, d Definition, s State) Event {
	outcome := rapid.SampledFrom([]Outcome{OK, OK, OK, Fail, Skip})
	switch rapid.IntRange(0, 12).Draw(t, "event") {
	case 0:
		return Cancel{}
	case 1:
		return Broken{Reason: "It failed five times."}
	case 2:
		return Deadline{}
	case 3:
		return Remind{}
	case 4:
		return ProcessResult{Outcome: outcome.Draw(t, "process"), Attempt: 1}
	case 5, 6, 7:
		if awaited := s.Awaited(d); len(awaited) > 0 {
			return TaskResult{Task: rapid.SampledFrom(awaited).Draw(t, "task"), Outcome: outcome.Draw(t, "answer")}
		}
		return TaskResult{Task: rapid.SampledFrom([]string{"t0", "t1", "none"}).Draw(t, "task"), Outcome: OK}
	case 8, 9:
		key := rapid.SampledFrom([]string{"a0", "a1", "none"}).Draw(t, "key")
		if s.Current >= 0 && rapid.Bool().Draw(t, "current") {
			key = d.Actions[s.Current].Key
		}
		user := uuid.New()
		verb := rapid.SampledFrom([]Verb{VerbComplete, VerbApprove, VerbReject}).Draw(t, "verb")
		return Act{Action: key, Verb: verb, User: &user}
	}
	return Advance{Outcome: outcome.Draw(t, "advance")}
}

// The invariants of the package comment hold after each event, whatever the definition and the order of events.
func TestApply_KeepsTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := definitions(t)
		from := ""
		if len(d.Actions) > 0 && rapid.Bool().Draw(t, "from") {
			from = rapid.SampledFrom(d.Actions).Draw(t, "from").Key
		}
		s, err := Start(d, from)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			at = at.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "seconds")) * time.Second)
			before := encoded(t, s)
			e := events(t, d, s)
			next, effects, ok := s.Apply(d, at, e)
			if encoded(t, s) != before {
				t.Fatalf("%#v modified the state", e)
			}
			if !ok {
				if encoded(t, next) != before || !reflect.DeepEqual(effects, Effects{}) {
					t.Fatalf("%#v does not apply and changes the run", e)
				}
				continue
			}
			checkMove(t, d, s, next, effects)
			checkState(t, d, next)
			s = next
		}
		finish(t, d, s, at)
	})
}

// finish gives a run what it waits for: it ends.
func finish(t *rapid.T, d Definition, s State, at time.Time) {
	for range 100 {
		if s.Status.HasEnded() {
			return
		}
		var e Event = Advance{Outcome: OK}
		switch awaited := s.Awaited(d); {
		case len(awaited) > 0:
			e = TaskResult{Task: awaited[0], Outcome: OK}
		case s.Phase == PhaseProcess:
			e = ProcessResult{Outcome: OK}
		case s.Phase == PhasePerson:
			a := d.Actions[s.Current]
			e = Act{Action: a.Key, Verb: map[ActionKind]Verb{Edit: VerbComplete, Approve: VerbApprove}[a.Kind]}
		}
		next, effects, ok := s.Apply(d, at, e)
		if !ok {
			t.Fatalf("%#v does not apply to %s", e, encoded(t, s))
		}
		checkMove(t, d, s, next, effects)
		checkState(t, d, next)
		s = next
	}
	t.Fatalf("the run does not end: %s", encoded(t, s))
}

func checkMove(t *rapid.T, d Definition, before, after State, effects Effects) {
	t.Helper()
	if before.Status.HasEnded() {
		t.Fatal("a run has moved after its end")
	}
	automatic := 0
	for n := range after.Actions {
		was, is := before.Actions[n].Status, after.Actions[n].Status
		if was.HasEnded() && is != was {
			t.Fatalf("the action %d was %s and is %s", n, was, is)
		}
		if is == ActionSucceeded && was != is && !d.Actions[n].Kind.NeedsPerson() {
			automatic++
		}
		if is == ActionFailed && after.Status != Failed {
			t.Fatalf("an action has failed, and the run is %s", after.Status)
		}
	}
	if automatic > 1 {
		t.Fatalf("%d automatic actions in one move", automatic)
	}
	for n := range after.Tasks {
		was, is := before.Tasks[n].RecordedAt, after.Tasks[n].RecordedAt
		if was != nil && (is == nil || !is.Equal(*was)) {
			t.Fatalf("the task %d was recorded twice, or forgotten", n)
		}
		if (was == nil && is != nil) != slices.Contains(effects.Tasks, n) {
			t.Fatalf("the task %d is recorded in the state and not in the effects, or the reverse", n)
		}
		if was == nil && before.HasMissed(d, n) && is != nil {
			t.Fatalf("the task %d was recorded after its moment", n)
		}
	}
	if after.Status == Cancelled && len(effects.Tasks) > 0 {
		t.Fatal("cancelling recorded tasks")
	}
}

func checkState(t *rapid.T, d Definition, s State) {
	t.Helper()
	for n, a := range s.Actions {
		switch {
		case (a.Status == ActionRunning || a.Status == ActionWaiting) && (n != s.Current || s.Status.HasEnded()):
			t.Fatalf("the action %d is %s: %s", n, a.Status, encoded(t, s))
		case n < s.Current && !a.Status.HasEnded(), s.Status == Completed && !a.Status.HasEnded():
			t.Fatalf("the action %d is passed over: %s", n, encoded(t, s))
		case n > s.Current && s.Current >= 0 && a.Status.HasEnded():
			t.Fatalf("the action %d has ended before its turn: %s", n, encoded(t, s))
		}
	}
	for n, task := range s.Tasks {
		at := d.Tasks[n].At
		switch recorded := task.RecordedAt != nil; {
		case task.Awaited && (!d.Tasks[n].Wait || s.Status.HasEnded() || !recorded):
			t.Fatalf("the task %d is awaited: %s", n, encoded(t, s))
		case at == AtComplete && recorded != (s.Status == Completed), at == AtFailed && recorded != (s.Status == Failed):
			t.Fatalf("the task %d at %s is recorded: %v: %s", n, at, recorded, encoded(t, s))
		case at == AtStart && !recorded && s.Phase != PhaseBegin && s.Status != Cancelled && s.Status != Failed:
			t.Fatalf("the task %d at the start is missing: %s", n, encoded(t, s))
		case at.OfAction() && !recorded:
			k := d.index(*d.Tasks[n].Action)
			if k >= s.First && s.Actions[k].Status.HasEnded() && at == AfterAction && s.Status != Cancelled {
				t.Fatalf("the task %d after the action %d is missing: %s", n, k, encoded(t, s))
			}
		}
	}
	reasons := 0
	for _, holds := range []bool{len(s.Awaited(d)) > 0, s.Phase == PhaseProcess, s.Phase == PhasePerson, s.Next(d) != NextNothing} {
		if holds {
			reasons++
		}
	}
	if want := map[bool]int{true: 0, false: 1}[s.Status.HasEnded()]; reasons != want {
		t.Fatalf("%d reasons not to have ended: %s", reasons, encoded(t, s))
	}
	if (s.Status == Waiting) != (s.Phase == PhasePerson) || (s.Phase == PhaseEnd) != s.Status.HasEnded() {
		t.Fatalf("the status does not fit the phase: %s", encoded(t, s))
	}
	var copied State
	if err := json.Unmarshal([]byte(encoded(t, s)), &copied); err != nil || encoded(t, copied) != encoded(t, s) {
		t.Fatalf("the stored state is another: %v", err)
	}
}

func encoded(t *rapid.T, s State) string {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
