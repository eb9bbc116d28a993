package hook_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/hook"
	"itemcast/internal/problem"
)

// hidden makes a hidden hook, and returns its id.
func (b *bundle) hidden(url string) uuid.UUID {
	b.T.Helper()
	err := pgx.BeginFunc(b.Ctx, b.Pool, func(tx pgx.Tx) error {
		return b.Service.SyncWorkflow(b.Ctx, tx, hook.WorkflowHooks{AccountID: b.Account, ProfileID: uuid.New(),
			Tasks: []hook.WorkflowTask{{Key: "a", URL: url}, {Key: "b", URL: url}}})
	})
	if err != nil {
		b.T.Fatal(err)
	}
	return value[uuid.UUID](b, `SELECT id FROM hook WHERE url = $1`, url)
}

func TestHiddenHook_IsNoHookOfTheAccount(t *testing.T) {
	b := setup(t)
	own, _ := b.Hook("https://example.com/own")
	id := b.hidden("https://example.com/hidden")
	calls := map[string]func(context.Context) error{
		"Get": func(ctx context.Context) error { _, err := b.Service.Get(ctx, id); return err },
		"Patch": func(ctx context.Context) error {
			_, err := b.Service.Patch(ctx, id, []byte(`{"active":false}`), nil)
			return err
		},
		"Delete":       func(ctx context.Context) error { return b.Service.Delete(ctx, id, nil) },
		"RotateSecret": func(ctx context.Context) error { _, _, err := b.Service.RotateSecret(ctx, id, true); return err },
		"Test":         func(ctx context.Context) error { _, err := b.Service.Test(ctx, id, nil, ""); return err },
		"Replay": func(ctx context.Context) error {
			_, err := b.Service.Replay(ctx, id, hook.ReplayFrom{Since: new(time.Now())})
			return err
		},
		"CurrentReplay": func(ctx context.Context) error { _, err := b.Service.CurrentReplay(ctx, id); return err },
		"StopReplay":    func(ctx context.Context) error { return b.Service.StopReplay(ctx, id) },
		"Deliveries": func(ctx context.Context) error {
			_, _, err := b.Service.Deliveries(ctx, hook.DeliveryFilter{Hook: &id}, 1, "")
			return err
		},
	}
	for name, call := range calls {
		if err := call(b.Ctx); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, _, err := b.Service.List(b.Ctx, 10, ""); err != nil || len(list) != 1 || list[0].ID != own.ID {
		t.Errorf("listed %+v, %v", list, err)
	}
	if !value[bool](b, `SELECT active AND revision = 1 FROM hook WHERE id = $1`, id) {
		t.Error("the hidden hook has changed")
	}
}

func TestHiddenHook_DoesNotCountAgainstTheLimit(t *testing.T) {
	b := setup(t)
	b.hidden("https://example.com/hidden")
	b.Exec(`INSERT INTO hook (id, account_id, url, description, events, active, secret, after_position, after_changes)
		SELECT gen_random_uuid(), $1, 'https://example.com/', '', '{}', false, '', 0, '{}' FROM generate_series(1, 999)`,
		b.Account)
	b.Hook("https://example.com/the-thousandth")
	if _, _, err := b.Service.Create(b.Ctx, []byte(`{"url":"https://example.com/"}`)); !problem.Is(err, problem.Conflict) {
		t.Errorf("one more: %v", err)
	}
	b.hidden("https://example.com/more") // nor is it limited
	if got := value[int](b, `SELECT count(*) FROM hook WHERE workflow_profile_id IS NOT NULL`); got != 2 {
		t.Errorf("there are %d hidden hooks, want 2", got)
	}
}

func TestHiddenHook_IsNoTargetOfAManualTrigger(t *testing.T) {
	b := setup(t)
	b.hidden("https://example.com/hidden")
	if _, err := b.Items.Create(b.editing(), []byte(`{"name":"n","type":"video","privacy":"private"}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Service.Trigger(b.editing(), value[uuid.UUID](b, "SELECT id FROM item")); !problem.Is(err, problem.NoHook) {
		t.Errorf("got %v", err)
	}
}
