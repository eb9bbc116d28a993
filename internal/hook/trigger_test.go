package hook_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// editing is a context in which a user of the account edits items.
func (b *bundle) editing() context.Context {
	return account.WithActor(b.Ctx, account.Actor{AccountID: b.Account, UserID: uuid.New(),
		Permissions: account.Permissions{account.APIAccess, account.ItemsView, account.ItemsCreate, account.ItemsEdit}})
}

func TestTrigger_RecordsTheItemAsItIsForTheHooksThatAskForIt(t *testing.T) {
	b := setup(t)
	ctx, items := b.editing(), b.Items
	document, err := items.Create(ctx, []byte(`{"name":"n","type":"video","privacy":"private"}`))
	if err != nil {
		t.Fatal(err)
	}
	id := value[uuid.UUID](b, "SELECT id FROM item")
	if _, err := b.Service.Trigger(ctx, id); !problem.Is(err, problem.NoHook) {
		t.Errorf("without a hook: got %v", err)
	}
	if n := value[int](b, "SELECT count(*) FROM item_change"); n != 1 {
		t.Errorf("a refused trigger is recorded: %d changes", n)
	}
	one, _ := b.Hook("https://example.com/1", hook.ItemUpdated)
	two, _ := b.Hook("https://example.com/2", hook.ItemTriggered)
	want := []uuid.UUID{one.ID, two.ID}
	triggered, err := b.Service.Trigger(ctx, id)
	if err != nil || triggered.Revision != 1 || !slices.Equal(triggered.Hooks, want) {
		t.Errorf("got %+v, %v", triggered, err)
	}
	const recorded = " FROM item_change WHERE kind = 'TRIGGERED' AND trigger = 'manual' AND revision = 1"
	if targets := value[[]uuid.UUID](b, "SELECT targets"+recorded); !slices.Equal(targets, want) {
		t.Errorf("recorded for %v, want %v", targets, want)
	}
	if sent := value[[]byte](b, "SELECT document"+recorded); string(sent) != string(document.Bytes) {
		t.Errorf("recorded %s, want %s", sent, document.Bytes)
	}
	if got, _ := items.Get(ctx, id); got.Revision != 1 {
		t.Errorf("a trigger has raised the revision to %d", got.Revision)
	}
}

func TestTrigger_NeedsItemsEditAndAnItemOfTheAccount(t *testing.T) {
	b := setup(t)
	if _, err := b.Service.Trigger(b.Ctx, uuid.New()); !problem.Is(err, problem.Forbidden) {
		t.Errorf("without items.edit: %v", err)
	}
	if _, err := b.Service.Trigger(b.editing(), uuid.New()); !problem.Is(err, problem.NotFound) {
		t.Errorf("no item: %v", err)
	}
}

func TestTrigger_IsForTheActiveHooksThatAskForTriggersOrUpdatesOfTheItem(t *testing.T) {
	b := setup(t)
	updated, _ := b.Hook("https://example.com/1", hook.ItemUpdated)
	triggered, _ := b.Hook("https://example.com/2", hook.ItemTriggered)
	b.Hook("https://example.com/3", hook.ItemDeleted)
	b.HookOf(map[string]any{"url": "https://example.com/4", "active": false})
	passed, _ := b.HookOf(map[string]any{"url": "https://example.com/5",
		"filter": map[string]any{"tags": []string{"silent"}}})
	b.HookOf(map[string]any{"url": "https://example.com/6", "filter": map[string]any{"tags": []string{"sound"}}})
	want := []uuid.UUID{updated.ID, triggered.ID, passed.ID}
	err := pgx.BeginFunc(b.Ctx, b.Pool, func(tx pgx.Tx) error {
		got, err := hook.Wanting(b.Service, b.Ctx, tx, b.Account, &item.Item{Tags: []string{"silent"}})
		if !slices.Equal(got, want) {
			t.Errorf("wanting: %v, %v; want %v", got, err, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
