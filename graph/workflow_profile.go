package graph

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"itemcast/graph/internal/model"
	"itemcast/internal/hook/sending"
	"itemcast/internal/item"
	"itemcast/internal/mergepatch"
	"itemcast/internal/optional"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

func toWorkflowProfile(p workflow.Profile) *model.WorkflowProfile {
	return &model.WorkflowProfile{
		ID: p.ID, Name: p.Name, Description: p.Description, RoleIds: p.RoleIDs, Version: int64(p.Version),
		Actions: each(p.Actions, toWorkflowAction), Tasks: each(p.Tasks, toWorkflowTask), Uploads: &p.Uploads,
		OldSecretUntil: p.OldSecretUntil, OldUploadSecretUntil: p.OldUploadSecretUntil, CreatedAt: p.CreatedAt,
		UpdatedAt: p.UpdatedAt, Revision: p.Revision,
	}
}

func toWorkflowVersion(v workflow.Version) *model.WorkflowProfileVersion {
	return &model.WorkflowProfileVersion{
		Version: int64(v.Version), Actions: each(v.Actions, toWorkflowAction), Tasks: each(v.Tasks, toWorkflowTask),
		CreatedAt: v.CreatedAt,
	}
}

func toWorkflowAction(a machine.Action) *model.WorkflowAction {
	s := a.Settings
	return &model.WorkflowAction{
		Key: a.Key, Kind: toEnum[model.WorkflowActionKind](string(a.Kind)), Name: a.Name, RoleIds: a.RoleIDs,
		Settings: &model.WorkflowActionSettings{
			RemindAfter: toInt64(s.RemindAfter), Deadline: toInt64(s.Deadline),
			OnDeadline: optional.Map(s.OnDeadline, toEnum[model.WorkflowDeadlineEffect]),
			Privacy:    optional.Map(s.Privacy, func(p string) item.Privacy { return item.Privacy(p) }), Tags: s.Tags,
		},
	}
}

func toWorkflowTask(t workflow.Task) *model.WorkflowTask {
	shown := &model.WorkflowTask{
		Key: t.Key, Name: t.Name, At: toEnum[model.WorkflowTaskTime](string(t.At)), Action: t.Action,
		Kind: toEnum[model.WorkflowTaskKind](t.Kind), URL: t.URL, Wait: t.Wait,
	}
	if t.Headers != nil {
		shown.HeaderNames = slices.AppendSeq([]string{}, maps.Keys(t.Headers))
		slices.Sort(shown.HeaderNames)
	}
	return shown
}

func toWorkflowCheck(d workflow.DryRun) *model.WorkflowProfileCheck {
	shown := &model.WorkflowProfileCheck{Version: int64(d.Version)}
	shown.Steps = each(d.Steps, func(s workflow.Step) *model.WorkflowProfileStep {
		step := &model.WorkflowProfileStep{
			Pointer: s.Pointer, Key: s.Key, Name: s.Name, Roles: s.Roles, URL: optional.OrNil(s.URL), Waits: s.Waits,
			Effect: s.Effect,
		}
		if s.Action != "" {
			step.ActionKind = new(toEnum[model.WorkflowActionKind](string(s.Action)))
		}
		if s.Task != "" {
			step.TaskAt = new(toEnum[model.WorkflowTaskTime](string(s.Task)))
		}
		return step
	})
	shown.Problems = each(d.Problems, func(p workflow.Problem) *model.WorkflowProfileProblem {
		severity := toEnum[model.WorkflowProblemSeverity](string(p.Severity))
		return &model.WorkflowProfileProblem{Pointer: p.Pointer, Severity: severity, Detail: p.Detail}
	})
	return shown
}

// profilePatch reads an update of a profile as the merge patch that REST clients send.
func profilePatch(input map[string]any) (workflow.ProfilePatch, error) {
	patch := maps.Clone(input)
	for name, value := range input {
		switch value := value.(type) {
		case []*model.WorkflowActionInput:
			patch[name] = eachOrNil(value, fromWorkflowAction)
		case []*model.WorkflowTaskInput:
			patch[name] = eachOrNil(value, fromWorkflowTask)
		case map[string]any: // uploads
			nested, err := nestedPatch(value)
			if err != nil {
				return workflow.ProfilePatch{}, err
			}
			patch[name] = nested
		}
	}
	return readPatch[workflow.ProfilePatch](patch)
}

func fromWorkflowUploads(input map[string]any) (uploads workflow.Uploads, err error) {
	raw, err := mergepatch.FromInput(input)
	if err != nil {
		return uploads, err
	}
	if err := json.Unmarshal(raw, &uploads); err != nil {
		return uploads, fmt.Errorf("read the uploads of a workflow profile: %w", err)
	}
	return uploads, nil
}

func fromWorkflowAction(in *model.WorkflowActionInput) machine.Action {
	s := optional.OrZero(in.Settings)
	toInt := func(n int64) int { return int(n) }
	return machine.Action{
		Key: in.Key, Kind: machine.ActionKind(fromEnum(in.Kind)), Name: optional.OrZero(in.Name), RoleIDs: in.RoleIds,
		Settings: machine.Settings{
			RemindAfter: optional.Map(s.RemindAfter, toInt), Deadline: optional.Map(s.Deadline, toInt),
			OnDeadline: optional.Map(s.OnDeadline, fromEnum[model.WorkflowDeadlineEffect]),
			Privacy:    optional.Map(s.Privacy, func(p item.Privacy) string { return string(p) }), Tags: s.Tags,
		},
	}
}

func fromWorkflowTask(in *model.WorkflowTaskInput) machine.Task {
	headers := make(map[string]string, len(in.Headers))
	for _, h := range in.Headers {
		headers[h.Name] = optional.Or(h.Value, sending.Masked)
	}
	return machine.Task{
		Key: in.Key, Name: optional.OrZero(in.Name), At: machine.TaskTime(fromEnum(in.At)), Action: in.Action,
		Kind: fromEnum(cmp.Or(optional.OrZero(in.Kind), model.WorkflowTaskKindHTTPPost)), URL: in.URL, Headers: headers,
		Wait: optional.OrZero(in.Wait),
	}
}
