package node_test

import (
	"slices"
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestWorkflow_WaitsForTheAnswersOfItsTasks(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	received := newTaskLedger(t)
	client := patient{n.Client}
	id := client.create(`{"name":"x","workflow_profile_id":"` + createKillProfile(n.Client, received.url) + `"}`)
	client.awaitCompleted(id)
	if got := client.statuses(id); !slices.Equal(got, killStatuses) {
		t.Errorf("its item was %q", got)
	}
	received.wantEach(id)
}
