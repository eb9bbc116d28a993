package hook

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// editing is a context in which a user of the account edits items.
func (b *bundle) editing() context.Context {
	return account.WithActor(b.ctx, account.Actor{AccountID: b.account, UserID: uuid.New(),
		Permissions: account.Permissions{account.APIAccess, account.ItemsView, account.ItemsCreate, account.ItemsEdit}})
}

func TestTrigger_SendsTheItemAsItIsToTheHooksThatWantUpdates(t *testing.T) {
	b := setup(t)
	ctx, items := b.editing(), b.items(b.service.feed)
	document, err := items.Create(ctx, []byte(`{"name":"n","type":"video","privacy":"private"}`))
	if err != nil {
		t.Fatal(err)
	}
	id := value[uuid.UUID](b, "SELECT id FROM item")
	if _, err := b.service.Trigger(ctx, id); !problem.Is(err, problem.NoHook) {
		t.Errorf("without a hook: got %v", err)
	}
	if n := value[int](b, "SELECT count(*) FROM item_change"); n != 1 {
		t.Errorf("a trigger that was refused is recorded: %d changes", n)
	}
	one, _ := b.hook("https://example.com/1", ItemUpdated)
	two, _ := b.hook("https://example.com/2", ItemTriggered)
	want := []uuid.UUID{one.ID, two.ID}
	triggered, err := b.service.Trigger(ctx, id)
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
		t.Errorf("a trigger raised the revision to %d", got.Revision)
	}
}

func TestTrigger_NeedsItemsEditAndAnItemOfTheAccount(t *testing.T) {
	b := setup(t)
	if _, err := b.service.Trigger(b.ctx, uuid.New()); !problem.Is(err, problem.Forbidden) {
		t.Errorf("without items.edit: %v", err)
	}
	if _, err := b.service.Trigger(b.editing(), uuid.New()); !problem.Is(err, problem.NotFound) {
		t.Errorf("no item: %v", err)
	}
}

func TestTrigger_IsForTheActiveHooksThatAskForTriggersOrUpdatesOfTheItem(t *testing.T) {
	b := setup(t)
	updated, _ := b.hook("https://example.com/1", ItemUpdated)
	triggered, _ := b.hook("https://example.com/2", ItemTriggered)
	b.hook("https://example.com/3", ItemDeleted)
	b.hookOf(map[string]any{"url": "https://example.com/4", "active": false})
	passed, _ := b.hookOf(map[string]any{"url": "https://example.com/5", "filter": map[string]any{"tags": []string{"silent"}}})
	b.hookOf(map[string]any{"url": "https://example.com/6", "filter": map[string]any{"tags": []string{"sound"}}})
	want := []uuid.UUID{updated.ID, triggered.ID, passed.ID}
	err := pgx.BeginFunc(b.ctx, b.pool, func(tx pgx.Tx) error {
		got, err := b.service.wanting(b.ctx, tx, b.account, &item.Item{Tags: []string{"silent"}})
		if !slices.Equal(got, want) {
			t.Errorf("wanting: %v, %v; want %v", got, err, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
