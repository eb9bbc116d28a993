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

// byReplay is the trigger of a delivery that a replay made.
const byReplay = "replay"

// Bounds of a replay.
const (
	DefaultReplayRate = 50   // deliveries a second
	MaxReplayRate     = 1000 //

	replayStep    = 250 * time.Millisecond // of deliveries are made at once
	replayLook    = 500                    // changes of the log, at once
	replayPending = 1000                   // deliveries of the hook, from which on it waits for them
	replaySteps   = 20                     // of all replays, one after the other, before the next look

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
		db.AfterCommit(ctx, func() { s.due() })
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

// replay makes the deliveries of replays that are due, of all hooks, until ctx ends. Any node does; each step is one's.
func (d *Dispatcher) replay(ctx context.Context) {
	for {
		for range replaySteps {
			stepped, err := d.replayOnce(ctx)
			if err != nil && ctx.Err() == nil {
				d.log.Warn("cannot go on with a replay; trying again", "err", err)
			}
			if err != nil || !stepped {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(replayStep, d.config.Sweep)):
		}
	}
}

// replayOnce takes one step of the replay that has waited longest; stepped is false when none is due.
func (d *Dispatcher) replayOnce(ctx context.Context) (stepped bool, err error) {
	err = db.Write(ctx, d.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		row, err := q.DueReplay(ctx, replayPending)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read replay: %w", err)
		}
		stepped = true
		step := store.AdvanceReplayParams{HookID: row.HookID, Position: row.Position, Pause: replayStep.Seconds()}
		switch {
		case !row.Active:
			step.Ended, step.Error = true, new("The hook was made inactive.")
		case row.Pending < replayPending:
			if err := d.resendPast(ctx, tx, row, &step); err != nil {
				return err
			}
		}
		if err := q.AdvanceReplay(ctx, step); err != nil {
			return fmt.Errorf("advance replay: %w", err)
		}
		if step.Made > 0 {
			db.AfterCommit(ctx, func() { d.Look(row.HookID) })
		}
		return nil
	})
	return stepped, err
}

// resendPast makes the deliveries of a step.
func (d *Dispatcher) resendPast(ctx context.Context, tx pgx.Tx, row store.DueReplayRow, step *store.AdvanceReplayParams) error {
	changes, err := d.feed.Read(ctx, change.Position(row.Position), int(min(replayLook, row.ToPosition-row.Position)))
	if problem.Is(err, problem.CursorExpired) {
		step.Ended, step.Error = true, new("The log no longer keeps what was to come next.")
		return nil
	}
	if err != nil || len(changes) == 0 && row.Position < row.ToPosition { // this node's feed has not come so far yet
		return err
	}
	wanted, err := d.judge.wanted(ctx, interest{hook: row.HookID, account: row.AccountID, events: row.Events, changedFields: row.ChangedFields,
		filter: row.Filter, updatedAt: row.UpdatedAt}, since(changes, row.Since), newDecoded())
	if reason := staleFilter(err); reason != "" {
		step.Ended, step.Error = true, &reason
		return nil
	}
	if err != nil {
		return err
	}
	step.Position, step.Pause = row.ToPosition, 0
	if len(changes) > 0 && row.ToPosition-row.Position > int64(len(changes)) {
		step.Position = int64(changes[len(changes)-1].Position)
	}
	if most := max(1, int(float64(row.Rate)*replayStep.Seconds())); len(wanted) > most {
		wanted = wanted[:most]
		step.Position = int64(wanted[most-1].Position)
	}
	step.Ended = step.Position >= row.ToPosition
	if len(wanted) == 0 {
		return nil
	}
	q := store.New(tx)
	if err := store.New(db.Deferred(tx)).LockLines(ctx); err != nil {
		return fmt.Errorf("lock lines: %w", err)
	}
	made, err := q.ResendDeliveries(ctx, resendParams(byReplay, row.HookID, row.Body, wanted))
	if err != nil {
		return fmt.Errorf("insert deliveries: %w", err)
	}
	step.Made = int64(len(made))
	step.Pause = float64(len(wanted)) / float64(row.Rate)
	return nil
}

// since returns the changes that were made at a time or later; nil: all.
func since(changes []*change.Change, t *time.Time) []*change.Change {
	if t == nil {
		return changes
	}
	var later []*change.Change
	for _, c := range changes {
		if !c.OccurredAt.Before(*t) {
			later = append(later, c)
		}
	}
	return later
}
