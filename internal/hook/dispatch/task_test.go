package dispatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/problem"
	"itemcast/internal/standardwebhooks"
)

// tasked is a bundle with a workflow profile, and what is reported of its tasks.
type tasked struct {
	*bundle
	profile uuid.UUID
	secret  string

	mu     sync.Mutex
	refuse func(EndedTask) error // what TaskEnded answers; nil: no error
	ended  []EndedTask
}

func setupTasks(t *testing.T) *tasked {
	t.Helper()
	return &tasked{bundle: setup(t), profile: uuid.New(), secret: standardwebhooks.NewSecret().Text()}
}

// sync makes the hidden hooks of tasks. The key of a task stands before its URL.
func (b *tasked) sync(change func(*hook.WorkflowHooks), keysAndURLs ...string) {
	b.T.Helper()
	w := hook.WorkflowHooks{AccountID: b.Account, ProfileID: b.profile, Secret: &b.secret}
	for i := 0; i < len(keysAndURLs); i += 2 {
		w.Tasks = append(w.Tasks, hook.WorkflowTask{Key: keysAndURLs[i], URL: keysAndURLs[i+1],
			Headers: map[string]string{"X-Task": "for " + keysAndURLs[i]}})
	}
	if change != nil {
		change(&w)
	}
	b.inTx(func(ctx context.Context, tx pgx.Tx) error { return b.Service.SyncWorkflow(ctx, tx, w) })
}

func (b *tasked) inTx(fn func(ctx context.Context, tx pgx.Tx) error) {
	b.T.Helper()
	if err := pgx.BeginFunc(b.Ctx, b.Pool, func(tx pgx.Tx) error { return fn(b.Ctx, tx) }); err != nil {
		b.T.Fatal(err)
	}
}

// due records tasks of a run, each in a transaction that also raises the item's revision.
func (b *tasked) due(n *node, item uuid.UUID, url string, keys ...string) (run uuid.UUID) {
	b.T.Helper()
	run = uuid.New()
	for _, key := range keys {
		b.inTx(func(ctx context.Context, tx pgx.Tx) error {
			revision, err := b.Raise(tx, item)
			if err != nil {
				return err
			}
			return hook.RecordTask(ctx, tx, hook.TaskChange{
				AccountID: b.Account, ItemID: item, Revision: revision, Document: hooktest.DocumentOf(item, revision),
				OccurredAt: time.Now(), URL: url,
				Task: change.Task{RunID: run, ProfileID: b.profile, Task: key, At: "before_action", Action: new("publish")},
			})
		})
		n.sequencer.Wake()
	}
	return run
}

// config reports ended tasks to the bundle. A task counts as ended when its transaction has committed.
func (b *tasked) config(config Config) Config {
	config.TaskEnded = func(_ context.Context, tx pgx.Tx, tasks []EndedTask) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, task := range tasks {
			if _, err := tx.Exec(b.Ctx, `INSERT INTO ended_task VALUES ($1)`, task.DeliveryID); err != nil {
				return err
			}
			if b.refuse != nil {
				if err := b.refuse(task); err != nil {
					return err
				}
			}
		}
		b.ended = append(b.ended, tasks...)
		return nil
	}
	b.Exec(`CREATE TABLE IF NOT EXISTS ended_task (delivery_id uuid NOT NULL)`)
	return config
}

// awaitEnded waits until n ends of tasks are committed, and returns what was reported.
func (b *tasked) awaitEnded(n int) []EndedTask {
	b.T.Helper()
	b.Eventually("the tasks have ended", func() bool { return value[int](b.bundle, `SELECT count(*) FROM ended_task`) >= n })
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

func TestTask_IsSentLikeEveryDeliveryWithItsOwnHeaders(t *testing.T) {
	b := setupTasks(t)
	r := b.Receiver(func(w http.ResponseWriter, _ hooktest.Message) int {
		_, _ = w.Write([]byte(`{"result":"skip","comment":"done already"}`))
		return 0
	})
	b.sync(nil, "notify", r.URL, "archive", r.URL)
	n := b.node(b.config(Config{}))
	item := uuid.New()
	run := b.due(n, item, r.URL, "notify", "archive")
	messages := r.AwaitCount(2)
	for i, key := range []string{"notify", "archive"} {
		m := messages[i]
		m.Verify(t, b.secret)
		if want := hooktest.DocumentOf(item, int64(i+1)); !bytes.Equal(m.Body, want) {
			t.Errorf("the body is %s, want %s", m.Body, want)
		}
		for name, want := range map[string]string{
			"Itemcast-Event": "item.triggered", "Itemcast-Trigger": "workflow", "Itemcast-Task": key,
			"Itemcast-Task-At": "before_action", "Itemcast-Action": "publish", "X-Task": "for " + key,
			"Itemcast-Cursor": n.feed.Cursor(change.Position(i + 1)),
		} {
			if got := m.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", key, name, got, want)
			}
		}
	}
	ended := b.awaitEnded(2)
	for i, e := range ended {
		if e.AccountID != b.Account || e.ItemID != item || e.RunID != run || e.DeliveryID.String() != messages[i].ID() ||
			e.Outcome != hook.Succeeded || string(e.Response) != `{"result":"skip","comment":"done already"}` ||
			e.Error != "" || e.Task.Task != []string{"notify", "archive"}[i] || *e.Action != "publish" {
			t.Errorf("ended: %+v", e)
		}
	}
	found, err := hook.TaskDeliveries(b.Ctx, b.Pool, b.Account, []uuid.UUID{item}, []uuid.UUID{run})
	if err != nil || len(found) != 2 {
		t.Fatalf("the run has %+v, %v", found, err)
	}
	for i, d := range found {
		if *d.DeliveryID != ended[i].DeliveryID || d.State != hook.Succeeded || d.Task.Task != ended[i].Task.Task {
			t.Errorf("the run shows %+v", d)
		}
	}
}

// keysOf returns the tasks of messages in order of arrival, each with its item's revision.
func keysOf(messages []hooktest.Message) string {
	var keys []string
	for _, m := range messages {
		keys = append(keys, m.Header.Get("Itemcast-Task")+m.Header.Get("Itemcast-Revision"))
	}
	return strings.Join(keys, " ")
}

func TestTask_TasksOfOneItemToOneURLKeepTheirOrderThroughRetries(t *testing.T) {
	b := setupTasks(t)
	other := uuid.New()
	failed := 0 // of the first task, whose attempts follow one another
	r := b.Receiver(func(_ http.ResponseWriter, m hooktest.Message) int {
		if m.Header.Get("Itemcast-Task") != "a" || bytes.Contains(m.Body, []byte(other.String())) {
			return http.StatusOK
		}
		if failed++; failed <= 2 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	b.sync(nil, "a", r.URL, "b", r.URL, "c", r.URL+"/other")
	n := b.node(b.config(Config{Retries: retries(5, 50*time.Millisecond)}))
	item := uuid.New()
	b.due(n, item, r.URL, "a", "b")
	r.AwaitCount(1)
	b.due(n, other, r.URL, "a")
	b.due(n, item, r.URL+"/other", "c")
	b.awaitEnded(4)
	var toURL []hooktest.Message
	for _, m := range r.Messages() {
		if bytes.Contains(m.Body, []byte(item.String())) && m.Header.Get("Itemcast-Task") != "c" {
			toURL = append(toURL, m)
		}
	}
	if got := keysOf(toURL); got != "a1 a1 a1 b2" {
		t.Fatalf("the item's tasks arrived as %s", got)
	}
	for _, m := range toURL[:3] {
		if m.ID() != toURL[0].ID() || !bytes.Equal(m.Body, toURL[0].Body) {
			t.Errorf("an attempt of %s has the id %s and the body %s", toURL[0].ID(), m.ID(), m.Body)
		}
	}
}

// A user could not make a hidden hook active again.
func TestTask_NoAnswerMakesAHiddenHookInactive(t *testing.T) {
	b := setupTasks(t)
	var answers []int
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		if answers = append(answers, http.StatusGone); len(answers) == 1 {
			return http.StatusGone
		}
		return http.StatusInternalServerError
	})
	b.sync(nil, "a", r.URL, "b", r.URL, "c", r.URL)
	n := b.node(b.config(Config{Retries: retries(1, time.Millisecond), DisableAfter: time.Nanosecond}))
	b.due(n, uuid.New(), r.URL, "a", "b", "c")
	for i, e := range b.awaitEnded(3) {
		if e.Outcome != hook.Failed || e.Task.Task != string("abc"[i]) || e.Error == "" {
			t.Errorf("ended: %+v", e)
		}
	}
	if got := keysOf(r.Messages()); got != "a1 b2 b2 c3 c3" {
		t.Errorf("sent %s", got)
	}
	if !value[bool](b.bundle, `SELECT bool_and(active) FROM hook`) ||
		value[int](b.bundle, `SELECT count(*) FROM audit WHERE action = 'hook.disabled'`) > 0 {
		t.Error("the hook became inactive")
	}
}

func TestTask_AnEndThatCannotBeReportedIsUndoneAndDelaysNoOther(t *testing.T) {
	b := setupTasks(t)
	r := b.Receiver(nil)
	b.sync(nil, "stuck", r.URL, "free", r.URL)
	h, _ := b.Hook(r.URL+"/hook", hook.ItemCreated)
	refusals := 0
	b.refuse = func(e EndedTask) error {
		if e.Task.Task != "stuck" || refusals == 3 {
			return nil
		}
		refusals++
		return errors.New("not now")
	}
	// A claim whose result cannot be written is sent again after its lease.
	n := b.node(b.config(Config{Timeout: 500 * time.Millisecond, Slack: 500 * time.Millisecond}))
	stuck := uuid.New()
	run := b.due(n, stuck, r.URL, "stuck")
	for range 10 {
		item := uuid.New()
		b.due(n, item, r.URL, "free")
		b.write(n, uuid.New(), change.Created)
	}
	ended := b.awaitEnded(11)
	b.Eventually("the hook's deliveries have succeeded", func() bool { return b.States(h)[hooktest.Succeeded] == 10 })
	if last := ended[10]; last.Task.Task != "stuck" || last.RunID != run {
		t.Errorf("the last to end is %+v", last)
	}
	var stuckIDs []string
	for _, m := range r.Messages() {
		if m.Header.Get("Itemcast-Task") == "stuck" {
			stuckIDs = append(stuckIDs, m.ID())
		}
	}
	if distinct := slices.Compact(slices.Clone(stuckIDs)); len(stuckIDs) < 2 || len(distinct) != 1 {
		t.Errorf("it was sent as %v", stuckIDs)
	}
	if got := value[int](b.bundle, `SELECT count(*) FROM ended_task`); got != 11 {
		t.Errorf("%d ends are committed, want 11", got)
	}
}

func TestTask_BothSecretsSignWhileTheOldOneLasts(t *testing.T) {
	b := setupTasks(t)
	r, answer := b.Answering(http.StatusInternalServerError)
	b.sync(func(w *hook.WorkflowHooks) { w.Secret = nil }, "a", r.URL, "b", r.URL+"/b")
	n := b.node(b.config(Config{Retries: retries(1000, 20*time.Millisecond)}))
	item := uuid.New()
	b.due(n, item, r.URL, "a")
	r.AwaitCount(1)
	b.sync(nil, "a", r.URL)           // the first secret; only an earlier version has b
	next := func() hooktest.Message { // one that was claimed after now
		begun := len(r.Messages())
		return r.AwaitCount(begun + 3)[begun+2]
	}
	next().Verify(t, b.secret)
	old := b.secret
	b.secret = standardwebhooks.NewSecret().Text()
	b.sync(func(w *hook.WorkflowHooks) {
		w.OldSecret, w.OldSecretUntil = &old, new(time.Now().Add(time.Hour))
		w.Tasks[0].Headers = map[string]string{"X-Task": "new"}
	}, "a", r.URL)
	m := next()
	m.Verify(t, b.secret, old)
	if got := m.Header.Get("X-Task"); got != "new" {
		t.Errorf("X-Task is %q", got)
	}
	b.sync(func(w *hook.WorkflowHooks) { w.OldSecret, w.OldSecretUntil = &old, new(time.Now().Add(-time.Second)) })
	next().Verify(t, b.secret)
	answer.Store(http.StatusOK)
	b.awaitEnded(1)
	b.due(n, item, r.URL+"/b", "b") // a run keeps its version
	m = r.Await(func(all []hooktest.Message) bool { return all[len(all)-1].Header.Get("Itemcast-Task") == "b" })[len(r.Messages())-1]
	m.Verify(t, b.secret)
	if got := m.Header.Get("X-Task"); got != "for b" {
		t.Errorf("X-Task is %q", got)
	}
}

func TestTask_OnlyItsHiddenHookReceivesIt(t *testing.T) {
	b := setupTasks(t)
	r, own := b.Receiver(nil), b.Receiver(nil)
	b.Hook(own.URL)
	b.sync(nil, "a", r.URL)
	n := b.node(b.config(Config{}))
	item := uuid.New()
	b.write(n, item, change.Created)
	b.due(n, item, r.URL, "a")
	b.record(n, change.Change{ItemID: item, Kind: change.Triggered, Trigger: change.TriggerReminder})
	b.write(n, item, change.Deleted)
	b.awaitEnded(1)
	own.AwaitCount(3)
	n.stop()
	if got := own.Events(); got != "created1 triggered2 deleted3" {
		t.Errorf("the user's hook received %s", got)
	}
	if got := keysOf(r.Messages()); got != "a2" {
		t.Errorf("the hidden hook received %s", got)
	}
}

func TestTask_ARestoreThatPausesHooksFailsThemUntilTheProfileIsSynced(t *testing.T) {
	b := setupTasks(t)
	r := b.Receiver(nil)
	b.sync(nil, "a", r.URL)
	b.Exec(`UPDATE hook SET active = false, disabled_reason = 'Paused.'`)
	n := b.node(b.config(Config{}))
	item := uuid.New()
	b.due(n, item, r.URL, "a")
	if e := b.awaitEnded(1)[0]; e.Outcome != hook.Failed || e.Error != "Paused" || e.ItemID != item {
		t.Errorf("ended: %+v", e)
	}
	b.sync(nil, "a", r.URL)
	b.due(n, item, r.URL, "a")
	b.awaitEnded(2)
	if got := keysOf(r.Messages()); got != "a2" {
		t.Errorf("sent %s", got)
	}
}

func TestTask_ADeletedProfileStillSendsWhatIsRecorded(t *testing.T) {
	b := setupTasks(t)
	r, answer := b.Answering(http.StatusInternalServerError)
	b.sync(nil, "a", r.URL+"/a", "b", r.URL+"/b")
	n := b.idleNode(b.config(Config{Retries: retries(1000, 20*time.Millisecond)}))
	b.due(n, uuid.New(), r.URL+"/a", "a")
	b.inTx(func(ctx context.Context, tx pgx.Tx) error {
		return b.Service.EndWorkflow(ctx, tx, b.Account, b.profile)
	})
	if err := n.endInactive(b.Ctx); err != nil {
		t.Fatal(err)
	}
	deleted := func(path string) bool {
		return value[bool](b.bundle, `SELECT coalesce((SELECT deleted_at IS NOT NULL FROM hook WHERE url = $1), true)`, r.URL+path)
	}
	if deleted("/a") || deleted("/b") {
		t.Error("a hook was deleted before the fan-out has read the log")
	}
	b.run(n)
	b.Eventually("the hook without deliveries is deleted", func() bool { return deleted(r.URL + "/b") })
	r.AwaitCount(2)
	if deleted("/a") {
		t.Error("the hook was deleted with a pending delivery")
	}
	answer.Store(http.StatusOK)
	if e := b.awaitEnded(1)[0]; e.Outcome != hook.Succeeded {
		t.Errorf("ended: %+v", e)
	}
	b.Eventually("the hook is deleted", func() bool { return deleted("/a") })
}

func TestTask_AURLThatIsNoLongerNeededKeepsItsHookWhileItsDeliveriesAreShown(t *testing.T) {
	b := setupTasks(t)
	b.Exec(`INSERT INTO workflow_profile (id, account_id, name) VALUES ($1, $2, 'News')`, b.profile, b.Account)
	r, answer := b.Answering(http.StatusInternalServerError)
	b.sync(nil, "used", r.URL+"/used", "unused", r.URL+"/unused", "kept", r.URL+"/kept")
	n := b.idleNode(b.config(Config{Retries: retries(1000, 20*time.Millisecond)}))
	item := uuid.New()
	b.due(n, item, r.URL+"/used", "used")
	b.inTx(func(ctx context.Context, tx pgx.Tx) error {
		return b.Service.RetireWorkflow(ctx, tx, b.Account, b.profile, []string{r.URL + "/kept"})
	})
	hooks := func() (urls string) {
		return value[string](b.bundle, `SELECT coalesce(string_agg(right(url, -length($1)), ' ' ORDER BY url), '')
			FROM hook WHERE deleted_at IS NULL`, r.URL)
	}
	b.run(n)
	b.Eventually("the hook that sent nothing is deleted", func() bool { return hooks() == "/kept /used" })
	r.AwaitCount(2)
	answer.Store(http.StatusOK)
	id := b.awaitEnded(1)[0].DeliveryID
	swept := func() { // twice, so that one sweep began after what the test has done
		for range 2 {
			n.taskHooksSwept = time.Time{}
			if err := n.endInactive(b.Ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	n.stop()
	if swept(); hooks() != "/kept /used" {
		t.Errorf("with a logged delivery the hooks are %s", hooks())
	}
	both := b.managing(account.HooksManage, account.WorkflowsManage)
	if d, _, err := b.Service.Delivery(both, id); err != nil || d.State != hook.Succeeded {
		t.Errorf("the delivery is %+v, %v", d, err)
	}
	b.Exec(`DELETE FROM delivery_attempt`)
	if swept(); hooks() != "/kept" {
		t.Errorf("without deliveries the hooks are %s", hooks())
	}
	b.sync(nil, "used", r.URL+"/used") // before the row is forgotten
	n = b.node(b.config(Config{}))
	b.due(n, item, r.URL+"/used", "used")
	if e := b.awaitEnded(2)[1]; e.Outcome != hook.Succeeded {
		t.Errorf("of a URL that is back: %+v", e)
	}
}

func TestTask_APendingOneHoldsTheLog(t *testing.T) {
	b := setupTasks(t)
	r, answer := b.Answering(http.StatusInternalServerError)
	b.sync(nil, "a", r.URL)
	n := b.node(b.config(Config{Retries: retries(1000, 20*time.Millisecond)}))
	item := uuid.New()
	b.write(n, item, change.Created)
	b.due(n, item, r.URL, "a")
	r.AwaitCount(1)
	if held, err := n.Hold(b.Ctx); err != nil || held != 1 {
		t.Errorf("the log is held after %d, %v; want 1", held, err)
	}
	answer.Store(http.StatusOK)
	b.awaitEnded(1)
	if held, err := n.Hold(b.Ctx); err != nil || held < 2 {
		t.Errorf("the log is held after %d, %v", held, err)
	}
}

// managing is a context of a user who has permissions.
func (b *tasked) managing(permissions ...account.Permission) context.Context {
	return account.WithActor(b.Ctx, account.Actor{
		AccountID: b.Account, UserID: uuid.New(), Permissions: append(permissions, account.APIAccess),
	})
}

func TestTask_ADeliveryThatFailedCanBeRedelivered(t *testing.T) {
	b := setupTasks(t)
	r, answer := b.Answering(http.StatusGone)
	b.sync(nil, "a", r.URL)
	n := b.node(b.config(Config{}))
	b.serveOn(n)
	item := uuid.New()
	run := b.due(n, item, r.URL, "a")
	first := b.awaitEnded(1)[0]
	answer.Store(http.StatusOK)
	both := b.managing(account.HooksManage, account.WorkflowsManage)
	again, err := b.Service.Redeliver(both, first.DeliveryID)
	if err != nil || again.State != hook.Pending || again.HookID != uuid.Nil || again.Task.RunID != run {
		t.Fatalf("redelivered: %+v, %v", again, err)
	}
	last := b.awaitEnded(2)[1]
	if first.Outcome != hook.Failed || last.Outcome != hook.Succeeded || last.DeliveryID != first.DeliveryID {
		t.Errorf("ended as %+v and %+v", first, last)
	}
	messages := r.Messages()
	if m := messages[1]; m.ID() != messages[0].ID() || !bytes.Equal(m.Body, messages[0].Body) ||
		m.Header.Get("Itemcast-Trigger") != "manual" || m.Header.Get("Itemcast-Task") != "a" {
		t.Errorf("sent again as %v", m.Header)
	}
	b.Exec(`UPDATE hook SET active = false`)
	if _, err := b.Service.Redeliver(both, first.DeliveryID); !problem.Is(err, problem.Conflict) ||
		!strings.Contains(fmt.Sprint(err), "Rotate the profile's secret") {
		t.Errorf("while paused: %v", err)
	}
}

func TestTask_ItsDeliveriesAreListedAndHooksPermissionsDoNotShowThem(t *testing.T) {
	b := setupTasks(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	b.sync(nil, "a", r.URL, "b", r.URL)
	n := b.node(b.config(Config{}))
	b.serveOn(n)
	item := uuid.New()
	b.write(n, item, change.Created)
	run := b.due(n, item, r.URL, "a", "b")
	b.due(n, uuid.New(), r.URL, "a")
	ended := b.awaitEnded(3)
	b.Eventually("the hook's delivery has succeeded", func() bool { return b.States(h)[hooktest.Succeeded] == 1 })
	list := func(ctx context.Context, filter hook.DeliveryFilter) (shown []string) {
		t.Helper()
		for after := ""; ; {
			page, next, err := b.Service.Deliveries(ctx, filter, 1, after)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range page {
				switch {
				case d.HookID == h.ID && d.Task == nil:
					shown = append(shown, "hook")
				case d.HookID == uuid.Nil && d.Task != nil && (d.Task.RunID == run || filter.Item == nil):
					shown = append(shown, d.Task.Task)
				default:
					t.Errorf("listed %+v", d)
				}
			}
			if after = next; after == "" {
				return shown
			}
		}
	}
	both, hooks := b.managing(account.HooksManage, account.WorkflowsManage), b.managing(account.HooksManage)
	tasks := b.managing(account.WorkflowsManage)
	ofItem, all := hook.DeliveryFilter{Item: &item}, hook.DeliveryFilter{}
	for _, c := range []struct {
		ctx    context.Context
		filter hook.DeliveryFilter
		want   string
	}{
		{both, ofItem, "[b a hook]"}, {both, all, "[a b a hook]"}, {hooks, ofItem, "[hook]"}, {hooks, all, "[hook]"},
		{both, hook.DeliveryFilter{Hook: &h.ID}, "[hook]"},
		{both, hook.DeliveryFilter{Item: &item, State: hook.Succeeded}, "[b a hook]"},
	} {
		if got := fmt.Sprint(list(c.ctx, c.filter)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	id := ended[0].DeliveryID
	if d, attempts, err := b.Service.Delivery(both, id); err != nil || len(attempts) != 1 || d.Task.Task != "a" {
		t.Errorf("the delivery is %+v, %v, %v", d, attempts, err)
	}
	if _, _, err := b.Service.Delivery(hooks, id); !problem.Is(err, problem.NotFound) {
		t.Errorf("with hooks.manage alone: %v", err)
	}
	if _, err := b.Service.Redeliver(hooks, id); !problem.Is(err, problem.NotFound) {
		t.Errorf("redelivered with hooks.manage alone: %v", err)
	}
	if _, _, err := b.Service.Deliveries(tasks, ofItem, 1, ""); !problem.Is(err, problem.Forbidden) {
		t.Errorf("with workflows.manage alone: %v", err)
	}
}
