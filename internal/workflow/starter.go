package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/problem"
	"itemcast/internal/wake"
	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

// Starter begins runs in the transactions of others, and records the answers of their tasks. It does not move them: the
// jobs that it queues wake a Service, on any node. It implements item.Workflows. Its methods may be called
// concurrently.
type Starter struct{ *launcher }

// launcher is what a Starter and a Service share: it inserts runs and jobs, and knows definitions.
type launcher struct {
	jobs        *river.Client[pgx.Tx]
	queued      map[string]wake.Signal // by queue
	definitions *lru.Cache[versionKey, machine.Definition]
}

// versionKey names a version of a profile, which never changes.
type versionKey struct {
	profile uuid.UUID
	version int32
}

// maxDefinitions is the number of definitions that a node keeps.
const maxDefinitions = 1000

// NewStarter returns a Starter.
func NewStarter(log *slog.Logger) *Starter {
	definitions, err := lru.New[versionKey, machine.Definition](maxDefinitions)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	jobs, err := newInserter(log)
	if err != nil {
		panic(err) // the configuration is constant
	}
	queued := map[string]wake.Signal{queue: wake.New(), processQueue: wake.New()}
	return &Starter{&launcher{jobs: jobs, queued: queued, definitions: definitions}}
}

var errRunning = problem.New(problem.WorkflowRunning,
	"The item's workflow has not ended. Wait for its end, or cancel it first.")

// Begin implements item.Workflows. The caller has checked that the actor sees the profile, and has locked it.
func (s *Starter) Begin(
	ctx context.Context, tx pgx.Tx, actor account.Actor, itemID, profileID uuid.UUID, version int32, at time.Time,
) error {
	v := versionKey{profileID, version}
	d, err := s.definition(ctx, tx, actor.AccountID, v)
	if err != nil || d.IsEmpty() {
		return err
	}
	state, err := machine.Start(d, "")
	if err != nil {
		return fmt.Errorf("start a workflow: %w", err)
	}
	return s.insertRun(ctx, tx, actor, itemID, v, state, at)
}

// insertRun inserts a run and its first job.
func (l *launcher) insertRun(
	ctx context.Context, tx pgx.Tx, actor account.Actor, itemID uuid.UUID, v versionKey, state machine.State,
	at time.Time,
) error {
	encoded, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("encode a workflow's state: %w", err)
	}
	id := idAt(at, 0)
	q := store.New(db.Deferred(tx))
	err = q.InsertRun(ctx, store.InsertRunParams{ID: id, AccountID: actor.AccountID, ItemID: itemID,
		ProfileID: v.profile, ProfileVersion: v.version, Status: string(state.Status), State: encoded,
		StartedBy: actor.UserParam(), StartedAt: at})
	if err != nil {
		return fmt.Errorf("insert a workflow's run: %w", err)
	}
	begun := entriesAt{at, []machine.Entry{{Kind: machine.RunStarted, User: actor.UserParam()}}}
	if err := insertEvents(ctx, q, runRef{actor.AccountID, itemID, id}, []entriesAt{begun}); err != nil {
		return err
	}
	return l.enqueue(ctx, tx, advance{AccountID: actor.AccountID, ItemID: itemID})
}

// Ended implements item.Workflows.
func (s *Starter) Ended(ctx context.Context, tx pgx.Tx, accountID, itemID uuid.UUID) error {
	return s.hasEnded(ctx, tx, accountID, itemID)
}

func (l *launcher) hasEnded(ctx context.Context, tx pgx.Tx, accountID, itemID uuid.UUID) error {
	unfinished, err := store.New(tx).HasUnfinishedRun(ctx, store.HasUnfinishedRunParams{
		AccountID: accountID, ItemID: itemID})
	if err != nil {
		return fmt.Errorf("look for a workflow's run: %w", err)
	}
	if unfinished {
		return errRunning
	}
	return nil
}

// definition returns a version of a profile.
func (l *launcher) definition(
	ctx context.Context, tx db.Querier, accountID uuid.UUID, v versionKey,
) (d machine.Definition, err error) {
	if d, ok := l.definitions.Get(v); ok {
		return d, nil
	}
	all, err := l.definitionsOf(ctx, tx, accountID, []versionKey{v})
	return all[v], err
}

// definitionsOf returns versions of profiles. It reads those that the node does not know in one statement.
func (l *launcher) definitionsOf(
	ctx context.Context, tx db.Querier, accountID uuid.UUID, versions []versionKey,
) (map[versionKey]machine.Definition, error) {
	known := make(map[versionKey]machine.Definition, len(versions))
	p := store.WorkflowProfileVersionsParams{AccountID: accountID}
	for _, v := range versions {
		d, ok := l.definitions.Get(v)
		if ok {
			known[v] = d
			continue
		}
		p.ProfileIds, p.Versions = append(p.ProfileIds, v.profile), append(p.Versions, v.version)
	}
	if len(p.Versions) == 0 {
		return known, nil
	}
	rows, err := store.New(tx).WorkflowProfileVersions(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("read versions of workflow profiles: %w", err)
	}
	for _, row := range rows {
		d, err := decodeDefinition(row.Actions, row.Tasks)
		if err != nil {
			return nil, err
		}
		v := versionKey{row.ProfileID, row.Version}
		known[v] = d
		l.definitions.Add(v, d)
	}
	for _, v := range versions {
		if _, ok := known[v]; !ok {
			return nil, fmt.Errorf("version %d of workflow profile %s is missing", v.version, v.profile)
		}
	}
	return known, nil
}
