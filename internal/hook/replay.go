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

// Bounds of a replay.
const (
	DefaultReplayRate = 50   // deliveries a second
	MaxReplayRate     = 1000 //

	// lateness is how much later than it was made a change may be logged: requests have a minute, and an import's batch less.
	lateness = 10 * time.Minute
)

// Replay is past changes on their way to a hook.
type Replay struct {
	ID         uuid.UUID
	HookID     uuid.UUID
	From       string     // cursor: it goes through what follows
	Position   string     // cursor: it has looked at all up to there
	To         string     // cursor: it ends there; what came later is sent anyway
	Since      *time.Time // changes of before are passed over; nil: none are
	Rate       int        // deliveries a second at most
	Done, Size int64      // changes of the log: looked at, and in all
	Deliveries int64      // made so far
	StartedAt  time.Time
	EndedAt    *time.Time // nil: it is under way
	Error      *string    // why it ended before its end
}

// ReplayFrom says where a replay begins: after a cursor, or with what was made at a time or later.
type ReplayFrom struct {
	After string
	Since *time.Time
	Rate  int // 0: DefaultReplayRate
}

// Replay begins to send a hook again, or for the first time, what it asks for of the past: from a place in the log up to the present, what was
// made before the hook too. It goes through the log in order, makes so many deliveries a second at most, and waits while the hook has many
// pending. A delivery that was made before keeps its id; one that is pending stays as it is. One replay at a time for each hook. Errors:
// NOT_FOUND, INVALID_INPUT, INVALID_CURSOR, CURSOR_EXPIRED; CONFLICT while one is under way, and when the hook is inactive.
func (s *Service) Replay(ctx context.Context, id uuid.UUID, from ReplayFrom) (Replay, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Replay{}, err
	}
	begin, err := s.beginning(ctx, &from)
	if err != nil {
		return Replay{}, err
	}
	var made Replay
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		h, err := get(ctx, q, actor.AccountID, id)
		if err != nil {
			return err
		}
		if !h.Active {
			return problem.New(problem.Conflict, "The hook is inactive; make it active first.")
		}
		end, err := q.ReplayableTo(ctx, store.ReplayableToParams{AccountID: actor.AccountID, ID: id})
		if err != nil {
			return fmt.Errorf("find the end of the replay: %w", err)
		}
		begun, err := q.BeginReplay(ctx, store.BeginReplayParams{HookID: id, AccountID: actor.AccountID, ID: uuid.Must(uuid.NewV7()),
			Position: int64(begin), ToPosition: max(end, int64(begin)), Since: from.Since, Rate: int32(from.Rate)})
		if err != nil {
			return fmt.Errorf("begin a replay: %w", err)
		}
		if begun == 0 {
			return problem.New(problem.Conflict, "A replay of this hook is under way; stop it, or wait for its end.")
		}
		db.AfterCommit(ctx, func() { s.wake() })
		if made, err = s.getReplay(ctx, q, actor.AccountID, id); err != nil {
			return err
		}
		return audit(ctx, tx, replayStarted, id, map[string]any{"from": made.From, "since": made.Since, "rate": made.Rate})
	})
	return made, err
}

// beginning is the position that the replay goes on after.
func (s *Service) beginning(ctx context.Context, from *ReplayFrom) (change.Position, error) {
	if from.Rate == 0 {
		from.Rate = DefaultReplayRate
	}
	switch {
	case from.Rate < 1 || from.Rate > MaxReplayRate:
		return 0, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/rate", Detail: fmt.Sprintf("must be from 1 to %d deliveries a second", MaxReplayRate)})
	case (from.After == "") == (from.Since == nil):
		return 0, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#", Detail: "must have either after, a cursor, or since, a time"})
	case from.After != "":
		return s.feed.ParseCursor(ctx, from.After)
	default:
		return s.feed.PositionAt(ctx, from.Since.Add(-lateness)) // and what is older is passed over one by one
	}
}

// CurrentReplay returns the replay of a hook that is under way, or the last one. Error: NOT_FOUND when there was none.
func (s *Service) CurrentReplay(ctx context.Context, id uuid.UUID) (Replay, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Replay{}, err
	}
	return s.getReplay(ctx, store.New(db.Read(ctx, s.pool)), actor.AccountID, id)
}

// StopReplay ends the replay of a hook that is under way, if one is; deliveries that it has made stay. Error: NOT_FOUND for a hook that there
// is not.
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
			return fmt.Errorf("stop the replay: %w", err)
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
		return Replay{}, problem.New(problem.NotFound, "There is no replay of such a hook.")
	}
	if err != nil {
		return Replay{}, fmt.Errorf("read replay: %w", err)
	}
	cursor := func(position int64) string { return s.feed.Cursor(change.Position(position)) }
	return Replay{ID: row.ID, HookID: row.HookID, From: cursor(row.FromPosition), Position: cursor(row.Position), To: cursor(row.ToPosition),
		Since: utc(row.Since), Rate: int(row.Rate), Done: row.Position - row.FromPosition, Size: row.ToPosition - row.FromPosition,
		Deliveries: row.Deliveries, StartedAt: row.StartedAt.UTC(), EndedAt: utc(row.EndedAt), Error: row.Error}, nil
}
