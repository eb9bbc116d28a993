package machine

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// told applies events one after another, and returns a line for each move: the status, the current action and the
// tasks.
func told(t *testing.T, d Definition, from string, events ...Event) string {
	t.Helper()
	s, err := Start(d, from)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for n, e := range events {
		next, effects, ok := s.Apply(d, noon.Add(time.Duration(n)*time.Minute), e)
		if !ok {
			lines = append(lines, "nothing")
			continue
		}
		s = next
		line := string(s.Status)
		if a := s.CurrentAction(d); a != nil {
			line += " " + a.Key
		}
		for _, task := range effects.Tasks {
			line += " +" + d.Tasks[task].Key
		}
		if s.Error != "" {
			line += ": " + s.Error
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func newsroom(wait ...string) Definition {
	d := Definition{
		Actions: []Action{{Key: "process", Kind: Process}, {Key: "edit", Kind: Edit}, {Key: "approve", Kind: Approve},
			{Key: "publish", Kind: Publish}},
		Tasks: []Task{{Key: "begun", At: AtStart}, {Key: "before-edit", At: BeforeAction, Action: new("edit")},
			{Key: "approved", At: AfterAction, Action: new("approve")}, {Key: "done", At: AtComplete},
			{Key: "failed", At: AtFailed}},
	}
	for n := range d.Tasks {
		d.Tasks[n].Wait = strings.Contains(fmt.Sprint(wait), d.Tasks[n].Key)
	}
	return d
}

func TestApply_GoesThroughANewsroom(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		d      Definition
		from   string
		events []Event
		want   string
	}{
		"to the end": {newsroom(), "", []Event{Advance{}, Advance{Outcome: OK}, ProcessResult{Outcome: OK},
			Act{Action: "edit", Verb: VerbComplete}, Act{Action: "approve", Verb: VerbApprove}, Advance{Outcome: OK}}, `
running process +begun
running process
waiting edit +before-edit
waiting approve
running publish +approved
completed +done`},
		"a reject": {newsroom(), "approve", []Event{Advance{}, Act{Action: "edit", Verb: VerbComplete},
			Act{Action: "approve", Verb: VerbComplete}, Act{Action: "approve", Verb: VerbReject, Comment: "Too long."},
			Act{Action: "approve", Verb: VerbApprove}}, `
waiting approve +begun
nothing
nothing
failed approve +approved +failed: The action "approve" failed. It was rejected: Too long.
nothing`},
		"awaited tasks": {newsroom("begun", "before-edit", "approved"), "edit", []Event{Advance{}, Advance{},
			TaskResult{Task: "begun", Outcome: OK}, Act{Action: "edit", Verb: VerbComplete},
			TaskResult{Task: "before-edit", Outcome: Skip}, Act{Action: "approve", Verb: VerbApprove},
			TaskResult{Task: "approved", Outcome: OK}, TaskResult{Task: "approved", Outcome: Fail}}, `
running edit +begun
nothing
running edit +before-edit
nothing
waiting approve
running approve +approved
running publish
nothing`},
		"an awaited task fails before its action": {newsroom("before-edit"), "edit", []Event{Advance{},
			TaskResult{Task: "before-edit", Outcome: Fail, Reason: "410 Gone"}}, `
running edit +begun +before-edit
failed edit +failed: The action "edit" failed. The task "before-edit" failed: 410 Gone`},
		"an awaited task fails after its action": {newsroom("approved"), "approve", []Event{Advance{},
			Act{Action: "approve", Verb: VerbApprove}, TaskResult{Task: "approved", Outcome: Fail}}, `
waiting approve +begun
running approve +approved
failed approve +failed: The task "approved" failed.`},
		"without a processor": {newsroom(), "", []Event{Advance{}, Advance{Outcome: Skip, Reason: "No processor."}}, `
running process +begun
waiting edit +before-edit`},
		"cancelled": {newsroom(), "", []Event{Advance{}, Cancel{}, Advance{}}, `
running process +begun
cancelled process
nothing`},
		"only tasks": {Definition{Tasks: newsroom("begun").Tasks[:1]}, "", []Event{Advance{},
			TaskResult{Task: "begun", Outcome: OK}}, `
running +begun
completed`},
	} {
		if got := told(t, c.d, c.from, c.events...); got != strings.TrimSpace(c.want) {
			t.Errorf("%s: got\n%s\nwant%s", name, got, c.want)
		}
	}
}

func TestApply_RemindsOnceAndEndsAtTheDeadline(t *testing.T) {
	t.Parallel()
	d := Definition{Actions: []Action{{Key: "edit", Kind: Edit, Settings: Settings{RemindAfter: new(60), Deadline: new(180)}}}}
	for onDeadline, want := range map[string]string{
		Fail: `failed edit: The action "edit" failed. Nobody acted within its deadline of 180 seconds.`, Skip: "completed",
	} {
		d.Actions[0].Settings.OnDeadline = &onDeadline
		want = "waiting edit\nwaiting edit\nnothing\n" + want // at 12:00, 12:01, 12:02 and 12:03
		if got := told(t, d, "", Advance{}, Remind{}, Remind{}, Deadline{}); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}
