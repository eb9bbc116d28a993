package workflow

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/hook/egress"
	"itemcast/internal/jsonobject"
	"itemcast/internal/workflow/machine"
)

// The actions of this package in the audit log. An entry never holds a secret: of a task it has the URL's host without
// the rest, and the names of headers without their values.
const (
	profileCreated = "workflow-profile.created"
	profileUpdated = "workflow-profile.updated"
	profileDeleted = "workflow-profile.deleted"
	secretRotated  = "workflow-profile.secret-rotated"
)

func subject(id uuid.UUID) string { return list + "/" + id.String() }

// audited is what the audit log has of a profile.
type audited struct {
	Name        string           `json:"name"`
	Description string           `json:"description"`
	RoleIDs     []uuid.UUID      `json:"role_ids"`
	Version     int32            `json:"version"`
	Actions     []machine.Action `json:"actions"`
	Tasks       []auditedTask    `json:"tasks"`
	Uploads     Uploads          `json:"uploads"`
	CopyOf      *uuid.UUID       `json:"copy_of,omitempty"`
}

type auditedTask struct {
	Key     string           `json:"key"`
	Name    string           `json:"name"`
	At      machine.TaskTime `json:"at"`
	Action  *string          `json:"action"`
	Host    string           `json:"host"`
	Headers []string         `json:"headers"`
	Wait    bool             `json:"wait"`
}

func (p stored) audited() audited {
	a := audited{Name: p.Name, Description: p.Description, RoleIDs: p.RoleIDs, Version: p.Version, Actions: p.Actions,
		Uploads: p.Uploads, Tasks: make([]auditedTask, len(p.definition.Tasks))}
	for i, t := range p.definition.Tasks {
		a.Tasks[i] = auditedTask{Key: t.Key, Name: t.Name, At: t.At, Action: t.Action, Host: egress.Host(t.URL),
			Headers: slices.AppendSeq([]string{}, maps.Keys(t.Headers)), Wait: t.Wait}
		slices.Sort(a.Tasks[i].Headers)
	}
	return a
}

// auditCreated records a new profile, and of which one it is a copy.
func auditCreated(ctx context.Context, tx pgx.Tx, p stored, copyOf *uuid.UUID) error {
	detail := p.audited()
	detail.CopyOf = copyOf
	return account.Audit(ctx, tx, profileCreated, subject(p.ID), detail)
}

// auditUpdated records what has changed, before and after.
func auditUpdated(ctx context.Context, tx pgx.Tx, before, after stored) error {
	changed, err := jsonobject.Difference(before.audited(), after.audited())
	if err != nil {
		return err
	}
	return account.Audit(ctx, tx, profileUpdated, subject(after.ID), changed)
}
