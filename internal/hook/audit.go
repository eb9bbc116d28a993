package hook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/jsonobject"
)

// The actions that the audit log records. An entry never holds a secret: it names headers without their values, and a
// URL's host without the rest.
const (
	hookCreated   = "hook.created"
	hookUpdated   = "hook.updated"
	hookDeleted   = "hook.deleted"
	hookDisabled  = "hook.disabled" // by Itemcast itself
	secretRotated = "hook.secret-rotated"
	replayStarted = "hook.replay-started"
	replayStopped = "hook.replay-stopped"
)

// itemcast is the actor's name where Itemcast acts by itself.
const itemcast = "Itemcast"

// Disable makes a hook inactive for a reason that its owner sees, and reports whether it was active. It is for the
// dispatcher, and does not authorize.
func Disable(ctx context.Context, tx pgx.Tx, hook uuid.UUID, reason string) (wasActive bool, err error) {
	accountID, err := store.New(tx).DisableHook(ctx, store.DisableHookParams{ID: hook, Reason: reason})
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("disable hook: %w", err)
	}
	return true, AuditDisabled(ctx, tx, accountID, hook, reason)
}

// AuditDisabled records that Itemcast has made a hook inactive.
func AuditDisabled(ctx context.Context, tx pgx.Tx, accountID, hook uuid.UUID, reason string) error {
	ctx = account.WithActor(ctx, account.Actor{AccountID: accountID, Name: itemcast})
	return audit(ctx, tx, hookDisabled, hook, map[string]any{"reason": reason})
}

// auditUpdate records which settings were changed.
func auditUpdate(ctx context.Context, tx pgx.Tx, hook uuid.UUID, changed []string, before, after Settings) error {
	detail := map[string]any{"changed": changed}
	if before.Active != after.Active {
		detail["active"] = after.Active
	}
	if before.URL != after.URL {
		detail["host"] = egress.Host(after.URL)
	}
	return audit(ctx, tx, hookUpdated, hook, detail)
}

func audit(ctx context.Context, tx pgx.Tx, action string, hook uuid.UUID, detail any) error {
	return account.Audit(ctx, tx, action, "hooks/"+hook.String(), detail)
}

// changedSettings returns the names of the settings that differ, sorted.
func changedSettings(before, after Settings) ([]string, error) {
	changed, err := jsonobject.Difference(before.withDefaults(), after.withDefaults())
	return slices.Sorted(maps.Keys(changed)), err
}
