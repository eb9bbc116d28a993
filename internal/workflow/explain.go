package workflow

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/hook/dispatch"
	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

// openDelivery is what is known of a task's delivery that has not ended.
type openDelivery struct {
	id     *uuid.UUID // the webhook-id; nil: the change has no position yet
	detail string     // what has become of it, as a part of a sentence
}

// readSending reads the deliveries of the tasks that runs have recorded and that have not ended.
func (s *Service) readSending(ctx context.Context, q db.Querier, actor account.Actor, views []view) error {
	var items, runs []uuid.UUID
	byRun := map[uuid.UUID]*view{}
	for n := range views {
		if v := &views[n]; v.isSending() {
			items, runs = append(items, v.row.ItemID), append(runs, v.row.ID)
			v.sending, byRun[v.row.ID] = map[string]openDelivery{}, v
		}
	}
	if len(runs) == 0 {
		return nil
	}
	deliveries, err := hook.TaskDeliveries(ctx, q, actor.AccountID, items, runs)
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		if v := byRun[d.Task.RunID]; v != nil {
			v.sending[d.Task.Task] = openDelivery{id: d.DeliveryID, detail: detailOf(d)}
		}
	}
	return nil
}

// isSending reports whether the delivery of a recorded task has not ended.
func (v *view) isSending() bool {
	for n, t := range v.definition.Tasks {
		if _, answered := v.answers[t.Key]; !answered && v.state.Tasks[n].RecordedAt != nil {
			return true
		}
	}
	return false
}

// readLimits reads which limits of parallel jobs keep runs from the media processor.
func readLimits(ctx context.Context, q db.Querier, actor account.Actor, views []view) error {
	var profiles []uuid.UUID
	for n := range views {
		if views[n].awaitsProcessor() {
			profiles = append(profiles, views[n].row.ProfileID)
		}
	}
	if len(profiles) == 0 {
		return nil
	}
	rows, err := store.New(q).FullProfiles(ctx,
		store.FullProfilesParams{AccountID: actor.AccountID, ProfileIds: unique(profiles)})
	if err != nil {
		return fmt.Errorf("read the limits of parallel jobs: %w", err)
	}
	limits := map[uuid.UUID]string{}
	for _, row := range rows {
		switch {
		case row.AccountFull:
			limits[row.ID] = "the account's quotas.parallel_jobs"
		case row.ProfileFull:
			limits[row.ID] = "the profile's uploads.parallel_jobs"
		}
	}
	for n := range views {
		views[n].full = limits[views[n].row.ProfileID]
	}
	return nil
}

func (v *view) awaitsProcessor() bool {
	return v.state.Phase == machine.PhaseProcess && v.row.ProcessOwner == nil && v.row.FinishedAt == nil
}

// detailOf says what a delivery is behind, and which retry is due when, and why; "" before the first retry.
func detailOf(d hook.TaskDelivery) string {
	retry := ""
	if d.Attempts > 0 && d.LastError != "" && d.NextAttemptAt != nil {
		retry = fmt.Sprintf("retry %d of %d at %s UTC: %s", d.Attempts, dispatch.RetryCount(),
			d.NextAttemptAt.Format("15:04"), d.LastError)
	}
	const behind = "it is behind an earlier delivery of the item to the same URL"
	switch {
	case !d.IsBehind:
		return retry
	case retry == "":
		return behind
	}
	return behind + ", " + retry
}

// explain says in one sentence what a run that has not ended waits for.
func (v *view) explain() string {
	awaited := v.state.Awaited(v.definition)
	switch {
	case len(awaited) > 0:
		if detail := v.sending[awaited[0]].detail; detail != "" {
			return fmt.Sprintf("Task %q: %s.", awaited[0], detail)
		}
		return fmt.Sprintf("Waits for the answer of task %q.", awaited[0])
	case v.state.Phase == machine.PhasePerson:
		return "Waits for a person" + v.withRoles() + "."
	case v.awaitsProcessor() && v.full != "":
		return fmt.Sprintf("Waits for the media processor: as many items as %s allows are processed now.", v.full)
	case v.awaitsProcessor():
		return "Waits for the media processor."
	case v.state.Phase == machine.PhaseProcess:
		return fmt.Sprintf("%s %d %%.", v.definition.Actions[v.state.Current].Key, v.row.ProcessProgress)
	case v.row.Attempts > 0:
		return fmt.Sprintf("The next step failed in %d of %d attempts, and is tried again.", v.row.Attempts, maxAttempts)
	case v.state.Phase == machine.PhaseBegin:
		return "Waits to begin."
	}
	return fmt.Sprintf("Runs %s.", v.definition.Actions[v.state.Current].Key)
}
