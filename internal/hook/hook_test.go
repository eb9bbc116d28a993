package hook

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/problem"
)

func TestService_KeepsHooks(t *testing.T) {
	b := setup(t)
	h, secret, err := b.service.Create(b.ctx, Input{URL: "https://example.com/items?k=v", Description: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < 24 || !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("the secret is %q: %v", secret, err)
	}
	if !slices.Equal(h.Events, []string{ItemUpdated, ItemDeleted, ItemTriggered}) || !h.Active || h.Description != "mine" {
		t.Errorf("made %+v", h)
	}
	got, err := b.service.Get(b.ctx, h.ID)
	if err != nil || got.URL != h.URL || !got.CreatedAt.Equal(h.CreatedAt) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := b.service.Delete(b.ctx, h.ID); err != nil {
		t.Error(err)
	}
	if _, err := b.service.Get(b.ctx, h.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("get after delete: %v", err)
	}
	if err := b.service.Delete(b.ctx, h.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("delete after delete: %v", err)
	}
}

func TestService_ListsNewestFirstByPages(t *testing.T) {
	b := setup(t)
	var want []uuid.UUID
	for range 5 {
		h, _ := b.hook("https://example.com/")
		want = append([]uuid.UUID{h.ID}, want...)
	}
	var got []uuid.UUID
	for next := ""; ; {
		hooks, following, err := b.service.List(b.ctx, 2, next)
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
	if _, _, err := b.service.List(b.ctx, 2, "nonsense"); !problem.Is(err, problem.InvalidCursor) {
		t.Errorf("a made-up position: %v", err)
	}
}

func TestService_HidesOtherAccountsHooks(t *testing.T) {
	b := setup(t)
	h, _ := b.hook("https://example.com/")
	stranger := acting(b.ctx, b.newAccount())
	if _, err := b.service.Get(stranger, h.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("get: %v", err)
	}
	if err := b.service.Delete(stranger, h.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("delete: %v", err)
	}
	if hooks, _, err := b.service.List(stranger, 10, ""); err != nil || len(hooks) != 0 {
		t.Errorf("list: %v, %v", hooks, err)
	}
}

func TestService_DeniesWithoutHooksManage(t *testing.T) {
	b := setup(t)
	calls := map[string]func(*testing.T) error{}
	denied := account.WithActor(t.Context(), account.Actor{AccountID: b.account, Permissions: account.Permissions{account.APIAccess, account.ItemsView}})
	calls["Create"] = func(*testing.T) error {
		_, _, err := b.service.Create(denied, Input{URL: "https://example.com/"})
		return err
	}
	calls["List"] = func(*testing.T) error { _, _, err := b.service.List(denied, 10, ""); return err }
	calls["Get"] = func(*testing.T) error { _, err := b.service.Get(denied, uuid.New()); return err }
	calls["Delete"] = func(*testing.T) error { return b.service.Delete(denied, uuid.New()) }
	for name, call := range calls {
		if err := call(t); !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := b.service.Create(t.Context(), Input{}); !problem.Is(err, problem.Unauthenticated) {
		t.Errorf("nobody: %v", err)
	}
}

func TestInput_NamesEveryFault(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "example.com", "ftp://example.com/", "https://", "https:///path", "https://:80/", "https://user@example.com/", "https://u:p@example.com/",
		"https://example.com/#part", "https://example.com/#", "https://example.com:0/", "https://example.com:99999/", "https://exa mple.com/",
		"https://example.com/\n", "https://example.com/%zz", "javascript:alert(1)", "https://example.com/" + strings.Repeat("a", maxURL),
	} {
		if _, err := (Input{URL: url}).checked(loopback); !problem.Is(err, problem.InvalidInput) || problem.Of(err).Faults[0].Pointer != "#/url" {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, url := range []string{"http://example.com", "https://example.com:8443/a?b=c", "http://[2606:4700::1111]:80/", "https://bücher.example/", "http://127.0.0.1/"} {
		if _, err := (Input{URL: url}).checked(loopback); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	_, err := Input{URL: "x", Description: strings.Repeat("é", maxDescription+1), Events: []string{ItemCreated, "other", ItemCreated}}.checked(loopback)
	var pointers []string
	for _, f := range problem.Of(err).Faults {
		pointers = append(pointers, f.Pointer)
	}
	if want := []string{"#/url", "#/description", "#/events/1", "#/events/2"}; !slices.Equal(pointers, want) {
		t.Errorf("pointers %v, want %v", pointers, want)
	}
}

func TestWanting_IsTheActiveHooksThatAskForTheEvent(t *testing.T) {
	b := setup(t)
	want, _ := b.hook("https://example.com/1", ItemUpdated)
	b.hook("https://example.com/2", ItemDeleted)
	if _, _, err := b.service.Create(b.ctx, Input{URL: "https://example.com/3", Active: new(false)}); err != nil {
		t.Fatal(err)
	}
	err := pgx.BeginFunc(b.ctx, b.pool, func(tx pgx.Tx) error {
		got, err := b.service.Wanting(b.ctx, tx, b.account, ItemUpdated)
		if !slices.Equal(got, []uuid.UUID{want.ID}) {
			t.Errorf("wanting: %v, %v", got, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFanOut_SkipsInactiveHooks(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	if _, _, err := b.service.Create(b.ctx, Input{URL: r.URL, Events: []string{ItemCreated}, Active: new(false)}); err != nil {
		t.Fatal(err)
	}
	n := b.idleNode(Config{})
	b.write(n, uuid.New(), change.Created)
	b.fanOutAll(n)
	if n := value[int](b, "SELECT count(*) FROM delivery"); n != 0 {
		t.Errorf("%d deliveries", n)
	}
}

func TestSign_IsWhatStandardWebhooksVerifies(t *testing.T) {
	t.Parallel()
	// The example of the Standard Webhooks libraries.
	const secret, id, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`
	got, err := sign(secret, id, time.Unix(1614265330, 0), []byte(body))
	if err != nil || got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("%s, %v", got, err)
	}
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := verifier.Sign(id, time.Unix(1614265330, 0), []byte(body)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
