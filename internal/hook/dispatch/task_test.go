package dispatch

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/standardwebhooks"
)

// tasked is a bundle with a workflow profile, and what is reported of its tasks.
type tasked struct {
	*bundle
	profile uuid.UUID
	secret  string
	refuse  func(EndedTask) error // what TaskEnded answers; nil: no error

	mu    sync.Mutex
	ended []EndedTask
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
		for _, task := range tasks {
			if b.refuse != nil {
				if err := b.refuse(task); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(b.Ctx, `INSERT INTO ended_task VALUES ($1)`, task.DeliveryID); err != nil {
				return err
			}
		}
		b.mu.Lock()
		defer b.mu.Unlock()
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
	found, err := hook.TaskDeliveries(b.Ctx, b.Pool, b.Account, item, run)
	if err != nil || len(found) != 2 {
		t.Fatalf("the run has %+v, %v", found, err)
	}
	for i, d := range found {
		if *d.DeliveryID != ended[i].DeliveryID || d.State != hook.Succeeded || d.Task.Task != ended[i].Task.Task {
			t.Errorf("the run shows %+v", d)
		}
	}
}
