package workflow_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/problem"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

func uploadsPatch(patch string) workflow.ProfilePatch {
	return workflow.ProfilePatch{Uploads: json.RawMessage(patch)}
}

func TestUploads_AreSetAndReadInTheirNormalForm(t *testing.T) {
	b := setup(t)
	made := b.create(workflow.ProfileInput{Name: "Inbox"})
	const none = `{"enabled":false,"origins":[],"redirects":[],"max_size":null,"content_types":[],"quota_bytes":null,"quota_minutes":null,"parallel_jobs":null,"publish":false}`
	if got := asJSON(t, made.Uploads); got != none {
		t.Errorf("a profile without uploads: got %s", got)
	}
	full := b.create(workflow.ProfileInput{Name: "Full", Uploads: workflow.Uploads{Enabled: true,
		Origins: []string{"HTTPS://App.example:443/", "https://app.example"}, Redirects: []string{"https://app.example/?a=b"},
		MaxSize: new(int64(1000)), ContentTypes: []string{"video/*", "image/png", "video/*"}, QuotaBytes: new(int64(5000)), Publish: true}})
	const want = `{"enabled":true,"origins":["https://app.example"],"redirects":["https://app.example/?a=b"],"max_size":1000,` +
		`"content_types":["video/*","image/png"],"quota_bytes":5000,"quota_minutes":null,"parallel_jobs":null,"publish":true}`
	if got := asJSON(t, full.Uploads); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	read, err := b.profiles.Profile(b.ctx, full.ID)
	if err != nil || asJSON(t, read) != asJSON(t, full) {
		t.Errorf("got %s, %v", asJSON(t, read), err)
	}
}

func TestPatchProfile_MergesUploads(t *testing.T) {
	b := setup(t)
	made := b.create(workflow.ProfileInput{Name: "Inbox"})
	for i, c := range []struct {
		patch    string
		want     string // part of the settings
		revision int64
	}{
		{`{"enabled":true,"max_size":7}`, `"enabled":true,"origins":[],"redirects":[],"max_size":7,`, 2},
		{`{"origins":["https://app.example"]}`, `"enabled":true,"origins":["https://app.example"],"redirects":[],"max_size":7,`, 3},
		{`{"max_size":null,"publish":true}`, `"max_size":null,"content_types":[],"quota_bytes":null,"quota_minutes":null,"parallel_jobs":null,"publish":true`, 4},
		{`{"publish":true}`, `"publish":true`, 4}, {`{}`, `"publish":true`, 4},
	} {
		after := b.patch(made.ID, uploadsPatch(c.patch))
		if got := asJSON(t, after.Uploads); !strings.Contains(got, c.want) || after.Revision != c.revision || after.Version != 1 {
			t.Errorf("patch %d: got %s, revision %d, version %d", i, got, after.Revision, after.Version)
		}
	}
	renamed := b.patch(made.ID, workflow.ProfilePatch{Name: new("Letterbox")})
	if !renamed.Uploads.Enabled || len(renamed.Uploads.Origins) != 1 {
		t.Errorf("after another patch: got %s", asJSON(t, renamed.Uploads))
	}
}

func TestUploads_OneAnswerNamesAllFaults(t *testing.T) {
	b := setup(t)
	made := b.create(workflow.ProfileInput{Name: "Inbox"})
	many := `["` + strings.Repeat(`https://a.example","`, 20) + `https://a.example"]`
	for name, c := range map[string]struct {
		patch  string
		places []string
	}{
		"origins":         {`{"origins":["https://*.example","https://a.example/path","null"]}`, []string{"#/uploads/origins/0", "#/uploads/origins/1", "#/uploads/origins/2"}},
		"21 origins":      {`{"origins":` + many + `}`, []string{"#/uploads/origins"}},
		"redirects":       {`{"redirects":["javascript:alert(1)","https://a.example/#b","https://u:p@a.example/","https://a.example/ä","https://a.example/\r\nx: y","https://","//a.example"]}`, places("redirects", 7)},
		"21 redirects":    {`{"redirects":` + many + `}`, []string{"#/uploads/redirects"}},
		"content types":   {`{"content_types":["*/*","Video/mp4","video","video/mp4; a=b","",".mp4"]}`, places("content_types", 6)},
		"sizes":           {`{"max_size":0,"quota_bytes":-1}`, []string{"#/uploads/max_size", "#/uploads/quota_bytes"}},
		"beyond a double": {`{"max_size":9007199254740992}`, []string{"#/uploads/max_size"}},
		"no object":       {`[]`, []string{"#/uploads"}},
		"another form":    {`{"enabled":"yes"}`, []string{"#/uploads"}},
	} {
		_, err := b.profiles.PatchProfile(b.ctx, made.ID, uploadsPatch(c.patch), nil)
		t.Log(name)
		wantFaults(t, err, problem.InvalidInput, c.places...)
	}
}

func places(list string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("#/uploads/%s/%d", list, i))
	}
	return all
}

func TestCopyProfile_CopiesTheSettingsOfUploadsAndNoSecret(t *testing.T) {
	b := setup(t)
	made := b.create(workflow.ProfileInput{Name: "Inbox", Uploads: workflow.Uploads{Enabled: true}})
	if _, _, err := b.profiles.RotateSecret(b.ctx, made.ID, workflow.UploadsSecret, false); err != nil {
		t.Fatal(err)
	}
	copied, err := b.profiles.CopyProfile(b.ctx, made.ID, "Copy")
	if err != nil || !copied.Uploads.Enabled || copied.OldUploadSecretUntil != nil {
		t.Errorf("got %s, %v", asJSON(t, copied), err)
	}
	if terms, err := b.profiles.UploadTerms(b.ctx, copied.ID); err != nil || terms.Secret != "" || !terms.Enabled {
		t.Errorf("the copy has a secret: %v, %v", terms.Secret != "", err)
	}
	var versions string
	err = b.pool.QueryRow(b.ctx, `SELECT coalesce(string_agg(v::text, ''), '') FROM workflow_profile_version v`).Scan(&versions)
	if err != nil || strings.Contains(versions, "icu_") {
		t.Errorf("the versions have a secret: %s, %v", versions, err)
	}
}

func TestCheckProfile_WarnsOfUploadsThatNobodyCanSignOrThatStayUnplayable(t *testing.T) {
	b := setup(t)
	made := b.create(workflow.ProfileInput{Name: "Inbox", Uploads: workflow.Uploads{Enabled: true}})
	warnings := func() (at string) {
		for _, p := range b.check(made.ID).Problems {
			if p.Severity == workflow.Warning && (p.Pointer == "#/uploads/enabled" || p.Pointer == "#/actions") {
				at += p.Pointer + " "
			}
		}
		return at
	}
	if got := warnings(); got != "#/actions #/uploads/enabled " {
		t.Errorf("without a secret and actions: warnings at %s", got)
	}
	if _, _, err := b.profiles.RotateSecret(b.ctx, made.ID, workflow.UploadsSecret, false); err != nil {
		t.Fatal(err)
	}
	b.patch(made.ID, workflow.ProfilePatch{Actions: &[]machine.Action{{Key: "process", Kind: machine.Process}}})
	if got := warnings(); got != "" {
		t.Errorf("with both: warnings at %s", got)
	}
}

func TestRotateSecret_OfUploadsDoesNotTouchThatOfTasks(t *testing.T) {
	b := setup(t)
	made := b.create(b.newsroom())
	tasks := *b.hooks.synced[0].Secret
	shown, until, err := b.profiles.RotateSecret(b.ctx, made.ID, workflow.UploadsSecret, false)
	if err != nil || until != nil || !strings.HasPrefix(shown, "icu_") || len(b.hooks.synced) != 1 {
		t.Errorf("the first one: got until %v, %v, and %d times new hooks", until, err, len(b.hooks.synced))
	}
	second, until, err := b.profiles.RotateSecret(b.ctx, made.ID, workflow.UploadsSecret, false)
	if err != nil || until == nil || second == shown {
		t.Errorf("the second one: got until %v, %v", until, err)
	}
	after, err := b.profiles.Profile(b.ctx, made.ID)
	if err != nil || after.Revision != 3 || after.Version != 1 || after.OldSecretUntil != nil || after.OldUploadSecretUntil == nil {
		t.Errorf("got %s, %v", asJSON(t, after), err)
	}
	if _, _, err := b.profiles.RotateSecret(b.ctx, made.ID, workflow.TasksSecret, false); err != nil {
		t.Fatal(err)
	}
	if last := b.hooks.synced[len(b.hooks.synced)-1]; *last.OldSecret != tasks {
		t.Error("the secret of tasks has changed with that of uploads")
	}
	terms, err := b.profiles.UploadTerms(b.ctx, made.ID)
	if err != nil || terms.Secret != second || terms.OldSecret != shown || !terms.OldSecretUntil.Equal(*until) {
		t.Errorf("the terms have other secrets, %v", err)
	}
	if _, until, err = b.profiles.RotateSecret(b.ctx, made.ID, workflow.UploadsSecret, true); err != nil || until != nil {
		t.Errorf("revoked: got until %v, %v", until, err)
	}
	if terms, err = b.profiles.UploadTerms(b.ctx, made.ID); err != nil || terms.OldSecret != "" {
		t.Errorf("a revoked secret is valid, %v", err)
	}
	_, _, err = b.profiles.RotateSecret(b.ctx, uuid.New(), workflow.UploadsSecret, false)
	if !problem.Is(err, problem.NotFound) {
		t.Errorf("an unknown profile: got %v", err)
	}
}
