package workflow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/problem"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

func TestPatchProfile_EachChangeOfActionsOrTasksIsAVersion(t *testing.T) {
	b := setup(t)
	made := b.create(workflow.ProfileInput{Name: "News"})
	approve := []machine.Action{{Key: "approve", Kind: machine.Approve}}
	patches := []workflow.ProfilePatch{
		{Actions: &approve},
		{Tasks: &[]machine.Task{{Key: "tell", At: machine.AtStart, URL: "https://example.com/"}}},
		{Tasks: &[]machine.Task{{Key: "tell", At: machine.AtStart, URL: "https://example.com/", Headers: map[string]string{"X-A": "1"}}}},
		{Tasks: &[]machine.Task{{Key: "tell", At: machine.AtStart, URL: "https://example.com/", Headers: map[string]string{"X-A": "2"}}}},
	}
	for i, patch := range patches {
		if after := b.patch(made.ID, patch); after.Version != int32(i+2) || after.Revision != int64(i+2) {
			t.Errorf("patch %d: got version %d, revision %d", i, after.Version, after.Revision)
		}
	}
	if same := b.patch(made.ID, patches[3]); same.Version != 5 || same.Revision != 5 {
		t.Errorf("a patch that changes nothing: got version %d, revision %d", same.Version, same.Revision)
	}
	var numbers []int32
	for after := ""; ; {
		page, next, err := b.profiles.Versions(b.ctx, made.ID, 2, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page {
			numbers = append(numbers, v.Version)
		}
		if after = next; after == "" {
			break
		}
	}
	if got := asJSON(t, numbers); got != "[5,4,3,2,1]" {
		t.Errorf("got the versions %s", got)
	}
	two, err := b.profiles.Version(b.ctx, made.ID, 2)
	if err != nil || len(two.Actions) != 1 || len(two.Tasks) != 0 || two.CreatedAt.IsZero() {
		t.Errorf("version 2: got %s, %v", asJSON(t, two), err)
	}
	var stored string
	err = b.pool.QueryRow(b.ctx, `SELECT tasks::text FROM workflow_profile_version WHERE version = 5`).Scan(&stored)
	if err != nil || !strings.Contains(stored, `"X-A": "***"`) {
		t.Errorf("a version keeps the values of headers: %s, %v", stored, err)
	}
}

func TestVersions_OfAnUnknownProfileOrNumberAreNotFound(t *testing.T) {
	b := setup(t)
	made, other := b.create(workflow.ProfileInput{Name: "News"}), b.create(workflow.ProfileInput{Name: "Sport"})
	_, _, err := b.profiles.Versions(b.ctx, uuid.New(), 10, "")
	for name, err := range map[string]error{"a list": err, "a version": second(b.profiles.Version(b.ctx, uuid.New(), 1)),
		"a number": second(b.profiles.Version(b.ctx, made.ID, 2))} {
		if !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	token := workflow.Version{Version: 9}.PageToken(other.ID)
	if _, _, err := b.profiles.Versions(b.ctx, made.ID, 10, token); !problem.Is(err, problem.InvalidPageToken) {
		t.Errorf("another profile's token: got %v", err)
	}
}

func TestPatchProfile_AMaskedHeaderKeepsItsValueOnTheSameHostOnly(t *testing.T) {
	b := setup(t)
	made := b.create(b.newsroom())
	tasks := func(key, url, value string) *[]machine.Task {
		return &[]machine.Task{{Key: key, At: machine.AtStart, URL: url, Headers: map[string]string{"Authorization": value}}}
	}
	b.patch(made.ID, workflow.ProfilePatch{Tasks: tasks("tell", "https://example.com/b", "***")})
	last := b.hooks.synced[len(b.hooks.synced)-1]
	if got := last.Tasks[0]; got.URL != "https://example.com/b" || got.Headers["Authorization"] != "Bearer x" {
		t.Errorf("the hooks got %+v", got)
	}
	for name, patch := range map[string]workflow.ProfilePatch{
		"another host": {Tasks: tasks("tell", "https://other.example/", "***")},
		"another key":  {Tasks: tasks("told", "https://example.com/b", "***")},
	} {
		_, err := b.profiles.PatchProfile(b.ctx, made.ID, patch, nil)
		t.Log(name)
		wantFaults(t, err, problem.InvalidInput, "#/tasks/0/headers/Authorization")
	}
}

func TestRotateSecret_TheOldOneSignsForADayUnlessItIsRevoked(t *testing.T) {
	b := setup(t)
	made := b.create(workflow.ProfileInput{Name: "News"})
	if len(b.hooks.synced) != 0 {
		t.Errorf("a profile without tasks has hooks: %+v", b.hooks.synced)
	}
	b.patch(made.ID, workflow.ProfilePatch{Tasks: &[]machine.Task{{Key: "a", At: machine.AtStart, URL: "https://example.com/"}}})
	first := b.hooks.synced[0]
	if first.Secret == nil || !strings.HasPrefix(*first.Secret, "whsec_") || first.OldSecret != nil || first.ProfileID != made.ID {
		t.Fatalf("the first task: got %+v", first)
	}
	shown, until, err := b.profiles.RotateSecret(b.ctx, made.ID, workflow.TasksSecret, false)
	if err != nil || until == nil || time.Until(*until) < 23*time.Hour {
		t.Fatalf("got until %v, %v", until, err)
	}
	rotated := b.hooks.synced[1]
	if *rotated.Secret != shown || *rotated.OldSecret != *first.Secret || !rotated.OldSecretUntil.Equal(*until) {
		t.Errorf("the hooks got %+v", rotated)
	}
	if now, err := b.profiles.Profile(b.ctx, made.ID); err != nil || now.Revision != 3 || now.Version != 2 ||
		!now.OldSecretUntil.Equal(*until) {
		t.Errorf("got %+v, %v", now, err)
	}
	_, until, err = b.profiles.RotateSecret(b.ctx, made.ID, workflow.TasksSecret, true)
	if third := b.hooks.synced[2]; err != nil || until != nil || third.OldSecret != nil {
		t.Errorf("revoked: got until %v, %v, and the hooks %+v", until, err, third)
	}
	if _, _, err := b.profiles.RotateSecret(b.ctx, uuid.New(), workflow.TasksSecret, false); !problem.Is(err, problem.NotFound) {
		t.Errorf("an unknown profile: got %v", err)
	}
}

func TestRotateSecret_MakesTheFirstOneBeforeThereAreTasks(t *testing.T) {
	b := setup(t)
	made := b.create(workflow.ProfileInput{Name: "News"})
	shown, until, err := b.profiles.RotateSecret(b.ctx, made.ID, workflow.TasksSecret, false)
	if err != nil || until != nil {
		t.Fatalf("got until %v, %v", until, err)
	}
	b.patch(made.ID, workflow.ProfilePatch{Tasks: &[]machine.Task{{Key: "a", At: machine.AtStart, URL: "https://example.com/"}}})
	if last := b.hooks.synced[len(b.hooks.synced)-1]; *last.Secret != shown {
		t.Errorf("the first task is signed with another secret")
	}
}

func TestCopyProfile_CopiesEverythingButTheSecret(t *testing.T) {
	b := setup(t)
	in := b.newsroom()
	in.Description, in.RoleIDs = "For news.", []uuid.UUID{b.roles["Editor"]}
	made := b.create(in)
	b.patch(made.ID, workflow.ProfilePatch{Tasks: &[]machine.Task{{Key: "tell", At: machine.AtStart,
		URL: "https://example.com/a", Headers: map[string]string{"Authorization": "***"}}}})
	copied, err := b.profiles.CopyProfile(b.ctx, made.ID, " Sport ")
	if err != nil {
		t.Fatal(err)
	}
	if copied.Name != "Sport" || copied.Description != in.Description || copied.Version != 1 || copied.Revision != 1 ||
		asJSON(t, copied.RoleIDs) != asJSON(t, in.RoleIDs) || asJSON(t, copied.Actions) != asJSON(t, made.Actions) {
		t.Errorf("got %s", asJSON(t, copied))
	}
	synced := b.hooks.synced
	original, last := synced[len(synced)-2], synced[len(synced)-1]
	if last.ProfileID != copied.ID || *last.Secret == *original.Secret || asJSON(t, last.Tasks) != asJSON(t, original.Tasks) ||
		last.Tasks[0].Headers["Authorization"] != "Bearer x" {
		t.Errorf("the hooks got %+v, those of the original %+v", last, original)
	}
	for name, c := range map[string]struct {
		id   uuid.UUID
		name string
		want problem.Code
	}{
		"a name in use": {made.ID, "Newsroom", problem.Conflict}, "no name": {made.ID, " ", problem.InvalidInput},
		"an unknown profile": {uuid.New(), "Culture", problem.NotFound},
	} {
		if _, err := b.profiles.CopyProfile(b.ctx, c.id, c.name); !problem.Is(err, c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}
