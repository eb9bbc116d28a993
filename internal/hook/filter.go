package hook

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/item"
)

// Filter selects the items whose changes a hook receives. It is item.Filter as clients write it.
type Filter struct {
	Search         string            `json:"search,omitempty"`
	Tags           []string          `json:"tags,omitempty"`
	Type           []item.ItemType   `json:"type,omitempty"`
	Privacy        []item.Privacy    `json:"privacy,omitempty"`
	WorkflowStatus []string          `json:"workflow_status,omitempty"`
	CreatedAfter   *time.Time        `json:"created_after,omitempty"`
	CreatedBefore  *time.Time        `json:"created_before,omitempty"`
	UpdatedAfter   *time.Time        `json:"updated_after,omitempty"`
	Metadata       map[string]string `json:"metadata,omitempty"`
}

// matcher compiles the filter. Error: INVALID_INPUT with every fault, such as a metadata field that does not exist.
func (f *Filter) matcher(ctx context.Context, pool *pgxpool.Pool, accountID uuid.UUID) (*item.Matcher, error) {
	return item.NewMatcher(ctx, pool, accountID, item.Filter{
		Search: f.Search, Tags: f.Tags, Types: f.Type, Privacies: f.Privacy, WorkflowStatuses: f.WorkflowStatus,
		CreatedAfter: f.CreatedAfter, CreatedBefore: f.CreatedBefore, UpdatedAfter: f.UpdatedAfter,
		Metadata: f.Metadata,
	})
}

func decodeFilter(raw []byte) (*Filter, error) {
	if raw == nil {
		return nil, nil
	}
	var f Filter
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("decode filter: %w", err)
	}
	return &f, nil
}
