package graph

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"itemcast/graph/internal/model"
	"itemcast/internal/hook"
)

// settingNames are the fields of CreateHookInput and UpdateHookInput whose names the contract spells otherwise.
var settingNames = map[string]string{"changedFields": "changed_fields", "rateLimit": "rate_limit", "maxInFlight": "max_in_flight"}

// settingsPatches writes what was given of a hook's settings as the merge patches that REST clients send. A filter
// takes the place of the one that there is, and so goes before it comes.
func settingsPatches(input map[string]any) ([][]byte, error) {
	patch := make(map[string]any, len(input))
	for name, value := range input {
		if spelled, ok := settingNames[name]; ok {
			name = spelled
		}
		switch value := value.(type) {
		case []model.HookEvent:
			patch[name] = eachOrNil(value, toEvent)
		case []model.ItemField:
			patch[name] = eachOrNil(value, fromEnum[model.ItemField])
		case *model.HookBody:
			if value != nil {
				patch[name] = fromEnum(*value)
			} else {
				patch[name] = nil
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
		default:
			patch[name] = value
		}
	}
	var patches [][]byte
	if patch["filter"] != nil {
		patches = append(patches, []byte(`{"filter":null}`))
	}
	encoded, err := json.Marshal(patch)
	return append(patches, encoded), err
}

func toHookFilter(f *model.ItemFilter) *hook.Filter {
	if f == nil {
		return nil
	}
	of := toFilter(f)
	return &hook.Filter{Search: of.Search, Tags: of.Tags, Type: of.Types, Privacy: of.Privacies, WorkflowStatus: of.WorkflowStatuses,
		CreatedAfter: of.CreatedAfter, CreatedBefore: of.CreatedBefore, UpdatedAfter: of.UpdatedAfter, Metadata: of.Metadata}
}

func toHook(h hook.Hook) *model.Hook {
	shown := &model.Hook{ID: h.ID, URL: h.URL, Description: h.Description, Events: each(h.Events, toEnum[model.HookEvent]),
		HeaderNames: slices.Sorted(maps.Keys(h.Headers)), Body: toEnum[model.HookBody](h.Body), RateLimit: toInt64(h.RateLimit),
		MaxInFlight: toInt64(h.MaxInFlight), Active: h.Active, DisabledReason: h.DisabledReason, OldSecretUntil: h.OldSecretUntil,
		LastSuccessAt: h.LastSuccessAt, LastFailureAt: h.LastFailureAt, FailingSince: h.FailingSince, LastError: h.LastError, Pending: h.Pending,
		CreatedAt: h.CreatedAt, UpdatedAt: h.UpdatedAt}
	if h.ChangedFields != nil {
		shown.ChangedFields = each(h.ChangedFields, toEnum[model.ItemField])
	}
	if shown.HeaderNames == nil {
		shown.HeaderNames = []string{}
	}
	if f := h.Filter; f != nil {
		shown.Filter = &model.HookFilter{Search: orNil(f.Search), Tags: f.Tags, Types: f.Type, Privacies: f.Privacy, WorkflowStatuses: f.WorkflowStatus,
			CreatedAfter: f.CreatedAfter, CreatedBefore: f.CreatedBefore, UpdatedAfter: f.UpdatedAfter}
		for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
			shown.Filter.Metadata = append(shown.Filter.Metadata, &model.HookMetadataCriterion{Key: key, Value: f.Metadata[key]})
		}
	}
	return shown
}

func toReplay(r hook.Replay) *model.HookReplay {
	return &model.HookReplay{ID: r.ID, From: r.From, Position: r.Position, To: r.To, Since: r.Since, Rate: int64(r.Rate), LookedAt: r.Done,
		Size: r.Size, Deliveries: r.Deliveries, StartedAt: r.StartedAt, EndedAt: r.EndedAt, Error: r.Error}
}

func toDelivery(d hook.Delivery) *model.Delivery {
	shown := &model.Delivery{ID: d.ID, HookID: d.HookID, ItemID: d.ItemID, Cursor: d.Cursor, Event: toEnum[model.HookEvent](d.Event), Trigger: d.Trigger,
		Revision: d.Revision, State: toEnum[model.DeliveryState](string(d.State)), NextAttemptAt: d.NextAttemptAt, AttemptCount: int64(d.Attempts),
		LastAttemptAt: d.LastAttemptAt, LastStatus: toInt64(d.LastStatus), LastFault: d.LastFault, LastError: d.LastError, CreatedAt: d.CreatedAt,
		OccurredAt: d.OccurredAt}
	if d.WaitsFor != nil {
		shown.WaitsFor = new(toEnum[model.DeliveryWait](string(*d.WaitsFor)))
	}
	return shown
}

func toDeliveryAttempt(a hook.Attempt) *model.DeliveryAttempt {
	shown := &model.DeliveryAttempt{Number: int64(a.Number), At: a.At, Trigger: a.Trigger, Succeeded: a.Succeeded, Status: toInt64(a.Status),
		Fault: a.Fault, Error: a.Error, Response: a.Response}
	if a.Duration != nil {
		shown.Duration = new(milliseconds(*a.Duration))
	}
	return shown
}

// deliveries is a page of deliveries.
func (r *Resolver) deliveries(ctx context.Context, filter hook.DeliveryFilter, first int64, after *string) (*model.DeliveryConnection, error) {
	if err := checkFirst(first); err != nil {
		return nil, err
	}
	deliveries, next, err := r.Hooks.Deliveries(ctx, filter, int(first), orZero(after))
	if err != nil {
		return nil, err
	}
	return &model.DeliveryConnection{Nodes: each(deliveries, toDelivery), PageInfo: oneWay(after, next)}, nil
}

func toState(state *model.DeliveryState) hook.State {
	if state == nil {
		return ""
	}
	return hook.State(fromEnum(*state))
}

func toInt64[T int | int32](n *T) *int64 {
	if n == nil {
		return nil
	}
	return new(int64(*n))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func each[From, To any](values []From, convert func(From) To) []To {
	out := make([]To, len(values))
	for i, value := range values {
		out[i] = convert(value)
	}
	return out
}

// eachOrNil is each, but that null stays null.
func eachOrNil[From, To any](values []From, convert func(From) To) []To {
	if values == nil {
		return nil
	}
	return each(values, convert)
}

// orNil is a pointer to a value; nil to a zero one.
func orNil[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}
