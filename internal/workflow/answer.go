package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"itemcast/internal/hook"
	"itemcast/internal/hook/dispatch"
	"itemcast/internal/optional"
	"itemcast/internal/plaintext"
	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

// maxComment is the number of characters of a comment.
const maxComment = 2000

// TaskEnded records the ends of tasks' deliveries, in the transaction that settles them, and wakes the runs that wait
// for them. It implements dispatch.TasksEnded: it only inserts rows, and waits for no lock.
func (s *Starter) TaskEnded(ctx context.Context, tx pgx.Tx, tasks []dispatch.EndedTask) error {
	p := store.InsertAnswersParams{At: time.Now()}
	for n := range tasks {
		t := &tasks[n]
		event, outcome, comment, reason := answerOf(t)
		p.Ids, p.Accounts, p.Runs = append(p.Ids, uuid.Must(uuid.NewV7())), append(p.Accounts, t.AccountID),
			append(p.Runs, t.RunID)
		p.Events, p.Outcomes = append(p.Events, string(event)), append(p.Outcomes, string(outcome))
		p.Actions, p.Tasks = append(p.Actions, optional.OrZero(t.Action)), append(p.Tasks, t.Task.Task)
		p.Comments, p.Errors = append(p.Comments, comment), append(p.Errors, reason)
		p.DeliveryIds = append(p.DeliveryIds, t.DeliveryID)
	}
	rows, err := store.New(tx).InsertAnswers(ctx, p)
	if err != nil {
		return fmt.Errorf("record the answers of tasks: %w", err)
	}
	var jobs []river.JobArgs
	for _, row := range rows {
		job := advance{AccountID: row.AccountID, ItemID: row.ItemID}
		if row.Awaited && !slices.Contains(jobs, river.JobArgs(job)) {
			jobs = append(jobs, job)
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	return s.enqueue(ctx, tx, jobs...)
}

// answerOf reads the receiver's answer. One that is not of the documented form is OK.
func answerOf(t *dispatch.EndedTask) (event machine.EntryKind, outcome machine.Outcome, comment, reason string) {
	if t.Outcome != hook.Succeeded {
		return machine.TaskFailed, machine.Fail, "", sentence(t.Error)
	}
	var given struct {
		Result  machine.Outcome `json:"result"`
		Comment string          `json:"comment"`
	}
	if json.Unmarshal(t.Response, &given) != nil {
		return machine.TaskSucceeded, machine.OK, "", ""
	}
	if given.Result != machine.Fail && given.Result != machine.Skip {
		given.Result = machine.OK
	}
	return machine.TaskSucceeded, given.Result, shortened(plaintext.Composed(given.Comment)), ""
}

// sentence ends a text with a full stop.
func sentence(text string) string {
	if text == "" {
		return "The delivery failed."
	}
	return text + "."
}

// shortened returns a text's first characters, as many as a comment may have, without U+0000.
func shortened(text string) string {
	characters := []rune(text)
	characters = slices.DeleteFunc(characters, func(r rune) bool { return r == 0 })
	return string(characters[:min(len(characters), maxComment)])
}
