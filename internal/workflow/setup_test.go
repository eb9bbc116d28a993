package workflow_test

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/hook"
	"itemcast/internal/workflow"
)

// bundle is a Service on a database with the roles of a first start. The context's actor is the operator.
type bundle struct {
	t        *testing.T
	ctx      context.Context
	pool     *pgxpool.Pool
	account  uuid.UUID
	profiles *workflow.Service
	hooks    *hooks
	resolver *net.Resolver        // nil: the system's
	roles    map[string]uuid.UUID // Administrator, Editor, Viewer
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	b := &bundle{t: t, pool: dbtest.New(t), hooks: &hooks{}, roles: map[string]uuid.UUID{}}
	if _, err := account.Ensure(t.Context(), b.pool, "admin@example.com", "correct horse"); err != nil {
		t.Fatal(err)
	}
	ctx, err := account.Operator(t.Context(), b.pool)
	if err != nil {
		t.Fatal(err)
	}
	actor, _ := account.ActorFrom(ctx)
	b.ctx, b.account = ctx, actor.AccountID
	roles, _, err := account.NewService(account.Config{Pool: b.pool}).Roles(ctx, 10, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range roles {
		b.roles[role.Name] = role.ID
	}
	b.profiles = b.service(nil)
	return b
}

// service returns a Service of a node.
func (b *bundle) service(changed func()) *workflow.Service {
	return workflow.NewService(workflow.Config{Pool: b.pool, Log: slog.New(slog.NewTextHandler(b.t.Output(), nil)),
		Changed: changed, Hooks: b.hooks, Resolver: b.resolver})
}

// hooks records what it is told.
type hooks struct {
	synced []hook.WorkflowHooks
	ended  []uuid.UUID
	needed []string // by the last call of RetireWorkflow, sorted
}

func (h *hooks) SyncWorkflow(_ context.Context, _ pgx.Tx, w hook.WorkflowHooks) error {
	h.synced = append(h.synced, w)
	return nil
}

func (h *hooks) RetireWorkflow(_ context.Context, _ pgx.Tx, _, _ uuid.UUID, needed []string) error {
	h.needed = slices.Sorted(slices.Values(needed))
	return nil
}

func (h *hooks) EndWorkflow(_ context.Context, _ pgx.Tx, _, profile uuid.UUID) error {
	h.ended = append(h.ended, profile)
	return nil
}

// as returns a context with a user of a role.
func (b *bundle) as(role string, permissions ...account.Permission) context.Context {
	return account.WithActor(b.t.Context(), account.Actor{AccountID: b.account, UserID: uuid.New(), RoleID: b.roles[role],
		Permissions: append(permissions, account.APIAccess)})
}

func (b *bundle) create(in workflow.ProfileInput) workflow.Profile {
	b.t.Helper()
	profile, err := b.profiles.CreateProfile(b.ctx, in)
	if err != nil {
		b.t.Fatal(err)
	}
	return profile
}

func (b *bundle) patch(id uuid.UUID, patch workflow.ProfilePatch) workflow.Profile {
	b.t.Helper()
	profile, err := b.profiles.PatchProfile(b.ctx, id, patch, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return profile
}

// addItem inserts an item with a profile.
func (b *bundle) addItem(profile uuid.UUID) {
	b.t.Helper()
	const insert = `INSERT INTO item (id, account_id, name, description, type, privacy, tags, metadata, client_data,
			workflow_profile_id, created_at, updated_at, revision, document, document_version)
		VALUES (gen_random_uuid(), $1, '', '', 'video', 'private', '{}', '{}', '{}', $2, now(), now(), 1, '', 1)`
	if _, err := b.pool.Exec(b.t.Context(), insert, b.account, profile); err != nil {
		b.t.Fatal(err)
	}
}
