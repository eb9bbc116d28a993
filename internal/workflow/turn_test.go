package workflow_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/lease"
	"itemcast/internal/workflow/machine"

	"github.com/jackc/pgx/v5"
)

// stranger returns the same bundle for another account.
func (r *running) stranger() *running {
	r.t.Helper()
	b := *r.bundle
	b.account, b.roles = uuid.New(), map[string]uuid.UUID{"Editor": uuid.New()}
	r.exec(`INSERT INTO account (id, name) VALUES ($1, 'Other')`, b.account)
	r.exec(`INSERT INTO role (id, account_id, name, permissions) VALUES ($1, $2, 'Editor', $3)`, b.roles["Editor"],
		b.account, account.All().Strings())
	other := &running{bundle: &b, items: r.items, runs: r.runs, starter: r.starter}
	other.user = other.member("Editor", account.All()...)
	return other
}

// queued lets the runs of n items wait for a processor.
func (r *running) queued(n int) {
	r.t.Helper()
	_, _, mover := r.node(func(c *workflow.Config) { c.Processor = newProcessor(); c.ProcessJobs = -1 })
	stop := r.start(mover)
	r.eventually("the items wait for a processor", func() bool {
		return value[int](r, `SELECT count(*) FROM workflow_run WHERE process_action IS NOT NULL`) == n
	})
	stop()
}

func accountOf(t *testing.T, c call) uuid.UUID {
	t.Helper()
	actor, err := account.Authorize(c.ctx, account.ItemsEdit)
	if err != nil {
		t.Fatal(err)
	}
	return actor.AccountID
}

func TestProcess_AccountsTakeTurns(t *testing.T) {
	p := newProcessor()
	r := still(t, p.use)
	other := r.stranger()
	many, one := r.profile(actions(machine.Process)), other.profile(actions(machine.Process))
	for range 5 {
		r.create(many)
	}
	late := other.create(one)
	r.queued(6)
	r.start(r.runs)
	for n, want := range []uuid.UUID{r.account, other.account, r.account, r.account, r.account, r.account} {
		c := p.call(t)
		if got := accountOf(t, c); got != want {
			t.Errorf("turn %d is that of another account", n+1)
		}
		c.answer <- nil
	}
	other.awaitStatus(late, machine.Completed)
}

func TestProcess_KeepsTheLimitsOfParallelJobs(t *testing.T) {
	for name, limit := range map[string]string{
		"the account's": `UPDATE account SET quota_parallel_jobs = 2 WHERE id = $1`,
		"the profile's": `UPDATE workflow_profile SET uploads = '{"parallel_jobs": 2}' WHERE account_id = $1`,
	} {
		t.Run(name, func(t *testing.T) {
			p, q := newProcessor(), newProcessor()
			r := still(t, func(c *workflow.Config) { p.use(c); c.ProcessJobs = 3 })
			other := r.stranger()
			limited, free := r.profile(actions(machine.Process)), other.profile(actions(machine.Process))
			r.exec(limit, r.account)
			var ids []uuid.UUID
			for range 6 {
				ids = append(ids, r.create(limited))
			}
			for range 3 {
				other.create(free)
			}
			r.queued(9)
			_, _, second := r.node(func(c *workflow.Config) { q.use(c); c.ProcessJobs = 3 })
			r.start(r.runs)
			r.start(second)
			underWay := map[uuid.UUID][]call{}
			for range 5 { // all that may run at once: two of the limited account, three of the other one
				c := nextOf(t, p, q)
				underWay[accountOf(t, c)] = append(underWay[accountOf(t, c)], c)
			}
			if len(underWay[r.account]) != 2 || len(underWay[other.account]) != 3 {
				t.Fatalf("%d and %d items are processed at once", len(underWay[r.account]), len(underWay[other.account]))
			}
			waiting := 0
			for _, id := range ids {
				got := r.await(id, "is there", func(workflow.Run) bool { return true })
				if strings.Contains(*got.Explanation, "as many items as "+name) {
					waiting++
				}
			}
			if waiting != 4 {
				t.Errorf("%d runs say that they wait for the limit", waiting)
			}
			for range 4 { // each that ends makes room for one
				underWay[r.account][0].answer <- nil
				underWay[r.account] = append(underWay[r.account][1:], nextOf(t, p, q))
			}
			for _, calls := range underWay {
				for _, c := range calls {
					c.answer <- nil
				}
			}
			r.eventually("every run has ended", func() bool {
				return value[int](r, `SELECT count(*) FROM workflow_run WHERE status <> 'completed'`) == 0
			})
		})
	}
}

// nextOf returns the next call of either processor.
func nextOf(t *testing.T, p, q *processor) call {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	select {
	case c := <-p.calls:
		return c
	case c := <-q.calls:
		return c
	case <-ctx.Done():
		t.Fatal("neither processor is called")
		panic("unreachable")
	}
}

// A node that was paused for longer than its lease must not publish beside the one that has taken over.
func TestProcess_LosesItsLeaseInTheTransactionOfItsItem(t *testing.T) {
	p := newProcessor()
	r := run(t, p.use)
	id := r.create(r.profile(actions(machine.Process)))
	c := p.call(t)
	check := func() error {
		return db.Write(r.ctx, r.pool, func(ctx context.Context, tx pgx.Tx) error {
			return lease.Check(context.WithoutCancel(c.ctx), tx)
		})
	}
	if err := check(); err != nil {
		t.Errorf("while it has the lease: %v", err)
	}
	r.exec(`UPDATE workflow_run SET process_owner = gen_random_uuid() WHERE item_id = $1`, id)
	if check() == nil {
		t.Error("another node has the lease, and it goes on")
	}
	wantEnd(t, c.ctx)
}
