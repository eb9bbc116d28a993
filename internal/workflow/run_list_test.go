package workflow_test

import (
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/workflow/machine"
)

// A list of runs reads its page, however many runs have ended.
func TestRuns_AListReadsItsPageOnly(t *testing.T) {
	r := still(t, nil)
	profile := r.profile(actions(machine.Edit))
	ended := r.create(profile)
	r.exec(`UPDATE workflow_run SET status = 'completed', finished_at = now(), wake_at = NULL WHERE item_id = $1`, ended)
	r.exec(`INSERT INTO workflow_run (id, account_id, item_id, profile_id, profile_version, status, state, started_at,
			moved_at, finished_at)
		SELECT overlay(r.id::text PLACING 'f' FROM 1)::uuid, r.account_id, r.item_id, r.profile_id, r.profile_version, r.status,
			r.state, r.started_at, r.moved_at, r.finished_at
		FROM (SELECT gen_random_uuid() AS id, w.account_id, w.item_id, gen_random_uuid() AS profile_id, w.profile_version,
				w.status, w.state, w.started_at, w.moved_at, w.finished_at
			FROM workflow_run w, generate_series(1, 3000) WHERE w.item_id = $1) r`, ended)
	r.exec("ANALYZE workflow_run") // the planner does not learn of the one that waits
	waiting := r.create(profile)
	r.exec(`UPDATE workflow_run SET status = 'waiting', waiting_roles = '{}', current_action = 'edit' WHERE item_id = $1`,
		waiting)
	all, unfinished := []string{"pending", "running", "waiting", "completed", "failed", "cancelled"}, []string{"waiting"}
	for name, c := range map[string]struct {
		statuses []string
		action   *string
		profile  *uuid.UUID
		forMe    bool
		runs     int
	}{
		"all": {all, nil, nil, false, 51}, "of a status": {unfinished, nil, nil, false, 1},
		"of none": {[]string{"failed"}, nil, nil, false, 0}, "an inbox": {unfinished, nil, nil, true, 1},
		"of an action": {all[:3], new("edit"), nil, false, 1}, "of a profile": {all, nil, &profile, false, 2},
	} {
		tx, err := r.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var runs, read int
		err = tx.QueryRow(t.Context(), `SELECT coalesce(cardinality(workflow_run_page($1, '{}', $2, $3, $4, $5, $6,
			'ffffffff-ffff-ffff-ffff-ffffffffffff', 51)), 0)`, r.account, c.statuses, c.action, c.profile, c.forMe,
			r.roles["Editor"]).Scan(&runs)
		if err == nil {
			err = tx.QueryRow(t.Context(), `SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
				FROM pg_stat_xact_user_tables WHERE relname = 'workflow_run'`).Scan(&read)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		if runs != c.runs || read > 60 {
			t.Errorf("%s: %d runs of %d read, want %d of at most 60", name, runs, read, c.runs)
		}
	}
}
