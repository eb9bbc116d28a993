package workflow_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/workflow"
)

func TestRun_AnnouncesChangesOnEveryNode(t *testing.T) {
	b := setup(t)
	profile := b.create(workflow.ProfileInput{Name: "Review"})
	var nodes []chan struct{}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for range 2 {
		changed := make(chan struct{}, 100)
		nodes = append(nodes, changed)
		service := b.service(func() { changed <- struct{}{} })
		running.Go(func() { _ = service.Run(ctx) })
	}
	wait := func(when string) {
		t.Helper()
		for n, changed := range nodes {
			select {
			case <-changed:
			case <-time.After(time.Minute):
				t.Fatalf("node %d: no change is announced %s", n, when)
			}
		}
	}
	wait("when it begins to listen")
	_, err := b.profiles.PatchProfile(b.ctx, profile.ID,
		workflow.ProfilePatch{RoleIDs: &[]uuid.UUID{b.roles["Editor"]}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wait("after a patch")
	if err := b.profiles.DeleteProfile(b.ctx, profile.ID, nil); err != nil {
		t.Fatal(err)
	}
	wait("after a deletion")
}
