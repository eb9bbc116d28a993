package item

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
	"itemcast/internal/search"
	"itemcast/internal/validate"
)

// Filter selects items that meet all its criteria. A zero criterion is met by every item. Hooks and access tokens store
// its JSON, which is also what clients write.
type Filter struct {
	Search           string            `json:"search,omitzero"` // as search.Parse reads it: words, "a phrase", or, -word
	Tags             []string          `json:"tags,omitzero"`
	Types            []ItemType        `json:"type,omitzero"`
	Privacies        []Privacy         `json:"privacy,omitzero"`
	WorkflowStatuses []string          `json:"workflow_status,omitzero"`
	CreatedAfter     *time.Time        `json:"created_after,omitzero"`
	CreatedBefore    *time.Time        `json:"created_before,omitzero"`
	UpdatedAfter     *time.Time        `json:"updated_after,omitzero"`
	Metadata         map[string]string `json:"metadata,omitempty"` // as text; the field's kind says how to read it
}

// IsZero reports whether the filter has no criteria.
func (f Filter) IsZero() bool {
	return f.Search == "" && len(f.Tags)+len(f.Types)+len(f.Privacies)+len(f.WorkflowStatuses)+len(f.Metadata) == 0 &&
		f.CreatedAfter == nil && f.CreatedBefore == nil && f.UpdatedAfter == nil
}

// ParseFilter decodes a stored filter; nil stands for none. Error: when the JSON is not a filter's.
func ParseFilter(stored []byte) (*Filter, error) {
	if stored == nil {
		return nil, nil
	}
	var f Filter
	if err := json.Unmarshal(stored, &f); err != nil {
		return nil, fmt.Errorf("decode a filter: %w", err)
	}
	return &f, nil
}

// FilterFaults returns the faults of a filter that is the member filter of a body, such as a metadata field that does
// not exist.
func FilterFaults(ctx context.Context, pool *pgxpool.Pool, account uuid.UUID, f Filter) (problem.Faults, error) {
	_, err := NewMatcher(ctx, pool, account, f)
	if !problem.Is(err, problem.InvalidInput) {
		return nil, err
	}
	var faults problem.Faults
	for _, fault := range problem.Of(err).Faults {
		faults.At("#/filter/"+strings.Replace(fault.Parameter, ".", "/", 1), fault.Detail)
	}
	return faults, nil
}

// ListFields says where a client finds the metadata fields. The command line replaces it.
const ListFields = "GET /api/v1/metadata-fields lists them"

const (
	unknownCriterion = "must be a metadata field of this account: " + ListFields

	maxSearch     = 500 // characters, as in the contract
	maxIdleDashes = 16  // Postgres fails at 32: "tsquery stack too small". It still searches stale items.
)

// faults checks the texts and times that Postgres will compare with.
func (f *Filter) faults() (faults problem.Faults) {
	faults.Of("search", validate.Text(f.Search, 0, maxSearch))
	if idleDashes(f.Search) > maxIdleDashes {
		faults.Of("search", "has too many dashes that stand before no word")
	}
	check := func(parameter string, texts ...string) {
		for _, text := range texts {
			faults.Of(parameter, validate.Storable(text))
		}
	}
	check("tags", f.Tags...)
	check("workflow_status", f.WorkflowStatuses...)
	checkTime := func(parameter string, at *time.Time) {
		if at != nil {
			faults.Of(parameter, validate.Time(*at))
		}
	}
	checkTime("created_after", f.CreatedAfter)
	checkTime("created_before", f.CreatedBefore)
	checkTime("updated_after", f.UpdatedAfter)
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		check("metadata."+key, f.Metadata[key])
	}
	return faults
}

// idleDashes counts the dashes that exclude no word.
func idleDashes(search string) (n int) {
	idle := false
	for _, r := range search + " " {
		if idle && r != '"' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			n++
		}
		idle = r == '-'
	}
	return n
}

// listParams returns the parameters of a list's statement, for the items in sight that match a filter. Postgres leaves
// nil criteria out of the plan. Error: INVALID_INPUT.
func (s *Service) listParams(ctx context.Context, sight Sight, f Filter) (store.ListDocumentsParams, error) {
	f = f.composed()
	p := store.ListDocumentsParams{
		AccountID: sight.account, RoleID: sight.role, Tags: texts(f.Tags), Types: texts(f.Types),
		Privacies: texts(f.Privacies), WorkflowStatuses: texts(f.WorkflowStatuses), CreatedAfter: f.CreatedAfter,
		CreatedBefore: roundUp(f.CreatedBefore), UpdatedAfter: f.UpdatedAfter,
	}
	if err := f.faults().Err(problem.InvalidInput); err != nil {
		return p, err
	}
	p.DocumentVersion = s.version
	stale := !s.allRenewed.Load()
	if f.Search != "" {
		p.Search = new(search.Parse(f.Search).String())
		if stale {
			p.StaleSearch = &f.Search
		}
	}
	criteria, err := readCriteria(ctx, db.Read(ctx, s.pool), sight.account, f.Metadata)
	if err != nil {
		return p, err
	}
	if !sight.isWhole() {
		criteria = sight.filter.narrow(&p, criteria, stale)
	}
	if len(criteria) > 0 {
		p.Metadata, err = json.Marshal(criteria)
	}
	return p, err
}

// readCriteria returns the values to compare metadata with, in canonical form; nil without any. Error: INVALID_INPUT
// for metadata without a field.
func readCriteria(
	ctx context.Context, q db.Querier, account uuid.UUID, wanted map[string]string,
) (map[string]any, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	fields, err := store.New(q).ListMetadataFields(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("list metadata fields: %w", err)
	}
	return metadataCriteria(fields, wanted)
}

// roundUp rounds an upper bound up to Postgres's microseconds, so that it still includes every time before it. Lower
// bounds need no rounding, because pgx rounds down.
func roundUp(t *time.Time) *time.Time {
	if t == nil || t.Nanosecond()%1000 == 0 {
		return t
	}
	up := t.Truncate(time.Microsecond).Add(time.Microsecond)
	return &up
}

// metadataCriteria returns the values to compare metadata with, in canonical form.
func metadataCriteria(fields []store.MetadataField, wanted map[string]string) (map[string]any, error) {
	var faults problem.Faults
	values := make(map[string]any, len(wanted))
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		at := slices.IndexFunc(fields, func(f store.MetadataField) bool { return f.Key == key })
		if at < 0 {
			faults.Of("metadata."+key, unknownCriterion)
			continue
		}
		var value any = wanted[key]
		switch fields[at].Kind {
		case "number":
			if isNumber(wanted[key]) {
				value = json.Number(wanted[key])
			}
		case "bool":
			value = map[string]any{"true": true, "false": false}[wanted[key]]
		}
		value, detail := checkValue(fields[at], value)
		faults.Of("metadata."+key, detail)
		values[key] = value
	}
	return values, faults.Err(problem.InvalidInput)
}

func texts[T ~string](values []T) []string {
	if len(values) == 0 {
		return nil
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
