package hook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/problem"
)

// Limits of a replay.
const (
	DefaultReplayRate = 50   // deliveries a second
	MaxReplayRate     = 1000 // deliveries a second

	// maxLogDelay bounds the time from a change until it enters the log. A request takes at most a minute, and a batch
	// of an import less.
	maxLogDelay = 10 * time.Minute
)

// Replay is a task to send past changes to a hook. Package dispatch executes it.
type Replay struct {
	ID         uuid.UUID
	HookID     uuid.UUID
	From       string     // cursor: the replay covers what follows
	Position   string     // cursor: the replay has processed everything up to here
	To         string     // cursor: the replay ends here; later changes are sent anyway
	Since      *time.Time // earlier changes are skipped; nil: none is
	Rate       int        // maximum deliveries a second
	Done, Size int64      // changes of the log: processed, and in total
	Deliveries int64      // created so far
	StartedAt  time.Time
	EndedAt    *time.Time // nil: it is running
	Error      *string    // why it stopped early
}

// ReplayFrom says where a replay begins: after a cursor, or with the changes made at a time or later.
type ReplayFrom struct {
	After string
	Since *time.Time
	Rate  int // 0: DefaultReplayRate
}

// Replay starts to send a hook the past changes that it asks for, up to the present; they may be older than the hook.
// The replay reads the log in order, creates at most Rate deliveries a second, and waits while the hook has many
// pending. A change that was delivered before has the same delivery id; a pending delivery stays as it is. A hook has
// one replay at a time.
// Errors: NOT_FOUND, INVALID_INPUT, INVALID_CURSOR, CURSOR_EXPIRED; CONFLICT while a replay is running, and when the
// hook is inactive.
func (s *Service) Replay(ctx context.Context, id uuid.UUID, from ReplayFrom) (Replay, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Replay{}, err
	}
	if from.Rate == 0 {
		from.Rate = DefaultReplayRate
	}
	start, err := s.start(ctx, from)
	if err != nil {
		return Replay{}, err
	}
	var r Replay
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		h, err := get(ctx, q, actor.AccountID, id)
		if err != nil {
			return err
		}
		if !h.Active {
			return errInactive
		}
		end, err := q.ReplayableTo(ctx, store.ReplayableToParams{AccountID: actor.AccountID, ID: id})
		if err != nil {
			return fmt.Errorf("find the end of the replay: %w", err)
		}
		begun, err := q.BeginReplay(ctx, store.BeginReplayParams{
			HookID: id, AccountID: actor.AccountID, ID: uuid.Must(uuid.NewV7()), Position: int64(start),
			ToPosition: max(end, int64(start)), Since: from.Since, Rate: int32(from.Rate),
		})
		if err != nil {
			return fmt.Errorf("begin replay: %w", err)
		}
		if begun == 0 {
			return problem.New(problem.Conflict, "A replay of this hook is running. Stop it, or wait for its end.")
		}
		db.AfterCommit(ctx, func() { s.wake() })
		if r, err = s.getReplay(ctx, q, actor.AccountID, id); err != nil {
			return err
		}
		return audit(ctx, tx, replayStarted, id, map[string]any{"from": r.From, "since": r.Since, "rate": r.Rate})
	})
	return r, err
}

// start returns the position after which a replay begins.
func (s *Service) start(ctx context.Context, from ReplayFrom) (change.Position, error) {
	switch {
	case from.Rate < 1 || from.Rate > MaxReplayRate:
		return 0, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/rate",
			Detail: fmt.Sprintf("must be from 1 to %d deliveries a second", MaxReplayRate)})
	case (from.After == "") == (from.Since == nil):
		return 0, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#",
			Detail: "must have either after, a cursor, or since, a time"})
	case from.After != "":
		return s.feed.ParseCursor(ctx, from.After)
	default:
		// Earlier than since, because a change may be logged late. The replay skips the older ones one by one.
		return s.feed.PositionAt(ctx, from.Since.Add(-maxLogDelay))
	}
}

// CurrentReplay returns the running replay of a hook, or the last one. Error: NOT_FOUND when there was none.
func (s *Service) CurrentReplay(ctx context.Context, id uuid.UUID) (Replay, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Replay{}, err
	}
	return s.getReplay(ctx, store.New(db.Read(ctx, s.pool)), actor.AccountID, id)
}

// StopReplay ends the running replay of a hook, if there is one. The deliveries that it has created remain. Error:
// NOT_FOUND when there is no such hook.
func (s *Service) StopReplay(ctx context.Context, id uuid.UUID) error {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		if _, err := get(ctx, q, actor.AccountID, id); err != nil {
			return err
		}
		stopped, err := q.StopReplay(ctx, store.StopReplayParams{AccountID: actor.AccountID, HookID: id})
		if err != nil {
			return fmt.Errorf("stop replay: %w", err)
		}
		if stopped == 0 {
			return nil
		}
		return audit(ctx, tx, replayStopped, id, nil)
	})
}

func (s *Service) getReplay(ctx context.Context, q *store.Queries, accountID, hook uuid.UUID) (Replay, error) {
	row, err := q.GetReplay(ctx, store.GetReplayParams{AccountID: accountID, HookID: hook})
	if errors.Is(err, pgx.ErrNoRows) {
		return Replay{}, problem.New(problem.NotFound, "There is no such hook, or it has had no replay.")
	}
	if err != nil {
		return Replay{}, fmt.Errorf("read replay: %w", err)
	}
	cursor := func(position int64) string { return s.feed.Cursor(change.Position(position)) }
	return Replay{
		ID: row.ID, HookID: row.HookID, From: cursor(row.FromPosition), Position: cursor(row.Position),
		To: cursor(row.ToPosition), Since: utc(row.Since), Rate: int(row.Rate), Done: row.Position - row.FromPosition,
		Size: row.ToPosition - row.FromPosition, Deliveries: row.Deliveries, StartedAt: row.StartedAt.UTC(),
		EndedAt: utc(row.EndedAt), Error: row.Error,
	}, nil
}
