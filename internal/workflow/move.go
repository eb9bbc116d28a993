package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/optional"
	"itemcast/internal/problem"
	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

// maxAttempts is how often a step may fail, or kill its process, before it fails visibly.
const maxAttempts = 5

// moving is a run that a transaction moves. The transaction holds the lock of the item's row, which orders all moves of
// the item's run.
type moving struct {
	*Service
	tx    pgx.Tx
	actor account.Actor // whose act the move is; without a user: the system
	held  item.Held

	row        store.RunToMoveRow
	definition machine.Definition
	state      machine.State
	answers    []answer

	// What the moves of the transaction have come to.
	moved    bool
	movedAt  time.Time // the last move
	begins   bool      // the last move hands the item to the processor
	recorded []int     // the tasks of the last move
	entries  []entriesAt
}

// answer is the end of the delivery of a task that a run waits for.
type answer struct {
	Task    string          `json:"task"`
	Outcome machine.Outcome `json:"outcome"`
	Reason  string          `json:"reason"`
}

// errNoRun says that an item has no run that has not ended.
var errNoRun = errors.New("no run")

// load locks an item and reads its run that has not ended. Errors: NOT_FOUND for the item; errNoRun.
func (s *Service) load(ctx context.Context, tx pgx.Tx, actor account.Actor, itemID uuid.UUID) (*moving, error) {
	held, err := s.items.LockForWorkflow(ctx, tx, actor, itemID)
	if err != nil {
		return nil, err
	}
	m := &moving{Service: s, tx: tx, actor: actor, held: held}
	m.row, err = store.New(tx).RunToMove(ctx, store.RunToMoveParams{AccountID: actor.AccountID, ItemID: itemID})
	if errors.Is(err, pgx.ErrNoRows) {
		return m, errNoRun
	}
	if err != nil {
		return nil, fmt.Errorf("read a workflow's run: %w", err)
	}
	if m.state, err = decodeState(m.row.State); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(m.row.Answers, &m.answers); err != nil {
		return nil, fmt.Errorf("decode the answers of tasks: %w", err)
	}
	m.definition, err = s.definition(ctx, tx, actor.AccountID, versionKey{m.row.ProfileID, m.row.ProfileVersion})
	return m, err
}

func decodeState(raw json.RawMessage) (state machine.State, err error) {
	if err := json.Unmarshal(raw, &state); err != nil {
		return state, fmt.Errorf("decode a workflow's state: %w", err)
	}
	return state, nil
}

// isGone reports whether load found nothing to move: the run has ended, or the item was deleted.
func isGone(err error) bool { return errors.Is(err, errNoRun) || problem.Is(err, problem.NotFound) }

// advance moves the run of an item as far as it goes by itself.
func (s *Service) advance(ctx context.Context, job advance) error {
	attempts, err := s.countAttempt(ctx, job)
	if err != nil {
		return err
	}
	for more := true; more; {
		if more, err = s.step(ctx, job, attempts > maxAttempts); err != nil {
			return s.stepFailed(ctx, job, err)
		}
		attempts = 0
	}
	return nil
}

// countAttempt counts the attempt of a run that the sweep has found late: the process that tried before may have died.
func (s *Service) countAttempt(ctx context.Context, job advance) (attempts int, err error) {
	if !job.Nudged {
		return 0, nil
	}
	n, err := store.New(s.moves).CountAttempt(ctx, store.CountAttemptParams{
		AccountID: job.AccountID, ItemID: job.ItemID})
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("count an attempt: %w", err)
	}
	return int(n), nil
}

// stepFailed counts a failed attempt, unless the database is the reason.
func (s *Service) stepFailed(ctx context.Context, job advance, cause error) error {
	if problem.IsTemporary(cause) || ctx.Err() != nil {
		return cause
	}
	s.log.Error("a workflow's step failed; it is tried again", "item_id", job.ItemID, "error", cause)
	err := store.New(s.moves).FailAttempt(ctx, store.FailAttemptParams{AccountID: job.AccountID, ItemID: job.ItemID})
	if err != nil {
		return errors.Join(cause, fmt.Errorf("count a failed attempt: %w", err))
	}
	return nil // the sweep queues it again
}

// step takes moves of the run of an item, in one transaction: as many as follow each other at once, up to the first
// that records a task, because a task has the document that GET returns. more is true if the next one may follow at
// once.
func (s *Service) step(ctx context.Context, job advance, broken bool) (more bool, err error) {
	err = db.Write(ctx, s.moves, func(ctx context.Context, tx pgx.Tx) error {
		m, err := s.load(ctx, tx, account.Actor{AccountID: job.AccountID}, job.ItemID)
		if isGone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		broken = broken || int(m.row.Attempts) >= maxAttempts
		for more = true; more && len(m.recorded) == 0; broken = false {
			after := *m.held.Item
			e := m.event(&after, broken)
			if e == nil {
				if more = false; !m.moved {
					return m.keepProcessing(ctx, job.Nudged)
				}
				break
			}
			moved, err := m.apply(ctx, e, &after)
			if err != nil {
				return err
			}
			more = moved && m.hasMore()
			m.held.At = m.held.At.Add(time.Microsecond) // orders the moves of a transaction
		}
		return m.save(ctx)
	})
	return more && err == nil, err
}

// event returns what happens to a run by itself; nil: nothing. It applies the effects of the next automatic action to
// after.
func (m *moving) event(after *item.Item, broken bool) machine.Event {
	next := m.state.Next(m.definition)
	switch {
	case broken && (next != machine.NextNothing || len(m.answers) > 0):
		return machine.Broken{Reason: fmt.Sprintf("Itemcast could not do this in %d attempts, and has logged why.",
			maxAttempts)}
	case len(m.answers) > 0:
		a := m.answers[0]
		return machine.TaskResult{Task: a.Task, Outcome: a.Outcome, Reason: a.Reason}
	case next == machine.NextBegin:
		return machine.Advance{}
	case next == machine.NextProcess:
		return m.handOver(after)
	case next == machine.NextItem:
		if fault := m.run(after); fault != "" {
			return machine.Advance{Outcome: machine.Fail, Reason: fault}
		}
		return machine.Advance{Outcome: machine.OK}
	case isDue(m.state.DeadlineAt(m.definition), m.held.At):
		return machine.Deadline{}
	case isDue(m.state.RemindAt(m.definition), m.held.At):
		return machine.Remind{}
	case m.state.Phase == machine.PhaseProcess && m.processIsFree() && m.row.ProcessAttempt >= maxAttempts:
		return machine.ProcessResult{Outcome: machine.Fail, Attempt: int(m.row.ProcessAttempt),
			Reason: fmt.Sprintf("The processor was interrupted %d times.", maxAttempts)}
	}
	return nil
}

// handOver hands the item to the processor, unless it has nothing to do.
func (m *moving) handOver(i *item.Item) machine.Event {
	reason := "This server has no media processor."
	if m.processor != nil {
		reason = m.processor.Skips(i)
	}
	if reason != "" {
		return machine.Advance{Outcome: machine.Skip, Reason: reason}
	}
	return machine.Advance{Outcome: machine.OK}
}

func isDue(at *time.Time, now time.Time) bool { return at != nil && !now.Before(*at) }

// run applies the current automatic action to an item. It returns why the action fails; "": it does not.
func (m *moving) run(i *item.Item) (fault string) {
	a := m.state.CurrentAction(m.definition)
	switch a.Kind {
	case machine.Publish:
		i.Publish(item.Privacy(optional.Or(a.Settings.Privacy, defaultPrivacy)), m.held.At)
	case machine.Archive:
		tags := a.Settings.Tags
		if tags == nil {
			tags = []string{defaultTag}
		}
		return i.Archive(tags)
	}
	return ""
}

// hasMore reports whether the run has something to do at once. It drops answers that the run no longer waits for, such
// as a second one of the same task.
func (m *moving) hasMore() bool {
	awaited := m.state.Awaited(m.definition)
	m.answers = slices.DeleteFunc(m.answers, func(a answer) bool { return !slices.Contains(awaited, a.Task) })
	return len(m.answers) > 0 || m.state.Next(m.definition) != machine.NextNothing
}

// apply moves the run by an event, and records the changes: the item's next revision and the tasks. after is the item
// with the effects of the move's action. moved is false if the event does not apply. After one or more moves, save
// stores what they have come to.
func (m *moving) apply(ctx context.Context, e machine.Event, after *item.Item) (moved bool, err error) {
	next, effects, ok := m.state.Apply(m.definition, m.held.At, e)
	if !ok {
		return false, nil
	}
	before := m.state
	m.state, m.recorded = next, effects.Tasks
	after.Workflow = &item.ItemWorkflow{ProfileID: m.row.ProfileID, Status: string(next.Status)}
	if a := next.CurrentAction(m.definition); a != nil {
		after.Workflow.CurrentAction = &a.Key
	}
	if m.held.Workflow == nil || m.held.Workflow.ProfileID != m.row.ProfileID {
		return false, fmt.Errorf("the item %s has another workflow profile than its run", m.held.ID)
	}
	if m.held, err = m.items.ReviseForWorkflow(ctx, m.tx, m.actor, m.held, after); err != nil {
		return false, err
	}
	if err := m.record(ctx, effects); err != nil {
		return false, err
	}
	m.moved, m.movedAt, m.begins = true, m.held.At, effects.Process
	m.entries = append(m.entries, entriesAt{m.held.At, effects.Entries})
	db.AfterCommit(ctx, func() { m.metrics.count(m.definition, before, next) })
	return true, nil
}

// record records the changes of a move's tasks, and its reminder. Each has the document that GET returns from the
// commit on.
func (m *moving) record(ctx context.Context, effects machine.Effects) error {
	for _, n := range effects.Tasks {
		t := &m.definition.Tasks[n]
		err := hook.RecordTask(ctx, m.tx, hook.TaskChange{
			AccountID: m.actor.AccountID, ItemID: m.held.ID, Revision: m.held.Revision, Document: m.held.Document,
			OccurredAt: m.held.At, Actor: m.actor.UserParam(), URL: t.URL,
			Task: change.Task{RunID: m.row.ID, ProfileID: m.row.ProfileID, Task: t.Key, At: string(t.At), Action: t.Action},
		})
		if err != nil {
			return fmt.Errorf("record the task %s: %w", t.Key, err)
		}
	}
	if !effects.Remind {
		return nil
	}
	return change.Record(ctx, m.tx, change.Change{
		AccountID: m.actor.AccountID, ItemID: m.held.ID, Revision: m.held.Revision, Kind: change.Triggered,
		Trigger: change.TriggerReminder, Document: m.held.Document, OccurredAt: m.held.At,
	})
}

// save stores the item and the run as the moves of the transaction have left them, and the history, and queues what
// follows. Without a move it does nothing.
func (m *moving) save(ctx context.Context) error {
	if !m.moved {
		return nil
	}
	if err := m.items.StoreForWorkflow(ctx, m.tx, m.actor, m.held); err != nil {
		return err
	}
	encoded, err := json.Marshal(m.state)
	if err != nil {
		return fmt.Errorf("encode a workflow's state: %w", err)
	}
	p := store.SaveRunParams{AccountID: m.actor.AccountID, ID: m.row.ID, Status: string(m.state.Status),
		State: encoded, WaitingTasks: m.state.Awaited(m.definition), MovedAt: m.movedAt, WakeAt: m.wakeAt(),
		BeginsProcess: m.begins}
	if m.held.Workflow != nil {
		p.CurrentAction = m.held.Workflow.CurrentAction
	}
	if m.state.Error != "" {
		p.Error = &m.state.Error
	}
	if m.state.Phase == machine.PhasePerson {
		p.WaitingRoles = append([]uuid.UUID{}, m.state.CurrentAction(m.definition).RoleIDs...)
	}
	if m.state.Phase == machine.PhaseProcess {
		p.ProcessAction = &m.state.CurrentAction(m.definition).Key
	}
	if m.state.Status.HasEnded() {
		p.FinishedAt = new(m.movedAt)
	}
	q := store.New(db.Deferred(m.tx))
	if err := q.SaveRun(ctx, p); err != nil {
		return fmt.Errorf("store a workflow's run: %w", err)
	}
	if err := insertEvents(ctx, q, m.ref(), m.entries); err != nil {
		return err
	}
	return m.enqueueNext(ctx)
}

// saveAndGoOn is save, and queues what the run does next by itself.
func (m *moving) saveAndGoOn(ctx context.Context) error {
	if err := m.save(ctx); err != nil || !m.hasMore() {
		return err
	}
	return m.enqueue(ctx, m.tx, advance{AccountID: m.actor.AccountID, ItemID: m.held.ID})
}

func (m *moving) ref() runRef { return runRef{m.actor.AccountID, m.held.ID, m.row.ID} }

// wakeAt returns when the run should move by itself; nil: it waits for others.
func (m *moving) wakeAt() *time.Time {
	if m.state.Next(m.definition) != machine.NextNothing || m.state.Phase == machine.PhaseProcess {
		return new(m.movedAt)
	}
	remind, deadline := m.state.RemindAt(m.definition), m.state.DeadlineAt(m.definition)
	if remind == nil || deadline != nil && deadline.Before(*remind) {
		return deadline
	}
	return remind
}

// enqueueNext queues the processor, and the reminder and the deadline of a step that begins.
func (m *moving) enqueueNext(ctx context.Context) error {
	if m.begins {
		return m.enqueue(ctx, m.tx, m.processJob())
	}
	started := m.state.Phase == machine.PhasePerson && m.state.Actions[m.state.Current].StartedAt.Equal(m.movedAt)
	if !started {
		return nil
	}
	job := advance{AccountID: m.actor.AccountID, ItemID: m.held.ID}
	for _, at := range []*time.Time{m.state.RemindAt(m.definition), m.state.DeadlineAt(m.definition)} {
		if at != nil {
			if err := m.enqueueAt(ctx, m.tx, job, *at); err != nil {
				return err
			}
		}
	}
	return nil
}
