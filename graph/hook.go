package graph

import (
	"maps"
	"slices"

	"itemcast/internal/optional"

	"itemcast/graph/internal/model"
	"itemcast/internal/hook"
	"itemcast/internal/mergepatch"
)

// settingsPatch writes hook settings as the merge patch that REST clients send.
func settingsPatch(input map[string]any) ([]byte, error) {
	patch := maps.Clone(input)
	for name, value := range input {
		switch value := value.(type) {
		case []model.HookEvent:
			patch[name] = eachOrNil(value, fromEvent)
		case []model.ItemField:
			patch[name] = eachOrNil(value, fromEnum[model.ItemField])
		case *model.HookBody:
			patch[name] = nil
			if value != nil {
				patch[name] = fromEnum(*value)
			}
		case []*model.HookHeader:
			if value == nil {
				patch[name] = nil
				continue
			}
			headers := make(map[string]*string, len(value))
			for _, h := range value {
				headers[h.Name] = h.Value
			}
			patch[name] = headers
		case *model.ItemFilter:
			patch[name] = toHookFilter(value)
		}
	}
	return mergepatch.FromInput(patch)
}

func toHookFilter(f *model.ItemFilter) *hook.Filter {
	if f == nil {
		return nil
	}
	filter := toFilter(f)
	return &hook.Filter{
		Search: filter.Search, Tags: filter.Tags, Type: filter.Types, Privacy: filter.Privacies,
		WorkflowStatus: filter.WorkflowStatuses, CreatedAfter: filter.CreatedAfter, CreatedBefore: filter.CreatedBefore,
		UpdatedAfter: filter.UpdatedAfter, Metadata: filter.Metadata,
	}
}

func toHook(h hook.Hook) *model.Hook {
	shown := &model.Hook{
		ID: h.ID, URL: h.URL, Description: h.Description, Events: each(h.Events, toEnum[model.HookEvent]),
		HeaderNames: slices.Sorted(maps.Keys(h.Headers)), Body: toEnum[model.HookBody](h.Body),
		RateLimit: toInt64(h.RateLimit), MaxInFlight: toInt64(h.MaxInFlight), Active: h.Active,
		DisabledReason: h.DisabledReason, OldSecretUntil: h.OldSecretUntil, LastSuccessAt: h.LastSuccessAt,
		LastFailureAt: h.LastFailureAt, FailingSince: h.FailingSince, LastError: h.LastError, Pending: h.Pending,
		CreatedAt: h.CreatedAt, UpdatedAt: h.UpdatedAt, Revision: h.Revision,
	}
	if h.ChangedFields != nil {
		shown.ChangedFields = each(h.ChangedFields, toEnum[model.ItemField])
	}
	if shown.HeaderNames == nil {
		shown.HeaderNames = []string{}
	}
	if f := h.Filter; f != nil {
		shown.Filter = &model.HookFilter{
			Search: optional.OrNil(f.Search), Tags: f.Tags, Types: f.Type, Privacies: f.Privacy,
			WorkflowStatuses: f.WorkflowStatus,
			CreatedAfter:     f.CreatedAfter, CreatedBefore: f.CreatedBefore, UpdatedAfter: f.UpdatedAfter,
		}
		for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
			criterion := &model.HookMetadataCriterion{Key: key, Value: f.Metadata[key]}
			shown.Filter.Metadata = append(shown.Filter.Metadata, criterion)
		}
	}
	return shown
}

func toReplay(r hook.Replay) *model.HookReplay {
	return &model.HookReplay{
		ID: r.ID, From: r.From, Position: r.Position, To: r.To, Since: r.Since, Rate: int64(r.Rate), LookedAt: r.Done,
		Size: r.Size, Deliveries: r.Deliveries, StartedAt: r.StartedAt, EndedAt: r.EndedAt, Error: r.Error,
	}
}
