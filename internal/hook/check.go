package hook

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
	"itemcast/internal/item"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

// Limits of Settings, as in the contract.
const (
	maxDescription = 1000 // characters
	maxRate        = 1000 // requests a second
	maxInFlight    = 64   // concurrent requests
)

const eventChoice = "must be item.created, item.updated, item.deleted or item.triggered"

// checked returns the settings with their defaults and the normal form of the URL, or an error with every fault:
// RULE_VIOLATED when the only fault is that hooks may not reach the URL, and else INVALID_INPUT.
func (s Settings) checked(
	ctx context.Context, pool *pgxpool.Pool, accountID uuid.UUID, reach egress.Policy,
) (Settings, error) {
	var faults problem.Faults
	normal, malformed, refusal := reach.CheckURL(s.URL)
	faults.At("#/url", malformed)
	if refusal != nil {
		faults.At("#/url", refusal.Error())
	}
	s.Description = plaintext.Composed(s.Description)
	faults.At("#/description", validate.Text(s.Description, 0, maxDescription))
	s.checkSelection(&faults)
	s.checkSending(&faults)
	if s.Filter != nil {
		wrong, err := item.FilterFaults(ctx, pool, accountID, *s.Filter)
		if err != nil {
			return Settings{}, err
		}
		faults.Add(wrong...)
	}
	if len(faults) == 1 && refusal != nil {
		return Settings{}, faults.Err(problem.RuleViolated)
	}
	if err := faults.Err(problem.InvalidInput); err != nil {
		return Settings{}, err
	}
	s.URL = normal
	return s.withDefaults(), nil
}

func (s Settings) checkSelection(faults *problem.Faults) {
	if s.Events != nil && len(s.Events) == 0 {
		faults.At("#/events", "must name at least one; by default it is item.updated, item.deleted and item.triggered")
	}
	for i, event := range s.Events {
		pointer := fmt.Sprintf("#/events/%d", i)
		if !isEvent(event) {
			faults.At(pointer, eventChoice)
		} else if slices.Contains(s.Events[:i], event) {
			faults.At(pointer, "must not occur twice")
		}
	}
	for i, field := range s.ChangedFields {
		if !item.CanChange(field) {
			faults.At(fmt.Sprintf("#/changed_fields/%d", i), "must be a field of an item that can change")
		}
	}
}

func (s Settings) checkSending(faults *problem.Faults) {
	if !slices.Contains([]string{"", FullBody, ThinBody}, s.Body) {
		faults.At("#/body", "must be full or thin")
	}
	if s.RateLimit != nil && (*s.RateLimit < 1 || *s.RateLimit > maxRate) {
		faults.At("#/rate_limit", fmt.Sprintf("must be from 1 to %d requests a second, or null for no limit", maxRate))
	}
	if s.MaxInFlight != nil && (*s.MaxInFlight < 1 || *s.MaxInFlight > maxInFlight) {
		faults.At("#/max_in_flight", fmt.Sprintf("must be from 1 to %d requests at a time, or null", maxInFlight))
	}
	faults.Add(sending.HeaderFaults(s.Headers, "headers")...)
}
