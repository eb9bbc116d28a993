package workflow

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
	"itemcast/internal/plaintext"
	"itemcast/internal/strictjson"
	"itemcast/internal/workflow/machine"
)

// ProfileInput holds the fields of a new profile.
type ProfileInput struct {
	Name        string
	Description string
	RoleIDs     []uuid.UUID // empty: all roles
	Actions     []machine.Action
	Tasks       []machine.Task
	Uploads     Uploads
}

// ProfilePatch is a merge patch that mergepatch.Read has decoded: nil leaves a field as it is. Actions and tasks are
// replaced as a whole; a header with the value *** keeps the value that the task with the same key has. Uploads is a
// merge patch of Uploads.
type ProfilePatch struct {
	Name        *string           `json:"name"`
	Description *string           `json:"description"`
	RoleIDs     *[]uuid.UUID      `json:"role_ids"`
	Actions     *[]machine.Action `json:"actions"`
	Tasks       *[]machine.Task   `json:"tasks"`
	Uploads     json.RawMessage   `json:"uploads"`
}

// given tells which fields of an input the client has written.
type given struct{ name, roles, actions, tasks, uploads bool }

func (in ProfileInput) definition() machine.Definition {
	return machine.Definition{Actions: in.Actions, Tasks: in.Tasks}
}

func (in ProfileInput) normalized() ProfileInput {
	in.Name, in.Description = plaintext.Composed(strings.TrimSpace(in.Name)), plaintext.Composed(in.Description)
	in.RoleIDs = unique(in.RoleIDs)
	in.Actions, in.Tasks = normalActions(in.Actions), normalTasks(in.Tasks)
	return in
}

// applied returns a profile's input with the patch applied. It adds to f the faults of masked headers, and of settings
// of uploads that are no object.
func (p ProfilePatch) applied(before stored, f *findings) (ProfileInput, given) {
	in := ProfileInput{Name: before.Name, Description: before.Description, RoleIDs: before.RoleIDs,
		Actions: before.definition.Actions, Tasks: before.definition.Tasks, Uploads: before.Uploads}
	if p.Name != nil {
		in.Name = plaintext.Composed(strings.TrimSpace(*p.Name))
	}
	if p.Description != nil {
		in.Description = plaintext.Composed(*p.Description)
	}
	if p.RoleIDs != nil {
		in.RoleIDs = unique(*p.RoleIDs)
	}
	if p.Actions != nil {
		in.Actions = normalActions(*p.Actions)
	}
	if p.Tasks != nil {
		in.Tasks = normalTasks(*p.Tasks)
	}
	part := given{name: in.Name != before.Name, roles: p.RoleIDs != nil, actions: p.Actions != nil, tasks: p.Tasks != nil}
	if p.Uploads != nil {
		uploads, err := before.Uploads.patchedBy(p.Uploads)
		if err != nil {
			f.contract("#/uploads", "must be an object with the settings of uploads")
		} else {
			in.Uploads, part.uploads = uploads, true
		}
	}
	if part.tasks {
		unmask(in.Tasks, before.definition.Tasks, f)
	}
	return in, part
}

// unmask replaces the masked values of headers by those of the tasks with the same keys. before is empty for a new
// profile.
func unmask(tasks, before []machine.Task, f *findings) {
	for i, t := range tasks {
		var old machine.Task
		if at := slices.IndexFunc(before, func(b machine.Task) bool { return b.Key == t.Key }); at >= 0 {
			old = before[at]
		}
		isMasked := func(name string) bool { return t.Headers[name] == sending.Masked }
		moved := old.URL != "" && egress.Origin(old.URL) != egress.Origin(t.URL)
		f.add(sending.Unmask(t.Headers, old.Headers, isMasked, moved, "tasks", fmt.Sprint(i), "headers"))
	}
}

func taskPointer(i int, path ...string) string {
	return strictjson.Pointer(append([]string{"tasks", fmt.Sprint(i)}, path...)...)
}

func actionPointer(i int, path ...string) string {
	return strictjson.Pointer(append([]string{"actions", fmt.Sprint(i)}, path...)...)
}

// unique returns the values in their order, each once.
func unique[T comparable](values []T) []T {
	seen, out := map[T]bool{}, []T{}
	for _, v := range values {
		if !seen[v] {
			seen[v], out = true, append(out, v)
		}
	}
	return out
}
