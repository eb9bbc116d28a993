package hook_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/dispatch"
)

// audited returns the audit log of a hook, oldest entries first.
func (b *bundle) audited(h hook.Hook) string {
	b.T.Helper()
	return value[string](b,
		`SELECT coalesce(string_agg(action || ' ' || CASE WHEN actor IS NULL THEN 'by ' || actor_name || ' ' ELSE '' END || detail::text, E'\n' ORDER BY id), '')
		FROM audit WHERE account_id = $1 AND subject = 'hooks/' || $2::text`, b.Account, h.ID)
}

func TestAudit_RecordsChangesToAHookWithoutItsSecrets(t *testing.T) {
	b := setup(t)
	h, secret := b.HookOf(map[string]any{"url": "http://127.0.0.1:9999/hush",
		"headers": map[string]string{"X-Key": "hush"}})
	b.Patch(h, `{"headers":{"X-Key":"hush too"},"description":"hush","active":false}`)
	b.Patch(h, `{"headers":{"X-Key":"hush too"}}`) // changes nothing
	b.Patch(h, `{"active":true,"url":"http://127.0.0.1:9998/hush","headers":{"X-Key":"hush too"}}`)
	rotated, _, err := b.Service.RotateSecret(b.Ctx, h.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	b.Replay(h, hook.ReplayFrom{Since: new(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))})
	for range 2 { // the second stops nothing
		if err := b.Service.StopReplay(b.Ctx, h.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Service.Delete(b.Ctx, h.ID, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Service.Delete(b.Ctx, h.ID, nil); err == nil {
		t.Error("a second deletion succeeds")
	}
	got := strings.Split(b.audited(h), "\n")
	want := []string{`hook.created {"host": "127.0.0.1:9999", "events": ["item.updated", "item.deleted", "item.triggered"]}`,
		`hook.updated {"active": false, "changed": ["active", "description", "headers"]}`, `hook.updated {"host": "127.0.0.1:9998", "active": true, "changed": ["active", "url"]}`,
		`hook.secret-rotated {"revoked": true}`, `hook.replay-started {`, `hook.replay-stopped {}`, `hook.deleted {"host": "127.0.0.1:9998"}`}
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
	for _, hidden := range []string{"hush", secret, rotated} {
		if strings.Contains(strings.Join(got, "\n"), hidden) {
			t.Errorf("%s is shown: %q", hidden, got)
		}
	}
}

func TestAudit_RecordsThatItemcastMadeAHookInactive(t *testing.T) {
	b := setup(t)
	gone, _ := b.Answering(http.StatusGone)
	failing, _ := b.Answering(http.StatusTeapot)
	ended, _ := b.Hook(gone.URL)
	failed, _ := b.Hook(failing.URL)
	n := b.node(dispatch.Config{Retries: retries(10_000, 5*time.Millisecond), DisableAfter: 100 * time.Millisecond})
	b.write(n, uuid.New(), change.Created)
	b.Eventually("both are inactive", func() bool { return !b.Get(ended).Active && !b.Get(failed).Active })
	for h, want := range map[uuid.UUID]string{ended.ID: `hook.disabled by Itemcast {"reason": "The endpoint answered 410 Gone."}`, failed.ID: `hook.disabled by Itemcast {"reason": "Every attempt has failed since`} {
		if got := b.audited(hook.Hook{ID: h}); strings.Count(got, "hook.disabled") != 1 ||
			!strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	// The audit log of the account shows it, too.
	admin := account.WithActor(b.Ctx, account.Actor{AccountID: b.Account, Permissions: account.All()})
	entries, _, err := account.NewService(account.Config{Pool: b.Pool}).AuditLog(admin,
		account.AuditFilter{Actions: []string{"hook.disabled"}}, 10, "")
	if err != nil || len(entries) != 2 || entries[0].Actor != nil || entries[0].ActorName != "Itemcast" {
		t.Errorf("got %+v, %v", entries, err)
	}
}
