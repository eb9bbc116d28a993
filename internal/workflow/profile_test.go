package workflow_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/workflow"
)

func TestCreateProfile_StoresTheInput(t *testing.T) {
	b := setup(t)
	editor := b.roles["Editor"]
	made := b.create(workflow.ProfileInput{Name: " Review ", Description: "For news.",
		RoleIDs: []uuid.UUID{editor, editor}})
	if made.Name != "Review" || made.Description != "For news." || !slices.Equal(made.RoleIDs, []uuid.UUID{editor}) ||
		made.Revision != 1 || made.CreatedAt.IsZero() {
		t.Errorf("got %+v", made)
	}
	read, err := b.profiles.Profile(b.ctx, made.ID)
	if err != nil || fmt.Sprint(read) != fmt.Sprint(made) {
		t.Errorf("got %+v, %v; want %+v", read, err, made)
	}
}

func TestCreateProfile_ReportsEveryFault(t *testing.T) {
	b := setup(t)
	_, err := b.profiles.CreateProfile(b.ctx,
		workflow.ProfileInput{Description: strings.Repeat("x", 2001), RoleIDs: ids(101)})
	wantFaults(t, err, problem.InvalidInput, "#/name", "#/description", "#/role_ids")
	for _, name := range []string{"", "  ", strings.Repeat("x", 101), "a\x00b", "a\u202eb"} {
		_, err := b.profiles.CreateProfile(b.ctx, workflow.ProfileInput{Name: name})
		wantFaults(t, err, problem.InvalidInput, "#/name")
	}
	_, err = b.profiles.CreateProfile(b.ctx, workflow.ProfileInput{Name: "Review",
		RoleIDs: []uuid.UUID{uuid.New(), b.roles["Editor"], uuid.New()}})
	wantFaults(t, err, problem.RuleViolated, "#/role_ids/0", "#/role_ids/2")
}

func TestCreateProfile_NamesAreUnique(t *testing.T) {
	b := setup(t)
	errs := make(chan error, 4)
	var group sync.WaitGroup
	for range cap(errs) {
		group.Go(func() {
			_, err := b.profiles.CreateProfile(b.ctx, workflow.ProfileInput{Name: "Review"})
			errs <- err
		})
	}
	group.Wait()
	close(errs)
	created := 0
	for err := range errs {
		switch {
		case err == nil:
			created++
		case !problem.Is(err, problem.Conflict):
			t.Errorf("got %v", err)
		}
	}
	if created != 1 {
		t.Errorf("%d profiles have the name", created)
	}
}

func TestProfiles_PagesListEachProfileOnce(t *testing.T) {
	b := setup(t)
	var want, got []uuid.UUID
	for n := range 5 {
		want = append(want, b.create(workflow.ProfileInput{Name: fmt.Sprint("Review ", n)}).ID)
	}
	slices.Reverse(want) // newest first
	for after := ""; ; {
		profiles, next, err := b.profiles.Profiles(b.ctx, 2, after)
		if err != nil || len(profiles) > 2 {
			t.Fatalf("got %d profiles, %v", len(profiles), err)
		}
		for _, profile := range profiles {
			got = append(got, profile.ID)
		}
		if after = next; after == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, _, err := b.profiles.Profiles(b.ctx, 2, "x"); !problem.Is(err, problem.InvalidPageToken) {
		t.Errorf("with a malformed token: %v", err)
	}
}

func TestPatchProfile_ChangesTheGivenFieldsOnly(t *testing.T) {
	b := setup(t)
	before := b.create(workflow.ProfileInput{Name: "Review", Description: "For news.",
		RoleIDs: []uuid.UUID{b.roles["Editor"]}})
	after, err := b.profiles.PatchProfile(b.ctx, before.ID, workflow.ProfilePatch{Name: new("Approval")}, revision.Is(1))
	if err != nil {
		t.Fatal(err)
	}
	if after.Name != "Approval" || after.Description != before.Description ||
		!slices.Equal(after.RoleIDs, before.RoleIDs) || after.Revision != 2 {
		t.Errorf("got %+v", after)
	}
	after, err = b.profiles.PatchProfile(b.ctx, before.ID, workflow.ProfilePatch{RoleIDs: &[]uuid.UUID{}}, nil)
	if err != nil || len(after.RoleIDs) != 0 {
		t.Errorf("without a condition: got %+v, %v", after, err)
	}
}

func TestPatchProfile_RefusesAnotherRevisionANameThatIsTakenAndAnUnknownProfile(t *testing.T) {
	b := setup(t)
	b.create(workflow.ProfileInput{Name: "Review"})
	other := b.create(workflow.ProfileInput{Name: "Approval"})
	for name, c := range map[string]struct {
		id        uuid.UUID
		name      string
		condition revision.Condition
		want      problem.Code
	}{
		"another revision":   {other.ID, "Publishing", revision.Is(2), problem.RevisionMismatch},
		"a name in use":      {other.ID, "Review", nil, problem.Conflict},
		"a blank name":       {other.ID, " ", nil, problem.InvalidInput},
		"an unknown profile": {uuid.New(), "Publishing", nil, problem.NotFound},
	} {
		_, err := b.profiles.PatchProfile(b.ctx, c.id, workflow.ProfilePatch{Name: &c.name}, c.condition)
		if !problem.Is(err, c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if now, err := b.profiles.Profile(b.ctx, other.ID); err != nil || now.Name != "Approval" || now.Revision != 1 {
		t.Errorf("after refused patches: %+v, %v", now, err)
	}
}

func TestPatchProfile_RolesDecideWhoSeesTheProfileAndItsItems(t *testing.T) {
	b := setup(t)
	profile := b.create(workflow.ProfileInput{Name: "Review"})
	document := fmt.Appendf(nil, `{"id":"x","workflow":{"profile_id":%q,"status":"pending"}}`, profile.ID)
	sees := func(role string, permissions ...account.Permission) (profileSeen, itemSeen bool) {
		t.Helper()
		ctx := b.as(role, append(permissions, account.ItemsView)...)
		_, err := b.profiles.Profile(ctx, profile.ID)
		if err != nil && !problem.Is(err, problem.NotFound) {
			t.Fatal(err)
		}
		listed, _, listErr := b.profiles.Profiles(ctx, 10, "")
		if listErr != nil || len(listed) == 1 != (err == nil) {
			t.Errorf("the list and the profile differ: %v, %v, %v", listed, listErr, err)
		}
		actor, _ := account.ActorFrom(ctx)
		hidden, hiddenErr := account.HiddenFrom(ctx, b.pool, b.account, actor.RoleParam())
		if hiddenErr != nil {
			t.Fatal(hiddenErr)
		}
		hides, hidesErr := hidden.Hides(document)
		if hidesErr != nil {
			t.Fatal(hidesErr)
		}
		return err == nil, !hides
	}
	if p, i := sees("Viewer"); !p || !i {
		t.Errorf("without roles, a viewer sees the profile: %v, its items: %v", p, i)
	}
	_, err := b.profiles.PatchProfile(b.ctx, profile.ID,
		workflow.ProfilePatch{RoleIDs: &[]uuid.UUID{b.roles["Editor"]}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p, i := sees("Editor"); !p || !i {
		t.Errorf("an editor sees the profile: %v, its items: %v", p, i)
	}
	if p, i := sees("Viewer"); p || i {
		t.Errorf("a viewer sees the profile: %v, its items: %v", p, i)
	}
	if p, i := sees("Viewer", account.WorkflowsManage); !p || i {
		t.Errorf("a viewer with workflows.manage sees the profile: %v, its items: %v", p, i)
	}
	if _, err := b.profiles.Profile(b.ctx, profile.ID); err != nil {
		t.Errorf("the operator: %v", err)
	}
}

func TestDeleteProfile_RefusesAProfileInUse(t *testing.T) {
	b := setup(t)
	used, unused := b.create(workflow.ProfileInput{Name: "Review"}), b.create(workflow.ProfileInput{Name: "Approval"})
	b.addItem(used.ID)
	b.addItem(used.ID)
	const insert = `INSERT INTO workflow_run (id, account_id, item_id, profile_id, profile_version, status, state, started_at,
			moved_at, finished_at)
		SELECT gen_random_uuid(), account_id, id, $1, 1, CASE WHEN at IS NULL THEN 'running' ELSE 'failed' END, '{}', now(), now(), at
		FROM (SELECT account_id, id FROM item LIMIT 1) i, (VALUES (NULL), (now()), (now())) finished (at)`
	if _, err := b.pool.Exec(b.ctx, insert, used.ID); err != nil {
		t.Fatal(err)
	}
	err := b.profiles.DeleteProfile(b.ctx, used.ID, nil)
	if e := problem.Of(err); e == nil || e.Code != problem.Conflict ||
		!strings.HasPrefix(e.Detail, "The workflow profile is in use (items: 2, runs that have not ended: 1)") {
		t.Errorf("in use: got %v", err)
	}
	if err := b.profiles.DeleteProfile(b.ctx, unused.ID, revision.Is(7)); !problem.Is(err, problem.RevisionMismatch) {
		t.Errorf("of another revision: got %v", err)
	}
	if err := b.profiles.DeleteProfile(b.ctx, unused.ID, revision.Is(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.profiles.Profile(b.ctx, unused.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("after its deletion: got %v", err)
	}
	if !slices.Equal(b.hooks.ended, []uuid.UUID{unused.ID}) {
		t.Errorf("the hooks of %v have ended", b.hooks.ended)
	}
	var versions int
	if err := b.pool.QueryRow(b.ctx, `SELECT count(*) FROM workflow_profile_version WHERE profile_id = $1`, unused.ID).
		Scan(&versions); err != nil || versions != 1 {
		t.Errorf("%d versions outlive the profile, %v", versions, err)
	}
}

func TestProfiles_AnotherAccountsDoNotExist(t *testing.T) {
	b := setup(t)
	profile := b.create(workflow.ProfileInput{Name: "Review"})
	stranger := account.WithActor(t.Context(), account.Actor{AccountID: uuid.New(), Permissions: account.All()})
	if profiles, _, err := b.profiles.Profiles(stranger, 10, ""); err != nil || len(profiles) != 0 {
		t.Errorf("got %v, %v", profiles, err)
	}
	for name, err := range map[string]error{
		"get":               second(b.profiles.Profile(stranger, profile.ID)),
		"patch":             second(b.profiles.PatchProfile(stranger, profile.ID, workflow.ProfilePatch{Name: new("x")}, nil)),
		"delete":            b.profiles.DeleteProfile(stranger, profile.ID, nil),
		"copy":              second(b.profiles.CopyProfile(stranger, profile.ID, "x")),
		"check":             second(b.profiles.CheckProfile(stranger, profile.ID)),
		"read a version of": second(b.profiles.Version(stranger, profile.ID, 1)),
	} {
		if !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func ids(n int) []uuid.UUID {
	all := make([]uuid.UUID, n)
	for i := range all {
		all[i] = uuid.New()
	}
	return all
}

func wantFaults(t *testing.T, err error, code problem.Code, pointers ...string) {
	t.Helper()
	e := problem.Of(err)
	if e == nil || e.Code != code {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	var got []string
	for _, fault := range e.Faults {
		got = append(got, fault.Pointer)
	}
	if !slices.Equal(got, pointers) {
		t.Errorf("got faults at %v, want %v", got, pointers)
	}
}
