package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"itemcast/internal/hook/sending"
	"itemcast/internal/plaintext"
	"itemcast/internal/workflow/machine"
)

// Task is a task as profiles show it.
type Task struct {
	Key     string            `json:"key"`
	Name    string            `json:"name"`
	At      machine.TaskTime  `json:"at"`
	Action  *string           `json:"action"`
	Kind    string            `json:"kind"`
	URL     *string           `json:"url"`     // nil for a reader without workflows.manage
	Headers map[string]string `json:"headers"` // masked; nil for a reader without workflows.manage
	Wait    bool              `json:"wait"`
}

// shownTasks returns tasks as a reader sees them.
func shownTasks(tasks []machine.Task, manages bool) []Task {
	shown := make([]Task, len(tasks))
	for i, t := range tasks {
		shown[i] = Task{Key: t.Key, Name: t.Name, At: t.At, Action: t.Action, Kind: t.Kind, Wait: t.Wait}
		if manages {
			shown[i].URL, shown[i].Headers = &t.URL, sending.MaskedHeaders(t.Headers)
		}
	}
	return shown
}

func decodeDefinition(actions, tasks []byte) (d machine.Definition, err error) {
	if err := json.Unmarshal(actions, &d.Actions); err != nil {
		return d, fmt.Errorf("decode the actions of a workflow profile: %w", err)
	}
	if err := json.Unmarshal(tasks, &d.Tasks); err != nil {
		return d, fmt.Errorf("decode the tasks of a workflow profile: %w", err)
	}
	return d, nil
}

// columns are a definition as its table stores it.
type columns struct{ actions, tasks json.RawMessage }

func encodeDefinition(d machine.Definition) (c columns, err error) {
	if c.actions, err = json.Marshal(d.Actions); err != nil {
		return c, fmt.Errorf("encode actions: %w", err)
	}
	if c.tasks, err = json.Marshal(d.Tasks); err != nil {
		return c, fmt.Errorf("encode tasks: %w", err)
	}
	return c, nil
}

// masked returns a definition without the values of headers.
func masked(d machine.Definition) machine.Definition {
	tasks := make([]machine.Task, len(d.Tasks))
	for i, t := range d.Tasks {
		t.Headers = sending.MaskedHeaders(t.Headers)
		tasks[i] = t
	}
	return machine.Definition{Actions: d.Actions, Tasks: tasks}
}

// The defaults of settings.
const (
	defaultPrivacy = "public"
	defaultTag     = "archived"
)

func normalActions(given []machine.Action) []machine.Action {
	actions := make([]machine.Action, len(given))
	for i, a := range given {
		a.Name, a.RoleIDs = nameOr(a.Name, a.Key), unique(a.RoleIDs)
		s := &a.Settings
		if s.Tags != nil {
			s.Tags = normalTags(s.Tags)
		}
		switch {
		case a.Kind.NeedsPerson() && s.Deadline != nil && s.OnDeadline == nil:
			s.OnDeadline = new(machine.Fail)
		case a.Kind == machine.Publish && s.Privacy == nil:
			s.Privacy = new(defaultPrivacy)
		case a.Kind == machine.Archive && s.Tags == nil:
			s.Tags = []string{defaultTag}
		}
		actions[i] = a
	}
	return actions
}

func normalTags(given []string) []string {
	tags := make([]string, len(given))
	for i, tag := range given {
		tags[i] = plaintext.Composed(strings.TrimSpace(tag))
	}
	return tags
}

func normalTasks(given []machine.Task) []machine.Task {
	tasks := make([]machine.Task, len(given))
	for i, t := range given {
		t.Name = nameOr(t.Name, t.Key)
		if t.Kind == "" {
			t.Kind = machine.HTTPPost
		}
		headers := make(map[string]string, len(t.Headers))
		maps.Copy(headers, t.Headers)
		t.Headers = headers
		tasks[i] = t
	}
	return tasks
}

// nameOr returns the stored form of a name; without a name, the key.
func nameOr(name, key string) string {
	if name = plaintext.Composed(strings.TrimSpace(name)); name == "" {
		return key
	}
	return name
}
