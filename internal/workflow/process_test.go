package workflow_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

// processor is a Processor that a test controls.
type processor struct {
	calls chan call
	skips string
}

type call struct {
	ctx      context.Context
	progress func(int)
	answer   chan error // a nil channel panics
}

func newProcessor() *processor { return &processor{calls: make(chan call)} }

func (p *processor) use(c *workflow.Config) { c.Processor = p }

// Skips implements workflow.Processor.
func (p *processor) Skips(*item.Item) string { return p.skips }

// Process implements workflow.Processor.
func (p *processor) Process(ctx context.Context, _ *item.Item, _ machine.Settings, progress func(int)) error {
	c := call{ctx, progress, make(chan error, 1)}
	select {
	case p.calls <- c:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// call waits for the next call.
func (p *processor) call(t *testing.T) call {
	t.Helper()
	select {
	case c := <-p.calls:
		return c
	case <-time.After(timeout):
		t.Fatal("the processor is not called")
		panic("unreachable")
	}
}

func wantEnd(t *testing.T, ctx context.Context) {
	t.Helper()
	select {
	case <-ctx.Done():
	case <-time.After(timeout):
		t.Fatal("the processor goes on")
	}
}

func TestProcess_ReportsItsProgressAndResult(t *testing.T) {
	p := newProcessor()
	r := run(t, p.use)
	id := r.create(r.profile(actions(machine.Process)))
	c := p.call(t)
	c.progress(42)
	got := r.await(id, "at 42 %", func(run workflow.Run) bool { return run.Actions[0].Progress == 42 })
	if *got.Explanation != "process 42 %." || got.Actions[0].Attempt != 1 ||
		got.Actions[0].Status != machine.ActionRunning || got.Status != machine.Running {
		t.Errorf("got %+v, %s", got, *got.Explanation)
	}
	c.answer <- nil
	if got := r.awaitStatus(id, machine.Completed); got.Actions[0].Progress != 100 || got.Actions[0].Attempt != 1 {
		t.Errorf("got %+v", got.Actions[0])
	}
}

func TestProcess_MayEditTheItemsOfItsAccount(t *testing.T) {
	p := newProcessor()
	r := run(t, p.use)
	r.create(r.profile(actions(machine.Process)))
	c := p.call(t)
	actor, err := account.Authorize(c.ctx, account.ItemsEdit)
	if err != nil || actor.AccountID != r.account || actor.UserID != uuid.Nil {
		t.Errorf("got %+v, %v", actor, err)
	}
	c.answer <- nil
}

func TestProcess_ShowsOnlyErrorsThatAreForUsers(t *testing.T) {
	p := newProcessor()
	r := run(t, p.use)
	profile := r.profile(actions(machine.Process))
	for given, want := range map[error]string{
		errors.New("exit status 1"):                                   "The processor failed. Itemcast has logged why.",
		problem.New(problem.RuleViolated, "The file is not a video."): "The file is not a video.",
	} {
		id := r.create(profile)
		p.call(t).answer <- given
		if got := r.awaitStatus(id, machine.Failed); *got.Actions[0].Error != want {
			t.Errorf("got %s, want %s", *got.Actions[0].Error, want)
		}
	}
}

func TestProcess_SkipsWhatTheProcessorHasNothingToDoWith(t *testing.T) {
	p := newProcessor()
	p.skips = "The item has no source."
	r := run(t, p.use)
	got := r.awaitStatus(r.create(r.profile(actions(machine.Process))), machine.Completed)
	if a := got.Actions[0]; a.Status != machine.ActionSkipped || *a.Error != p.skips || a.Attempt != 0 {
		t.Errorf("got %+v", a)
	}
}

func TestProcess_ActsAsTheSystemInTheItemsAccount(t *testing.T) {
	p := newProcessor()
	r := run(t, p.use)
	r.create(r.profile(actions(machine.Process)))
	c := p.call(t)
	actor, err := account.Authorize(c.ctx, account.ItemsEdit)
	if mine, ok := account.ActorFrom(r.user); err != nil || !ok || actor.AccountID != mine.AccountID || actor.UserID != uuid.Nil {
		t.Errorf("got %+v, %v", actor, err)
	}
	c.answer <- nil
}

func TestProcess_EndsWhenItsRunIsCancelledOrItsItemDeleted(t *testing.T) {
	p := newProcessor()
	r := run(t, p.use)
	profile := r.profile(actions(machine.Process))
	id := r.create(profile)
	c := p.call(t)
	if _, err := r.runs.CancelRun(r.user, id); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, c.ctx)
	id = r.create(profile)
	c = p.call(t)
	if err := r.items.Delete(r.user, id, nil); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, c.ctx)
}

func TestProcess_AnotherNodeTakesItOverWhenItsNodeStops(t *testing.T) {
	p, q := newProcessor(), newProcessor()
	r := still(t, p.use)
	stop := r.start(r.runs)
	id := r.create(r.profile(actions(machine.Process)))
	p.call(t)
	stop() // gives the attempt back
	_, _, other := r.node(q.use)
	r.start(other)
	q.call(t).answer <- nil
	if got := r.awaitStatus(id, machine.Completed); got.Actions[0].Attempt != 1 {
		t.Errorf("got %+v", got.Actions[0])
	}
}

// A node that is killed leaves its lease and its job behind. The test makes that state, and lets the lease expire.
func TestProcess_AnotherNodeTakesItOverWhenItsNodeWasKilled(t *testing.T) {
	p := newProcessor()
	r := still(t, func(c *workflow.Config) { p.use(c); c.SweepPause = 1e8 })
	id := r.create(r.profile(actions(machine.Process)))
	r.abandon(id, 1)
	r.start(r.runs)
	c := p.call(t)
	got := r.await(id, "at its second attempt", func(run workflow.Run) bool { return run.Actions[0].Attempt == 2 })
	if got.Status != machine.Running {
		t.Errorf("got %+v", got)
	}
	c.answer <- nil
	r.awaitStatus(id, machine.Completed)
}

func TestProcess_FailsVisiblyAfterFiveAttemptsThatKilledTheirProcess(t *testing.T) {
	p := newProcessor()
	r := still(t, func(c *workflow.Config) { p.use(c); c.SweepPause = 1e8 })
	id := r.create(r.profile(actions(machine.Process)))
	r.abandon(id, 5)
	r.start(r.runs)
	got := r.awaitStatus(id, machine.Failed)
	if a := got.Actions[0]; a.Attempt != 5 || *a.Error != "The processor was interrupted 5 times." {
		t.Errorf("got %+v, %s", a, *a.Error)
	}
}

// abandon makes the state that a killed node leaves while it processes for the nth time.
func (r *running) abandon(id any, attempts int) {
	r.t.Helper()
	stop := r.start(r.runs)
	r.eventually("processing begins", func() bool {
		return value[int](r, `SELECT count(*) FROM workflow_run WHERE item_id = $1 AND process_owner IS NOT NULL`, id) == 1
	})
	stop()
	r.exec(`UPDATE river_job SET state = 'running', attempted_at = now() WHERE kind = 'workflow_process'`)
	r.exec(`UPDATE workflow_run SET process_owner = gen_random_uuid(), process_attempt = $2,
		wake_at = now() - interval '11 seconds' WHERE item_id = $1`, id, attempts)
}
