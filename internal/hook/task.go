package hook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/hook/sending"
	"itemcast/internal/standardwebhooks"
)

// WorkflowHooks are the tasks of a workflow profile and the secrets that sign them.
type WorkflowHooks struct {
	AccountID, ProfileID uuid.UUID
	Secret               *string    // whsec_…; nil: the profile has none yet, and nobody can verify what its tasks send
	OldSecret            *string    // signs beside Secret, until OldSecretUntil
	OldSecretUntil       *time.Time // nil: there is no old secret
	Tasks                []WorkflowTask
}

// WorkflowTask is what the hidden hook of a task needs to know of it.
type WorkflowTask struct {
	Key, URL string
	Headers  map[string]string
}

// SyncWorkflow makes or updates the hidden hooks of a profile, as part of tx: one for each URL of its tasks. Call it
// when a profile with tasks is made, and when its tasks or secrets change. Hooks for the URLs of earlier versions stay
// until RetireWorkflow, as do the headers of earlier tasks, because a run keeps its version. It authorizes nobody: the
// caller has.
//
// A hidden hook is a hook of package dispatch like any other, but it belongs to a profile. Users neither see nor count
// it. It receives the changes that RecordTask addresses to it, and no other. Nothing makes it inactive, except a
// restore that pauses hooks; SyncWorkflow makes it active again.
func (s *Service) SyncWorkflow(ctx context.Context, tx pgx.Tx, w WorkflowHooks) error {
	q := store.New(db.Deferred(tx))
	if len(w.Tasks) > 0 {
		p := store.SyncTaskHooksParams{AccountID: w.AccountID, WorkflowProfileID: w.ProfileID}
		if p.Secret = standardwebhooks.NewSecret().Text(); w.Secret != nil {
			p.Secret = *w.Secret
		}
		byURL := make(map[string]map[string]map[string]string)
		for _, t := range w.Tasks {
			url := egress.NormalizeURL(t.URL)
			if byURL[url] == nil {
				byURL[url] = make(map[string]map[string]string)
			}
			byURL[url][t.Key] = t.Headers
		}
		for _, url := range slices.Sorted(maps.Keys(byURL)) { // in one order, so that two transactions do not deadlock
			headers, err := json.Marshal(byURL[url])
			if err != nil {
				return fmt.Errorf("encode headers: %w", err)
			}
			p.Ids, p.Urls = append(p.Ids, taskHook(w.ProfileID, url)), append(p.Urls, url)
			p.Headers = append(p.Headers, string(headers))
		}
		if err := q.SyncTaskHooks(ctx, p); err != nil {
			return fmt.Errorf("make the hooks of a workflow profile: %w", err)
		}
	}
	if w.Secret == nil {
		return nil
	}
	err := q.SetTaskSecrets(ctx, store.SetTaskSecretsParams{
		AccountID: w.AccountID, WorkflowProfileID: w.ProfileID, Secret: *w.Secret, OldSecret: w.OldSecret,
		OldSecretUntil: w.OldSecretUntil,
	})
	if err != nil {
		return fmt.Errorf("set the secrets of a workflow profile's hooks: %w", err)
	}
	return nil
}

// RetireWorkflow lets the hidden hooks of a profile go whose URLs neither its tasks nor its runs need, as part of tx,
// which has locked the profile: no run begins meanwhile. Tasks that are recorded already are still sent. A hook is
// removed once the log has no delivery of it, because its deliveries are shown until then.
func (s *Service) RetireWorkflow(
	ctx context.Context, tx pgx.Tx, accountID, profileID uuid.UUID, needed []string,
) error {
	p := store.RetireTaskHooksParams{AccountID: accountID, WorkflowProfileID: profileID, Urls: []string{}}
	for _, url := range needed {
		p.Urls = append(p.Urls, egress.NormalizeURL(url))
	}
	if err := store.New(tx).RetireTaskHooks(ctx, p); err != nil {
		return fmt.Errorf("retire the hooks of a workflow profile: %w", err)
	}
	return nil
}

// EndWorkflow lets the hidden hooks of a profile end, as part of the transaction that deletes the profile. Tasks that
// are recorded already are still sent; then the hooks are removed, and their deliveries are no longer shown.
func (s *Service) EndWorkflow(ctx context.Context, tx pgx.Tx, accountID, profileID uuid.UUID) error {
	err := store.New(tx).EndTaskHooks(ctx, store.EndTaskHooksParams{
		AccountID: accountID, WorkflowProfileID: profileID,
	})
	if err != nil {
		return fmt.Errorf("end the hooks of a workflow profile: %w", err)
	}
	return nil
}

// taskHook returns the id of the hidden hook of a profile and a URL: a UUID of version 8 (RFC 9562), so that RecordTask
// need not look it up.
func taskHook(profileID uuid.UUID, url string) uuid.UUID {
	text := append([]byte("itemcast tasks of a workflow profile "), profileID[:]...)
	digest := sha256.Sum256(append(text, url...))
	return version8(digest[:])
}

// TaskChange is the moment at which a task of a workflow is due: its item is sent to the task's URL as it is now.
type TaskChange struct {
	AccountID, ItemID uuid.UUID
	Revision          int64
	Document          []byte // the body of the request: the item as GET returns it from the commit on
	OccurredAt        time.Time
	Actor             *uuid.UUID // the user whose act made the task due; nil: the system
	Task              change.Task
	URL               string // of the task, as SyncWorkflow was given it
}

// RecordTask records the change that makes a task's delivery, as part of tx, which must hold the lock of the item's
// row. Tasks of one profile to one URL are sent in the order in which they are recorded for an item. The delivery's id
// depends on the change's position, which only the sequencer assigns: TaskDeliveries finds it, and EndedTask of package
// dispatch has it. The statement is deferred, as that of change.Record is. The caller wakes the sequencer.
func RecordTask(ctx context.Context, tx pgx.Tx, t TaskChange) error {
	return change.Record(ctx, tx, change.Change{
		AccountID: t.AccountID, ItemID: t.ItemID, Revision: t.Revision, Kind: change.Triggered, Actor: t.Actor,
		Trigger: change.TriggerWorkflow, Targets: []uuid.UUID{taskHook(t.Task.ProfileID, egress.NormalizeURL(t.URL))},
		Task: &t.Task, Document: t.Document, OccurredAt: t.OccurredAt,
	})
}

// TaskDelivery is the delivery of a recorded task.
type TaskDelivery struct {
	Task       change.Task
	DeliveryID *uuid.UUID // nil: the change has no position yet
	State      State

	// Of a pending delivery after failed attempts. If it is behind, of the earlier delivery of the item to the same URL
	// that has not ended, perhaps of another run.
	IsBehind      bool
	Attempts      int
	NextAttemptAt *time.Time
	LastError     string // in words, without the host and a full stop
}

// TaskDeliveries returns the deliveries of the tasks of runs, in the order in which they were recorded, as far as they
// are among the last thousand changes of their items. It takes one statement, and authorizes nobody: the caller has.
func TaskDeliveries(
	ctx context.Context, tx db.Querier, accountID uuid.UUID, itemIDs, runIDs []uuid.UUID,
) ([]TaskDelivery, error) {
	p := store.TaskDeliveriesParams{AccountID: accountID, ItemIds: slices.Clone(itemIDs)}
	slices.SortFunc(p.ItemIds, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	p.ItemIds = slices.Compact(p.ItemIds)
	for _, id := range runIDs {
		p.RunIds = append(p.RunIds, id.String())
	}
	rows, err := store.New(tx).TaskDeliveries(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("read the deliveries of tasks: %w", err)
	}
	deliveries := make([]TaskDelivery, 0, len(rows))
	for _, row := range rows {
		task := change.DecodeTask(row.Task)
		if task == nil {
			continue
		}
		d := TaskDelivery{Task: *task, State: State(row.State), IsBehind: row.IsBehind,
			Attempts: int(row.Attempts), NextAttemptAt: utc(row.DueAt),
			LastError: sending.WithoutHost(sending.Fault(row.LastFault), row.LastError)}
		if row.Position > 0 {
			d.DeliveryID = new(DeliveryID(row.HookID, &change.Change{
				Position: change.Position(row.Position), ID: row.ID, ItemID: row.ItemID, Revision: row.Revision,
				OccurredAt: row.OccurredAt,
			}))
		}
		deliveries = append(deliveries, d)
	}
	return deliveries, nil
}
