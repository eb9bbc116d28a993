package live

import (
	"context"

	"itemcast/internal/change"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// RecentSpan is how many of the log's newest changes Recent examines: as many as one statement reads.
const RecentSpan = readBatch

// Recent returns those of the log's newest changes that pass a filter, oldest first, and a cursor of the last one that
// it examined, after which a subscription continues. Errors: INVALID_INPUT, and those of account.Authorize.
func (h *Hub) Recent(
	ctx context.Context, filter *item.Filter, kinds []Kind,
) (events []*Event, cursor string, err error) {
	s, err := h.Subscribe(ctx, "", filter, kinds)
	if err != nil {
		return nil, "", err
	}
	head := s.position
	for span := change.Position(RecentSpan); ; span /= 2 {
		s.position, s.pending = max(0, head-span), nil
		events, err = s.upTo(ctx, head)
		if !problem.Is(err, problem.CursorExpired) || span == 0 { // the log has dropped a part of the span
			return events, s.Checkpoint(), err
		}
	}
}

// upTo returns the events up to a position.
func (s *Subscription) upTo(ctx context.Context, head change.Position) (events []*Event, err error) {
	for s.position < head {
		event, examined, err := s.step(ctx)
		if err != nil || !examined {
			return events, err
		}
		if event != nil {
			events = append(events, event)
		}
	}
	return events, nil
}
