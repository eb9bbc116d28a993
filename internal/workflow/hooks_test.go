package workflow_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

// A run keeps the version with which it began: until it ends, the hooks of that version's tasks stay.
func TestHooks_OfURLsThatNoTaskAndNoRunNeedsGo(t *testing.T) {
	r := still(t, nil)
	const old, present = "https://old.example/", "https://present.example/"
	made := r.bundle.create(workflow.ProfileInput{Name: "News", Actions: actions(machine.Edit).Actions,
		Tasks: []machine.Task{{Key: "tell", At: machine.AtStart, URL: old}}})
	id := r.create(made.ID)
	r.patch(made.ID, workflow.ProfilePatch{Tasks: &[]machine.Task{{Key: "tell", At: machine.AtStart, URL: present}}})
	if want := []string{old, present}; !slices.Equal(r.hooks.needed, want) {
		t.Errorf("with a run of the old version %q are needed, want %q", r.hooks.needed, want)
	}
	if _, err := r.runs.CancelRun(r.user, id); err != nil {
		t.Fatal(err)
	}
	if r.sweepHooks(); len(r.hooks.needed) != 2 {
		t.Error("a profile without hooks of old URLs was swept")
	}
	for _, url := range []string{old, present} {
		r.exec(`INSERT INTO hook (id, account_id, workflow_profile_id, url, description, events, active, secret,
			after_position, after_changes, headers) VALUES ($1, $2, $3, $4, '', '{}', true, '', 0, '{}', '{}')`,
			uuid.New(), r.account, made.ID, url)
	}
	if r.sweepHooks(); !slices.Equal(r.hooks.needed, []string{present}) {
		t.Errorf("after the run %q are needed", r.hooks.needed)
	}
}

func (r *running) sweepHooks() {
	r.t.Helper()
	if err := r.profiles.SweepHooks(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}
