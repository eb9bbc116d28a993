package hook

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
)

// Health covers the last day, in steps.
const (
	HealthStep  = 30 * time.Minute
	HealthSteps = 48
)

// maxHealthAttempts bounds the attempts that a call of Health reads, of all hooks together. Reading them takes some
// 30 ms.
const maxHealthAttempts = 20_000

// Health is what became of the requests to a hook in the last day.
type Health struct {
	Since time.Time // the beginning of the first step
	Steps [HealthSteps]HealthOfStep
}

// HealthOfStep is the health of HealthStep.
type HealthOfStep struct {
	Attempts  int64
	Succeeded int64
	Median    time.Duration // until the response; 0 without attempts
	Slow      time.Duration // 95 of 100 requests took no longer
}

// Health returns the health of hooks, by id. It counts the requests for the newest changes, up to 20,000 of all hooks
// together, so that it is quick for busy hooks, too. Unknown hooks have an empty health.
func (s *Service) Health(ctx context.Context, ids ...uuid.UUID) (map[uuid.UUID]Health, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return nil, err
	}
	all := make(map[uuid.UUID]Health, len(ids))
	if len(ids) == 0 {
		return all, nil
	}
	// Steps begin at the same times for every call, so that a plot moves by whole steps.
	since := time.Now().UTC().Truncate(HealthStep).Add(-(HealthSteps - 1) * HealthStep)
	rows, err := store.New(db.Read(ctx, s.pool)).HealthOfHooks(ctx, store.HealthOfHooksParams{
		AccountID: actor.AccountID, Ids: ids, Since: since, Step: HealthStep.Seconds(),
		MaxAttempts: int32(max(1, maxHealthAttempts/len(ids))),
	})
	if err != nil {
		return nil, fmt.Errorf("read the health of hooks: %w", err)
	}
	for _, id := range ids {
		all[id] = Health{Since: since}
	}
	for _, row := range rows {
		if row.Step < 0 || row.Step >= HealthSteps { // a clock that differs from Postgres's
			continue
		}
		h := all[row.HookID]
		h.Steps[row.Step] = HealthOfStep{Attempts: row.Attempts, Succeeded: row.Succeeded,
			Median: microseconds(row.Median), Slow: microseconds(row.Slow)}
		all[row.HookID] = h
	}
	return all, nil
}

func microseconds(n int32) time.Duration { return time.Duration(n) * time.Microsecond }
