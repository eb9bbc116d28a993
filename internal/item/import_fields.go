package item

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/item/internal/store"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
	"itemcast/internal/validate"
)

// CreatedField is a metadata field that an import has created, for a name that items had.
type CreatedField struct {
	Key   string `json:"key"`
	Label string `json:"label"` // the name
	Kind  string `json:"kind"`

	Defined bool `json:"defined,omitempty"` // by a line of the import
}

// placement is a line's metadata under the keys of the account's fields.
type placement struct {
	metadata json.RawMessage
	names    map[string]string // of the line, by key, where they differ
	created  []CreatedField
	widened  []string // keys of date fields that became text fields
}

// place finds the field of each name in a line's metadata. With create_fields it creates the missing ones, and with
// create_fields or in a table it turns the values into the kinds of their fields. Other metadata is left unchanged. The
// metadata of a restored document is left unchanged too if the import defines its fields: the others had been deleted.
func (r *importRun) place(
	ctx context.Context, q *store.Queries, metadata json.RawMessage, document *restored,
) (placement, error) {
	placed := placement{metadata: metadata, names: map[string]string{}}
	if !r.options.CreateFields && !r.in.IsTable() || r.in.defined && document.isDocument() {
		return placed, nil
	}
	values, err := decodeObject(metadata)
	if err != nil || len(values) == 0 {
		return placed, err
	}
	rows, err := q.ListMetadataFields(ctx, r.actor.AccountID)
	if err != nil {
		return placed, fmt.Errorf("list metadata fields: %w", err)
	}
	fields := make(map[string]store.MetadataField, len(rows))
	for _, row := range rows {
		fields[row.Key] = row
	}
	byKey := make(map[string]any, len(values))
	for _, name := range slices.SortedFunc(maps.Keys(values), exactFirst(fields)) { // sorted, to avoid deadlocks
		key, value := plaintext.Composed(name), values[name]
		field, err := r.fieldOf(ctx, q, key, value, fields, byKey, &placed)
		if err != nil {
			return placed, err
		}
		if field == nil {
			byKey[name] = value // the check of the metadata reports it
			continue
		}
		if field.Key != name {
			placed.names[field.Key] = name
		}
		byKey[field.Key] = r.valueFor(field.Kind, value)
	}
	placed.metadata, err = json.Marshal(byKey)
	if err != nil {
		return placed, fmt.Errorf("encode metadata: %w", err)
	}
	return placed, nil
}

// fieldOf returns the field for a name and its value; nil if there is none and none can be created. It creates the
// field, or makes it a text field, if it must and may.
func (r *importRun) fieldOf(
	ctx context.Context, q *store.Queries, name string, value any, fields map[string]store.MetadataField,
	used map[string]any, placed *placement,
) (*store.MetadataField, error) {
	key, exists := r.fieldFor(name, fields, used)
	field := fields[key]
	_, storable := kindOf(value)
	switch {
	case !exists && (!storable || !r.options.CreateFields):
		return nil, nil
	case !exists:
		created, err := r.createField(ctx, q, key, name, len(fields))
		if err != nil {
			return nil, err
		}
		field = created
		placed.created = append(placed.created, CreatedField{Key: key, Label: name, Kind: field.Kind})
	case field.Kind == "date" && r.madeDates[key] && value != nil && !isDateValue(value):
		if err := r.widen(ctx, q, &field); err != nil {
			return nil, err
		}
		placed.widened = append(placed.widened, key)
	}
	fields[key] = field
	return &field, nil
}

// exactFirst orders names that are keys before others, so that they get their own fields.
func exactFirst(fields map[string]store.MetadataField) func(a, b string) int {
	return func(a, b string) int {
		_, exactA := fields[a]
		_, exactB := fields[b]
		switch {
		case exactA == exactB:
			return strings.Compare(a, b)
		case exactA:
			return -1
		}
		return 1
	}
}

// fieldFor returns the key of the field for a name, and whether the field exists: the field with that key, else the one
// with that label, else the one with the lawful form of the name as key. A form that another name of the import has, or
// that this line has already used, gets a number.
func (r *importRun) fieldFor(name string, fields map[string]store.MetadataField, used map[string]any) (string, bool) {
	if _, ok := fields[name]; ok {
		return name, true
	}
	lawful := lawfulKey(name)
	var labelled []string
	for key, field := range fields {
		if _, taken := used[key]; field.Label == name && !taken {
			labelled = append(labelled, key)
		}
	}
	if len(labelled) == 1 {
		return labelled[0], true
	}
	for n := 1; ; n++ {
		key := numbered(lawful, n)
		field, exists := fields[key]
		_, taken := used[key]
		switch {
		case taken, key != name && r.in.survey.has(key):
		case !exists:
			return key, false
		case field.Label == name, n == 1 && !r.in.survey.has(field.Label):
			return key, true
		}
	}
}

// createField creates a field of the kind that all values have that were read so far.
func (r *importRun) createField(
	ctx context.Context, q *store.Queries, key, name string, count int,
) (store.MetadataField, error) {
	if count >= maxFields {
		return store.MetadataField{}, errTooManyFields
	}
	label := name
	if utf8.RuneCountInString(label) > maxLabel {
		label = string([]rune(label)[:maxLabel])
	}
	if validate.Text(label, 1, maxLabel) != "" {
		label = key
	}
	row, err := q.InsertMetadataField(ctx, store.InsertMetadataFieldParams{
		ID: uuid.Must(uuid.NewV7()), AccountID: r.actor.AccountID, Key: key, Label: label, Kind: r.in.survey.kind(name),
		Choices: []string{},
	})
	if errors.Is(err, pgx.ErrNoRows) { // another import has created it
		rows, err := q.ListMetadataFields(ctx, r.actor.AccountID)
		if err != nil {
			return row, fmt.Errorf("list metadata fields: %w", err)
		}
		if at := slices.IndexFunc(rows, func(f store.MetadataField) bool { return f.Key == key }); at >= 0 {
			return rows[at], nil
		}
	}
	if err != nil {
		return row, fmt.Errorf("insert metadata field: %w", err)
	}
	return row, nil
}

// widen turns a date field into a text field: the import has created it, and then read a value that is not a date.
func (r *importRun) widen(ctx context.Context, q *store.Queries, field *store.MetadataField) error {
	err := q.DateFieldToText(ctx, store.DateFieldToTextParams{AccountID: r.actor.AccountID, Key: field.Key})
	if err != nil {
		return fmt.Errorf("make a text field: %w", err)
	}
	field.Kind = "text"
	return nil
}

// valueFor returns a value in the kind of its field, if it has one there: numbers and bools as text, and the cells of a
// table as numbers and bools.
func (r *importRun) valueFor(kind string, value any) any {
	switch value := value.(type) {
	case json.Number:
		if kind == "text" && r.options.CreateFields {
			return string(value)
		}
	case bool:
		if kind == "text" && r.options.CreateFields {
			return fmt.Sprint(value)
		}
	case string:
		if r.in.IsTable() && (kind == "number" || kind == "bool") {
			return cellValue(value)
		}
	}
	return value
}

// renamed returns a line's error with the names that the line has for its metadata.
func (p *placement) renamed(err error) error {
	fault := problem.Of(err)
	if fault == nil || len(fault.Faults) == 0 || len(p.names) == 0 {
		return err
	}
	faults := slices.Clone(fault.Faults)
	for key, name := range p.names {
		for i, f := range faults {
			if f.Pointer == strictjson.Pointer("metadata", key) {
				faults[i].Pointer = strictjson.Pointer("metadata", name)
			}
		}
	}
	return problem.Invalid(fault.Code, faults...)
}
