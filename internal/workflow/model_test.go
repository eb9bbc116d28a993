package workflow_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/hook/dispatch"
	"itemcast/internal/problem"
	"itemcast/internal/soak"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

// model lets random people, receivers and kills act on the runs of random profiles, over two nodes.
type model struct {
	*running
	random *rand.Rand
	mine   []uuid.UUID          // the items
	given  []uuid.UUID          // the profiles
	stops  [2]func()            // of the nodes; nil: it is down
	ended  map[uuid.UUID]string // runs that have ended, as they were then
}

// Whatever people, receivers and kills do in whatever order, the promises hold after each step, and at last all runs
// end.
func TestModel_RandomActorsAndKillsBreakNoPromise(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("the seed is %d", seed)
	m := &model{running: still(t, nil), random: rand.New(rand.NewPCG(seed, 0)), ended: map[uuid.UUID]string{}}
	for range 4 {
		m.given = append(m.given, m.profile(m.definition()))
	}
	m.switchNode(0)
	m.switchNode(1)
	for range soak.Times(60, 1000) {
		m.step()
		m.check()
	}
	m.finish()
	m.check()
}

// definition returns a random definition without the processor, which package machine's model has.
func (m *model) definition() machine.Definition {
	kinds := []machine.ActionKind{machine.Edit, machine.Approve, machine.Publish, machine.Archive, machine.Process}
	var chosen []machine.ActionKind
	for range 1 + m.random.IntN(4) {
		chosen = append(chosen, kinds[m.random.IntN(len(kinds))])
	}
	d := actions(chosen...)
	for n := range m.random.IntN(5) {
		task := machine.Task{Key: fmt.Sprint("t", n), At: machine.TaskTimes()[m.random.IntN(5)]}
		if task.At.OfAction() {
			task.Action = &d.Actions[m.random.IntN(len(d.Actions))].Key
		}
		task.Wait = task.At != machine.AtComplete && task.At != machine.AtFailed && m.random.IntN(2) == 0
		d.Tasks = append(d.Tasks, task)
	}
	return d
}

func (m *model) step() {
	if len(m.mine) < 6 {
		m.mine = append(m.mine, m.create(m.given[m.random.IntN(len(m.given))]))
	}
	id := m.mine[m.random.IntN(len(m.mine))]
	run, err := m.runs.RunOf(m.user, id)
	if err != nil {
		m.t.Fatal(err)
	}
	switch what := m.random.IntN(12); {
	case run.Status.HasEnded():
		_, err = m.runs.Start(m.user, id, workflow.StartInput{})
	case what < 4:
		err = m.act(run)
	case what < 8:
		err = m.answer(run, []string{`{"result":"ok"}`, "", `{"result":"skip"}`, `{"result":"fail"}`}[m.random.IntN(4)])
	case what == 8:
		_, err = m.runs.CancelRun(m.user, id)
	case what == 9:
		m.switchNode(m.random.IntN(2))
	default:
		m.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`)
	}
	refused := problem.Is(err, problem.ActionNotWaiting) || problem.Is(err, problem.Conflict) ||
		problem.Is(err, problem.WorkflowRunning)
	if err != nil && !refused {
		m.t.Fatal(err)
	}
}

// switchNode stops a node in the middle of what it does, or starts it.
func (m *model) switchNode(n int) {
	if m.stops[n] != nil {
		m.stops[n]()
		m.stops[n] = nil
		return
	}
	_, _, service := m.node(nil)
	m.stops[n] = m.start(service)
}

// act does the current step, twice at once: at most one may win.
func (m *model) act(run workflow.Run) error {
	if run.CurrentAction == nil {
		return nil
	}
	key := *run.CurrentAction
	verbs := []machine.Verb{machine.VerbComplete, machine.VerbApprove, machine.VerbReject}
	errs := make(chan error, 2)
	for range 2 {
		verb := verbs[m.random.IntN(len(verbs))]
		go func() {
			_, err := m.runs.Act(m.user, run.ItemID, key, verb, "")
			errs <- err
		}()
	}
	first, second := <-errs, <-errs
	if first == nil && second == nil {
		m.t.Fatalf("both acts at %s have won", key)
	}
	if first == nil {
		return second
	}
	return first
}

// answer ends the delivery of a task that has been recorded; sometimes twice, as a redelivery does. An empty response
// is a failure.
func (m *model) answer(run workflow.Run, response string) error {
	open := slices.DeleteFunc(slices.Clone(run.Tasks), func(t workflow.RunTask) bool { return t.State != workflow.TaskSending })
	if len(open) == 0 {
		return nil
	}
	task := open[m.random.IntN(len(open))]
	end := dispatch.EndedTask{AccountID: m.account, ItemID: run.ItemID, DeliveryID: uuid.New(), Outcome: hook.Succeeded,
		Task:     change.Task{RunID: run.ID, ProfileID: run.ProfileID, Task: task.Key, At: string(task.At), Action: task.Action},
		Response: []byte(response)}
	if response == "" {
		end.Outcome = hook.Failed
	}
	for range 1 + m.random.IntN(2) {
		err := db.Write(m.t.Context(), m.pool, func(ctx context.Context, tx pgx.Tx) error {
			return m.starter.TaskEnded(ctx, tx, []dispatch.EndedTask{end})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// finish gives all runs what they wait for.
func (m *model) finish() {
	for n := range m.stops {
		if m.stops[n] == nil {
			m.switchNode(n)
		}
	}
	m.eventually("all runs have ended", func() bool {
		open := 0
		for _, id := range m.mine {
			run, err := m.runs.RunOf(m.user, id)
			switch {
			case err != nil:
				m.t.Fatal(err)
			case run.Status.HasEnded():
				continue
			case run.Status == machine.Waiting:
				_ = m.act(run) // both verbs may be wrong; then the next round tries again
			default:
				if err := m.answer(run, `{"result":"ok"}`); err != nil {
					m.t.Fatal(err)
				}
			}
			open++
		}
		return open == 0
	})
}

// check checks what the design promises of runs (§13.1), on one snapshot.
func (m *model) check() {
	m.t.Helper()
	err := pgx.BeginTxFunc(m.t.Context(), m.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		for promise, broken := range map[string]string{
			"each revision has one change, and the row has the last document": `SELECT count(*) FROM item i WHERE ARRAY(
					SELECT c.revision FROM item_change c WHERE c.item_id = i.id AND c.kind <> 'TRIGGERED' ORDER BY c.id
				) <> ARRAY(SELECT generate_series(1, i.revision)) OR i.document <> (
					SELECT c.document FROM item_change c WHERE c.item_id = i.id ORDER BY c.id DESC LIMIT 1)`,
			"a run records each task once": `SELECT count(*) FROM (SELECT FROM item_change WHERE task IS NOT NULL
				GROUP BY task ->> 'run_id', task ->> 'task' HAVING count(*) > 1) twice`,
			"an item shows its last run": `SELECT count(*) FROM item i JOIN LATERAL (
					SELECT r.status, r.current_action FROM workflow_run r WHERE r.item_id = i.id ORDER BY r.id DESC LIMIT 1
				) r ON true WHERE r.status <> i.workflow_status OR r.current_action IS DISTINCT FROM i.workflow_action`,
		} {
			var count int
			if err := tx.QueryRow(m.t.Context(), broken).Scan(&count); err != nil {
				return err
			}
			if count > 0 {
				m.t.Fatalf("not so, %d times: %s", count, promise)
			}
		}
		return m.checkEnded(tx)
	})
	if err != nil {
		m.t.Fatal(err)
	}
}

// checkEnded checks that a run that has ended never changes again.
func (m *model) checkEnded(tx pgx.Tx) error {
	rows, err := tx.Query(m.t.Context(), `SELECT id, status || md5(state::text) FROM workflow_run
		WHERE finished_at IS NOT NULL`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		var now string
		if err := rows.Scan(&id, &now); err != nil {
			return err
		}
		if was, known := m.ended[id]; known && was != now {
			m.t.Fatalf("the run %s has ended and changed: %s, then %s", id, was, now)
		}
		m.ended[id] = now
	}
	return rows.Err()
}
