package workflow_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/problem"
	"itemcast/internal/upload/ticket"
	"itemcast/internal/workflow"
)

func TestUploadTerms_AreThoseOfTheProfileForWhoeverAsks(t *testing.T) {
	b := setup(t)
	made := b.create(workflow.ProfileInput{Name: "Inbox", Uploads: workflow.Uploads{Enabled: true,
		Origins: []string{"https://app.example"}, Redirects: []string{"https://app.example/done"}, MaxSize: new(int64(9)),
		ContentTypes: []string{"video/*"}, QuotaBytes: new(int64(99)), Publish: true}})
	secret, _, err := b.profiles.RotateSecret(b.ctx, made.ID, workflow.UploadsSecret, false)
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.profiles.UploadTerms(t.Context(), made.ID)
	want := ticket.Terms{Account: b.account, Profile: made.ID, Enabled: true, Secret: secret,
		Origins: []string{"https://app.example"}, Redirects: []string{"https://app.example/done"}, MaxSize: 9,
		ContentTypes: []string{"video/*"}, QuotaBytes: 99, Publish: true}
	if err != nil || asJSON(t, got) != asJSON(t, want) {
		t.Errorf("got %s, %v; want %s", asJSON(t, got), err, asJSON(t, want))
	}
	if _, err := b.profiles.UploadTerms(t.Context(), uuid.New()); !problem.Is(err, problem.NotFound) {
		t.Errorf("an unknown profile: got %v", err)
	}
}

// A second node that has read the terms learns of each change, and reads nothing between changes.
func TestUploadTerms_AreReadAgainAfterEachChangeOnAnyNode(t *testing.T) {
	b := setup(t)
	made := b.create(workflow.ProfileInput{Name: "Inbox", Uploads: workflow.Uploads{Enabled: true}})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	changed := make(chan struct{}, 100)
	other := b.service(func() { changed <- struct{}{} })
	running.Go(func() { _ = other.Run(ctx) })
	await := func(what string) {
		t.Helper()
		select {
		case <-changed:
		case <-time.After(time.Minute):
			t.Fatalf("the node does not learn of %s", what)
		}
	}
	await("its connection")
	terms := func() ticket.Terms {
		t.Helper()
		got, err := other.UploadTerms(ctx, made.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if terms().Secret != "" {
		t.Error("there is a secret already")
	}
	shown, _, err := b.profiles.RotateSecret(b.ctx, made.ID, workflow.UploadsSecret, false)
	if err != nil {
		t.Fatal(err)
	}
	await("the secret")
	if terms().Secret != shown {
		t.Error("the node does not know the new secret")
	}
	// Without a notification, the node does not read again.
	if _, err := b.pool.Exec(ctx, `ALTER TABLE workflow_profile DISABLE TRIGGER workflow_profile_changed`); err != nil {
		t.Fatal(err)
	}
	if _, err := b.pool.Exec(ctx, `UPDATE workflow_profile SET upload_secret = 'icu_X'`); err != nil {
		t.Fatal(err)
	}
	if terms().Secret != shown {
		t.Error("the node reads the terms each time")
	}
	if _, err := b.pool.Exec(ctx, `ALTER TABLE workflow_profile ENABLE TRIGGER workflow_profile_changed`); err != nil {
		t.Fatal(err)
	}
	b.patch(made.ID, uploadsPatch(`{"enabled":false}`))
	await("a patch")
	if got := terms(); got.Enabled || got.Secret != "icu_X" {
		t.Errorf("after a patch: got %s", asJSON(t, got))
	}
	if err := b.profiles.DeleteProfile(b.ctx, made.ID, nil); err != nil {
		t.Fatal(err)
	}
	await("the deletion")
	if _, err := other.UploadTerms(ctx, made.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("after the deletion: got %v", err)
	}
}

// The node that makes a change knows it at once: a script may sign a ticket right after it has made the secret.
func TestUploadTerms_OfTheNodeThatChangesThemAreNewAtOnce(t *testing.T) {
	b := setup(t)
	made := b.create(workflow.ProfileInput{Name: "Inbox"})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	connected := make(chan struct{}, 100)
	node := b.service(func() { connected <- struct{}{} })
	running.Go(func() { _ = node.Run(ctx) })
	select {
	case <-connected:
	case <-time.After(time.Minute):
		t.Fatal("the node does not listen")
	}
	for range 20 {
		shown, _, err := node.RotateSecret(b.ctx, made.ID, workflow.UploadsSecret, true)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if terms, err := node.UploadTerms(ctx, made.ID); err != nil || terms.Secret != shown {
				t.Fatalf("an old secret: %v", err)
			}
		}
	}
}
