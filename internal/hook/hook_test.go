package hook_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/hook"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/problem"
)

func TestService_CreatesReadsAndDeletesHooks(t *testing.T) {
	b := setup(t)
	h, secret, err := b.Service.Create(b.Ctx, []byte(`{"url":"https://example.com/items?k=v","description":"mine"}`))
	if err != nil {
		t.Fatal(err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < 24 || !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("the secret is %q: %v", secret, err)
	}
	if !slices.Equal(h.Events, []string{hook.ItemUpdated, hook.ItemDeleted, hook.ItemTriggered}) || !h.Active ||
		h.Description != "mine" {
		t.Errorf("made %+v", h)
	}
	got, err := b.Service.Get(b.Ctx, h.ID)
	if err != nil || got.URL != h.URL || !got.CreatedAt.Equal(h.CreatedAt) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := b.Service.Delete(b.Ctx, h.ID, nil); err != nil {
		t.Error(err)
	}
	if _, err := b.Service.Get(b.Ctx, h.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("get after delete: %v", err)
	}
	if err := b.Service.Delete(b.Ctx, h.ID, nil); !problem.Is(err, problem.NotFound) {
		t.Errorf("delete after delete: %v", err)
	}
}

// The migration gives the rows of earlier builds the form that URLs have now.
func TestURL_OfAnEarlierBuildIsNormalizedByTheMigration(t *testing.T) {
	b := setup(t)
	files, err := filepath.Glob("../../sql/migrations/*_hook_url.sql")
	if err != nil || len(files) != 1 {
		t.Fatalf("the migration is %v, %v", files, err)
	}
	migration, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]string{
		`https://example.com/?channel=Köln&q="a|b"`: "",
		"https://example.com/a%2Fb/日本|😀?x=a+b%20c":  "",
		"https://example.com/?q=<`{}^\\>[]":         "",
		"https://example.com/?q=%zz&r=100%":         "https://example.com/?q=%25zz&r=100%25",
	} {
		h, _ := b.Hook("https://example.com/")
		b.Exec("UPDATE hook SET url = $2 WHERE id = $1", h.ID, raw)
		b.Exec(string(migration))
		b.Exec(string(migration)) // changes nothing more
		if want == "" {
			want = egress.NormalizeURL(raw)
		}
		if got := b.Get(h); got.URL != want || got.Revision != h.Revision+1 {
			t.Errorf("%s: got %s, revision %d, want %s", raw, got.URL, got.Revision, want)
		}
	}
}

func TestService_ListsPagesNewestFirst(t *testing.T) {
	b := setup(t)
	var want []uuid.UUID
	for range 5 {
		h, _ := b.Hook("https://example.com/")
		want = append([]uuid.UUID{h.ID}, want...)
	}
	var got []uuid.UUID
	for next := ""; ; {
		hooks, following, err := b.Service.List(b.Ctx, 2, next)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hooks {
			got = append(got, h.ID)
		}
		if next = following; next == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, _, err := b.Service.List(b.Ctx, 2, "nonsense"); !problem.Is(err, problem.InvalidPageToken) {
		t.Errorf("an invalid page token: %v", err)
	}
}

func TestService_HidesOtherAccountsHooks(t *testing.T) {
	b := setup(t)
	h, _ := b.Hook("https://example.com/")
	stranger := hooktest.Managing(b.Ctx, b.NewAccount())
	if _, err := b.Service.Get(stranger, h.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("get: %v", err)
	}
	if err := b.Service.Delete(stranger, h.ID, nil); !problem.Is(err, problem.NotFound) {
		t.Errorf("delete: %v", err)
	}
	if hooks, _, err := b.Service.List(stranger, 10, ""); err != nil || len(hooks) != 0 {
		t.Errorf("list: %v, %v", hooks, err)
	}
}

func TestService_NeedsHooksManage(t *testing.T) {
	b := setup(t)
	calls := map[string]func(*testing.T) error{}
	denied := account.WithActor(t.Context(), account.Actor{AccountID: b.Account,
		Permissions: account.Permissions{account.APIAccess, account.ItemsView}})
	calls["Create"] = func(*testing.T) error {
		_, _, err := b.Service.Create(denied, []byte(`{"url":"https://example.com/"}`))
		return err
	}
	calls["List"] = func(*testing.T) error { _, _, err := b.Service.List(denied, 10, ""); return err }
	calls["Get"] = func(*testing.T) error { _, err := b.Service.Get(denied, uuid.New()); return err }
	calls["Delete"] = func(*testing.T) error { return b.Service.Delete(denied, uuid.New(), nil) }
	for name, call := range calls {
		if err := call(t); !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := b.Service.Create(t.Context(), nil); !problem.Is(err, problem.Unauthenticated) {
		t.Errorf("without an actor: %v", err)
	}
}

func TestSettings_ReportEveryFault(t *testing.T) {
	b := setup(t)
	_, _, err := b.Service.Create(b.Ctx, fmt.Appendf(nil,
		`{"url":"x","description":%q,"events":["item.created","other","item.created"],"changed_fields":["name","url"],
		"headers":{"webhook-id":"x"},"body":"fat","rate_limit":0,"max_in_flight":65,"filter":{"metadata":{"year":"1927"}}}`, strings.Repeat("é", hook.MaxDescription+1)))
	if !problem.Is(err, problem.InvalidInput) {
		t.Fatal(err)
	}
	var pointers []string
	for _, f := range problem.Of(err).Faults {
		pointers = append(pointers, f.Pointer)
	}
	want := []string{"#/url", "#/description", "#/events/1", "#/events/2", "#/changed_fields/1", "#/body",
		"#/rate_limit", "#/max_in_flight",
		"#/headers/webhook-id", "#/filter/metadata/year"}
	if !slices.Equal(pointers, want) {
		t.Errorf("pointers %v, want %v", pointers, want)
	}
	if _, _, err := b.Service.Create(b.Ctx, []byte(`{"url":"http://10.0.0.1/"}`)); !problem.Is(err,
		problem.RuleViolated) {
		t.Errorf("an address that is not allowed: %v", err)
	}
	if _, _, err := b.Service.Create(b.Ctx, []byte(`[]`)); !problem.Is(err, problem.InvalidInput) {
		t.Errorf("not an object: %v", err)
	}
}

func TestService_LimitsTheHooksOfAnAccount(t *testing.T) {
	b := setup(t)
	create := func() error {
		_, _, err := b.Service.Create(b.Ctx, []byte(`{"url":"https://example.com/","active":false}`))
		return err
	}
	if err := create(); err != nil {
		t.Fatal(err)
	}
	b.Exec(`INSERT INTO hook SELECT (jsonb_populate_record(h, jsonb_build_object('id', gen_random_uuid()))).* FROM hook h, generate_series(2, $1)`, hook.MaxHooks-1)
	if err := create(); err != nil {
		t.Errorf("the last hook: %v", err)
	}
	if err := create(); !problem.Is(err, problem.Conflict) {
		t.Errorf("one hook more: %v", err)
	}
	listed, _, err := b.Service.List(b.Ctx, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Service.Delete(b.Ctx, listed[0].ID, nil); err != nil {
		t.Fatal(err)
	}
	if err := create(); err != nil {
		t.Errorf("instead of a deleted one: %v", err)
	}
}
