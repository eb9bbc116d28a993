package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/hook/internal/store"
)

// What the audit log tells of hooks: never a secret, and of what may have one in it, headers and the rest of a URL, the names and the host.
const (
	hookCreated   = "hook.created"
	hookUpdated   = "hook.updated"
	hookDeleted   = "hook.deleted"
	hookDisabled  = "hook.disabled" // by Itemcast itself
	secretRotated = "hook.secret-rotated"
	replayStarted = "hook.replay-started"
	replayStopped = "hook.replay-stopped"
)

// itself is the name under which the log tells of what nobody did.
const itself = "Itemcast"

func audit(ctx context.Context, tx pgx.Tx, action string, hook uuid.UUID, detail any) error {
	return account.Audit(ctx, tx, action, "hooks/"+hook.String(), detail)
}

// auditPatch records which settings were changed.
func auditPatch(ctx context.Context, tx pgx.Tx, hook uuid.UUID, changed []string, before, after Settings) error {
	detail := map[string]any{"changed": changed}
	if before.Active != after.Active {
		detail["active"] = after.Active
	}
	if before.URL != after.URL {
		detail["host"] = hostOf(after.URL)
	}
	return audit(ctx, tx, hookUpdated, hook, detail)
}

// changedSettings are the names of settings that differ, in order.
func changedSettings(before, after Settings) ([]string, error) {
	members := func(s Settings) (m map[string]json.RawMessage, err error) {
		raw, err := json.Marshal(s.withDefaults())
		if err != nil {
			return nil, fmt.Errorf("encode settings: %w", err)
		}
		return m, json.Unmarshal(raw, &m)
	}
	was, err := members(before)
	if err != nil {
		return nil, err
	}
	is, err := members(after)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(is, func(name string, value json.RawMessage) bool { return bytes.Equal(value, was[name]) })
	return slices.Sorted(maps.Keys(is)), nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// Disable makes a hook inactive for a reason, and reports whether it was active.
func Disable(ctx context.Context, tx pgx.Tx, hook uuid.UUID, reason string) (bool, error) {
	accountID, err := store.New(tx).DisableHook(ctx, store.DisableHookParams{ID: hook, Reason: reason})
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("disable hook: %w", err)
	}
	return true, AuditDisabled(ctx, tx, accountID, hook, reason)
}

func AuditDisabled(ctx context.Context, tx pgx.Tx, accountID, hook uuid.UUID, reason string) error {
	ctx = account.WithActor(ctx, account.Actor{AccountID: accountID, Name: itself})
	return audit(ctx, tx, hookDisabled, hook, map[string]any{"reason": reason})
}
