package dispatch

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/wake"
)

// holdsPresence selects the backends that hold the presence of a node.
const holdsPresence = ` FROM pg_locks l WHERE l.locktype = 'advisory' AND l.objsubid = 2
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
	AND l.classid::bigint = (hashtext('itemcast hook node')::bigint & 4294967295) AND l.objid::bigint = $1`

// killPresence ends the connection that holds the presence of a node, and returns the process id of its backend; 0:
// there was none.
func (b *bundle) killPresence(node int32) (pid int) {
	b.T.Helper()
	pid = b.presencePID(node)
	b.Exec("SELECT pg_terminate_backend($1)", pid)
	return pid
}

func (b *bundle) presencePID(node int32) int {
	b.T.Helper()
	return value[int](b, "SELECT coalesce(max(l.pid), 0)"+holdsPresence, node)
}

func (b *bundle) alive() []int32 {
	b.T.Helper()
	return value[[]int32](b, "SELECT coalesce(array_agg(node), '{}') FROM hook_nodes_alive()")
}

// A node dies with claims of a minute. Its presence ends with its connection, and the others take over within seconds.
func TestTakeOver_OfADeadNodesClaimsComesLongBeforeTheyExpire(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	const longPosts = 50 * time.Second
	dead := b.idleNode(Config{Timeout: longPosts})
	for range 8 {
		b.write(dead, uuid.New(), change.Created)
	}
	b.fanOutAll(dead)
	living, die := context.WithCancel(b.Ctx)
	held := make(wake.Signal, 100)
	var presence sync.WaitGroup
	presence.Go(func() { dead.presence.run(living, living, held.Send) })
	<-held
	term, ok := dead.presence.term()
	if !ok || !slices.Equal(b.alive(), []int32{term.node}) {
		t.Fatalf("%v are alive", b.alive())
	}
	claimedRows := func() int {
		return value[int](b, "SELECT count(*) FROM delivery WHERE claim IS NOT NULL AND node = $1", term.node)
	}
	dead.Wake(h.ID)
	hooks, free := dead.slots.reserve()
	dead.claim(b.Ctx, term, hooks, free)
	if got := claimedRows(); got != 8 {
		t.Fatalf("%d are claimed", got)
	}
	other := b.node(Config{Timeout: longPosts, TakeOver: 6 * time.Second})
	b.Eventually("they see each other", func() bool { return len(b.alive()) == 2 })
	// While it is alive, new deliveries arrive, and it keeps its claims.
	b.write(other, uuid.New(), change.Created)
	r.AwaitCount(1)
	if got := claimedRows(); got != 8 {
		t.Fatalf("%d claims of a living node are left", got)
	}
	die()
	b.killPresence(term.node)
	presence.Wait()
	begun := time.Now()
	r.AwaitCount(9)
	if took := time.Since(begun); took > dead.config.lease()/2 {
		t.Errorf("it took %s", took)
	}
	b.Eventually("all are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 9 })
	other.stop()
	if len(r.Messages()) != 9 {
		t.Errorf("%d messages", len(r.Messages()))
	}
}

func TestAbsence_ANodeIsDeadAfterTheTimeout(t *testing.T) {
	t.Parallel()
	start := time.Now()
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	a := newAbsence(3*time.Second, start)
	for _, c := range []struct {
		second int
		alive  []int32
		spared string
		dead   bool
	}{
		{0, []int32{1, 2}, "[0 1 2]", false},
		{1, []int32{1}, "[0 1 2]", false},    // 2 is missing
		{2, []int32{1, 2}, "[0 1 2]", false}, // and back
		{3, []int32{1}, "[1 2]", true},       // the nodes that died before this one started
		{4, []int32{1}, "[1 2]", false},
		{6, []int32{1}, "[1]", true},
		{7, []int32{1}, "[1]", false}, // reported once
		{8, nil, "[1]", false},
		{11, nil, "[]", true},
	} {
		spared, dead := a.observe(c.alive, at(c.second))
		if dead {
			a.takenOver()
		}
		if slices.Sort(spared); fmt.Sprint(spared) != c.spared || dead != c.dead || spared == nil {
			t.Errorf("second %d: spared %v, dead %t; want %s, %t", c.second, spared, dead, c.spared, c.dead)
		}
	}
}

func TestAbsence_AFailedTakeOverIsRetried(t *testing.T) {
	t.Parallel()
	start := time.Now()
	a := newAbsence(time.Second, start)
	for range 3 {
		if _, dead := a.observe([]int32{1}, start.Add(2*time.Second)); !dead {
			t.Error("the dead node is forgotten before its claims are taken over")
		}
	}
	a.takenOver()
	if _, dead := a.observe([]int32{1}, start.Add(3*time.Second)); dead {
		t.Error("the dead node is remembered after it")
	}
}

func TestPresence_SurvivesABriefLossOfItsConnection(t *testing.T) {
	b := setup(t)
	arrived, finish := make(chan struct{}, 10), make(chan struct{})
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		arrived <- struct{}{}
		<-finish
		return http.StatusOK
	})
	h, _ := b.Hook(r.URL)
	n := b.node(Config{TakeOver: 20 * time.Second})
	b.write(n, uuid.New(), change.Created)
	<-arrived
	before, _ := n.presence.term()
	killed := b.killPresence(before.node)
	if killed == 0 {
		t.Fatal("the node has no presence")
	}
	b.Eventually("the presence is back, under the same number", func() bool {
		pid := b.presencePID(before.node)
		return pid != 0 && pid != killed && slices.Contains(b.alive(), before.node)
	})
	after, ok := n.presence.term()
	if !ok || after.node != before.node || before.ctx.Err() != nil {
		t.Errorf("the term has ended: %v, then %v", before.node, after.node)
	}
	close(finish)
	b.Eventually("it is delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 1 })
	if n.stop(); len(r.Messages()) != 1 {
		t.Errorf("it was sent %d times", len(r.Messages()))
	}
}

// wire carries connections. When it is cut, they stay open, and nothing passes.
type wire struct {
	mu   sync.Mutex
	open chan struct{} // closed unless it is cut
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = make(chan struct{})
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.open:
	default:
		close(w.open)
	}
}

func (w *wire) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		read, err := from.Read(buffer)
		if err != nil {
			return
		}
		w.mu.Lock()
		open := w.open
		w.mu.Unlock()
		<-open
		if _, err := to.Write(buffer[:read]); err != nil {
			return
		}
	}
}

// wired returns a pool whose connections go through a wire.
func (b *bundle) wired() (*pgxpool.Pool, *wire) {
	b.T.Helper()
	w := &wire{open: make(chan struct{})}
	close(w.open)
	config := b.Pool.Config()
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		server, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		here, there := net.Pipe()
		go w.pass(server, there)
		go w.pass(there, server)
		return here, nil
	}
	pool, err := pgxpool.NewWithConfig(b.T.Context(), config)
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(pool.Close)
	b.T.Cleanup(w.mend)
	return pool, w
}

// A node that cannot show that it is alive stops posting before the others take over. What it was sending is not
// an attempt.
func TestPresence_ANodeThatOthersMayCountAsDeadStopsPosting(t *testing.T) {
	b := setup(t)
	arrived, end := make(chan struct{}, 10), make(chan struct{})
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		select {
		case arrived <- struct{}{}:
		default:
		}
		<-end
		return http.StatusOK
	})
	t.Cleanup(func() { close(end) })
	b.Hook(r.URL)
	n := b.idleNode(Config{TakeOver: 8 * time.Second, Grace: time.Millisecond})
	pool, w := b.wired()
	n.presence.pool = pool
	b.run(n)
	b.write(n, uuid.New(), change.Created)
	<-arrived
	before, _ := n.presence.term()
	if !before.held() {
		t.Fatal("it posts without a term")
	}
	w.cut()
	begun := time.Now()
	<-before.ctx.Done()
	if took := time.Since(begun); took > n.config.TakeOver { // at most half of it, and a busy machine is slow
		t.Errorf("the posts continue for %s", took)
	}
	b.Eventually("the claim is released, and not counted", func() bool {
		return value[bool](b, "SELECT claim IS NULL AND attempts = 0 AND due_at <= clock_timestamp() FROM delivery")
	})
	if _, ok := n.presence.term(); ok {
		t.Error("the node has a term")
	}
	w.mend()
	// Again, in the next term. It has the same number if the connection survived: then no node has missed this one.
	<-arrived
	if attempts := value[int](b, "SELECT count(*) FROM delivery_attempt"); attempts != 0 {
		t.Errorf("%d attempts are logged", attempts)
	}
}
