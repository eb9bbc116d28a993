package item

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// definitionLine is a line of an export that defines a metadata field. Such lines come before the items, so that an
// import can check the items' metadata.
type definitionLine struct {
	Field definition `json:"metadata_field"`
}

type definition struct {
	Key         string   `json:"key"`
	Label       string   `json:"label"`
	Description string   `json:"description"`
	Kind        string   `json:"kind"`
	Choices     []string `json:"choices"`
	Required    bool     `json:"required"`
}

const definitionName = "metadata_field"

// encodeDefinition returns the line that defines a field.
func encodeDefinition(f *Field) ([]byte, error) {
	line, err := plainjson.Marshal(definitionLine{Field: definition{
		Key: f.Key, Label: f.Label, Description: f.Description, Kind: f.Kind, Choices: f.Choices, Required: f.Required,
	}})
	if err != nil {
		return nil, fmt.Errorf("encode a metadata field: %w", err)
	}
	return append(line, '\n'), nil
}

// isDefinition reports whether a line defines a metadata field.
func isDefinition(text []byte) bool {
	if !bytes.Contains(text, []byte(definitionName)) {
		return false
	}
	var members map[string]json.RawMessage
	return json.Unmarshal(text, &members) == nil && len(members) == 1 && members[definitionName] != nil
}

// definition imports a line that defines a metadata field: it creates the field, or gives the field with that key the
// settings of the line. Errors: INVALID_INPUT, RULE_VIOLATED, FORBIDDEN without workflows.manage.
func (r *importRun) definition(
	ctx context.Context, tx pgx.Tx, text []byte,
) (result outcome, made []CreatedField, err error) {
	field, err := decodeDefinition(text)
	if err != nil {
		return 0, nil, err
	}
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) {
		result, err = r.define(ctx, store.New(tx), field)
		return err
	})
	if err == nil && result == created {
		made = []CreatedField{{Key: field.Key, Label: field.Label, Kind: field.Kind, Defined: true}}
	}
	return result, made, err
}

func decodeDefinition(text []byte) (*Field, error) {
	if invalid := strictjson.Check(text, strictjson.Limits{}); invalid != nil {
		return nil, invalid
	}
	var line definitionLine
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&line); err != nil {
		return nil, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/" + definitionName,
			Detail: "must have key, label, description, kind, choices and required, as in an export"})
	}
	d := line.Field
	f := &Field{Key: d.Key, Label: d.Label, Description: d.Description, Kind: d.Kind, Choices: d.Choices,
		Required: d.Required}
	if f.Label == "" {
		f.Label = f.Key
	}
	f.compose()
	if f.Choices == nil {
		f.Choices = []string{}
	}
	if !slices.Contains([]string{"text", "number", "bool", "date", "choice"}, f.Kind) {
		return nil, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/" + definitionName + "/kind",
			Detail: "must be one of text, number, bool, date, choice"})
	}
	return f, inDefinition(f.check())
}

// inDefinition returns the faults of a field at their places in the line.
func inDefinition(err error) error {
	fault := problem.Of(err)
	if fault == nil {
		return err
	}
	faults := slices.Clone(fault.Faults)
	for i := range faults {
		faults[i].Pointer = "#/" + definitionName + faults[i].Pointer[1:]
	}
	return problem.Invalid(fault.Code, faults...)
}

func (r *importRun) define(ctx context.Context, q *store.Queries, f *Field) (outcome, error) {
	rows, err := q.ListMetadataFields(ctx, r.actor.AccountID)
	if err != nil {
		return 0, fmt.Errorf("list metadata fields: %w", err)
	}
	at := slices.IndexFunc(rows, func(row store.MetadataField) bool { return row.Key == f.Key })
	switch {
	case at >= 0 && rows[at].Kind != f.Kind:
		return 0, problem.Invalid(problem.RuleViolated, problem.Fault{Pointer: "#/" + definitionName + "/kind",
			Detail: fmt.Sprintf("is %s, but the field %s exists with the kind %s: delete that first", f.Kind, f.Key,
				rows[at].Kind)})
	case at >= 0 && f.equal(toField(rows[at])):
		return unchanged, nil
	case !r.actor.Permissions.Has(account.WorkflowsManage):
		return 0, problem.New(problem.Forbidden, "%s lacks the permission %s, which metadata fields need. Leave the "+
			"line out, or ask an administrator.", r.actor.Holder(), account.WorkflowsManage)
	case at >= 0:
		_, err := q.UpdateMetadataField(ctx, store.UpdateMetadataFieldParams{
			AccountID: r.actor.AccountID, ID: rows[at].ID, Label: f.Label, Description: f.Description, Choices: f.Choices,
			Required: f.Required,
		})
		if err != nil {
			return 0, fmt.Errorf("update metadata field: %w", err)
		}
		return updated, nil
	case len(rows) >= maxFields:
		return 0, errTooManyFields
	}
	_, err = q.InsertMetadataField(ctx, store.InsertMetadataFieldParams{
		ID: uuid.Must(uuid.NewV7()), AccountID: r.actor.AccountID, Key: f.Key, Label: f.Label, Description: f.Description,
		Kind: f.Kind, Choices: f.Choices, Required: f.Required,
	})
	if err != nil {
		return 0, fmt.Errorf("insert metadata field: %w", err)
	}
	return created, nil
}
