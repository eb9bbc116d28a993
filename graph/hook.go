package graph

import (
	"maps"
	"slices"

	"itemcast/internal/optional"

	"itemcast/graph/internal/model"
	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/mergepatch"
)

// settingsPatch writes the settings of a hook or an access token as the merge patch that REST clients send.
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
			patch[name] = storedFilter(value)
		}
	}
	return mergepatch.FromInput(patch)
}

func storedFilter(f *model.ItemFilter) *item.Filter {
	if f == nil {
		return nil
	}
	return new(toFilter(f))
}

// shownFilter returns a stored filter as hooks and access tokens show it.
func shownFilter(f *item.Filter) *model.HookFilter {
	if f == nil {
		return nil
	}
	shown := &model.HookFilter{
		Search: optional.OrNil(f.Search), Tags: f.Tags, Types: f.Types, Privacies: f.Privacies,
		WorkflowStatuses: f.WorkflowStatuses,
		CreatedAfter:     f.CreatedAfter, CreatedBefore: f.CreatedBefore, UpdatedAfter: f.UpdatedAfter,
	}
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		criterion := &model.HookMetadataCriterion{Key: key, Value: f.Metadata[key]}
		shown.Metadata = append(shown.Metadata, criterion)
	}
	return shown
}

func toHook(h hook.Hook) *model.Hook {
	shown := &model.Hook{
		ID: h.ID, URL: h.URL, Description: h.Description, Events: each(h.Events, toEnum[model.HookEvent]),
		HeaderNames: slices.Sorted(maps.Keys(h.Headers)), Body: toEnum[model.HookBody](h.Body),
		RateLimit: toInt64(h.RateLimit), MaxInFlight: toInt64(h.MaxInFlight), Active: h.Active,
		DisabledReason: h.DisabledReason, Filter: shownFilter(h.Filter),
		OldSecretUntil: h.OldSecretUntil, LastSuccessAt: h.LastSuccessAt,
		LastFailureAt: h.LastFailureAt, FailingSince: h.FailingSince, LastError: h.LastError, Pending: h.Pending,
		CreatedAt: h.CreatedAt, UpdatedAt: h.UpdatedAt, Revision: h.Revision,
	}
	if h.ChangedFields != nil {
		shown.ChangedFields = each(h.ChangedFields, toEnum[model.ItemField])
	}
	if shown.HeaderNames == nil {
		shown.HeaderNames = []string{}
	}
	return shown
}

func toReplay(r hook.Replay) *model.HookReplay {
	return &model.HookReplay{
		ID: r.ID, From: r.From, Position: r.Position, To: r.To, Since: r.Since, Rate: int64(r.Rate), LookedAt: r.Done,
		Size: r.Size, Deliveries: r.Deliveries, StartedAt: r.StartedAt, EndedAt: r.EndedAt, Error: r.Error,
	}
}
