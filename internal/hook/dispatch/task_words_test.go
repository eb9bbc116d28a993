package dispatch

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/hook"
)

// Everyone who sees an item reads why its workflow waits or has failed; only those who manage workflows see URLs.
func TestTask_ItsFailureDoesNotTellWhereItWasSent(t *testing.T) {
	b := setupTasks(t)
	const url = "http://127.0.0.1:1/secret" // hooks may not reach this port
	b.sync(nil, "a", url)
	n := b.node(b.config(Config{Retries: []time.Duration{time.Hour}}))
	b.serveOn(n)
	item := uuid.New()
	run := b.due(n, item, url, "a")
	const want = "Hooks may not reach the address of the receiver"
	b.Eventually("the first attempt has failed", func() bool {
		list, err := hook.TaskDeliveries(b.Ctx, b.Pool, b.Account, []uuid.UUID{item}, []uuid.UUID{run})
		if err != nil || len(list) != 1 || list[0].Attempts == 0 {
			return false
		}
		if list[0].LastError != want {
			t.Fatalf("waiting, it says %q", list[0].LastError)
		}
		return true
	})
	second := b.due(n, item, url, "a")
	b.Eventually("a later run's task is behind", func() bool {
		list, err := hook.TaskDeliveries(b.Ctx, b.Pool, b.Account, []uuid.UUID{item}, []uuid.UUID{second})
		if err != nil || len(list) != 1 || !list[0].IsBehind {
			return false
		}
		if list[0].Attempts == 0 || list[0].LastError != want {
			t.Fatalf("behind, it says %+v", list[0])
		}
		return true
	})
	b.Exec(`UPDATE delivery SET due_at = now() - interval '1 second' WHERE due_at IS NOT NULL`)
	n.sequencer.Wake()
	if ended := b.awaitEnded(1)[0]; ended.Error != want {
		t.Errorf("ended, it says %q", ended.Error)
	}
}
