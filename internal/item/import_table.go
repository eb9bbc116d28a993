package item

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"itemcast/internal/importfile"
)

// importColumns are the columns of tables that are fields of an item or of its document. All others are metadata.
var importColumns = map[string]importfile.Cell{
	"id": importfile.Text, "name": importfile.Text, "description": importfile.Text, "type": importfile.Word,
	"privacy": importfile.Word, "language": importfile.Text, "producer": importfile.Text, "duration": importfile.Number,
	"tags": importfile.List, "client_data": importfile.JSON, "assets": importfile.JSON, "snapshots": importfile.JSON,
	"snapshot_id": importfile.Text, "embed_code": importfile.Text, "player_url": importfile.Text,
	"workflow_profile_id": importfile.Text,

	"url": importfile.Text, "workflow": importfile.JSON, "created_by": importfile.Text, "created_at": importfile.Text,
	"updated_at": importfile.Text, "published_at": importfile.Text, "revision": importfile.Number,
}

// ignoredColumns returns the columns of a table that only the server sets, and that the import does not restore.
func (r *importReader) ignoredColumns(keepTimes bool) []string {
	return slices.DeleteFunc(slices.Clone(serverFields), func(field string) bool {
		return !r.Has(field) || keepTimes && slices.Contains(restoredFields, field)
	})
}

// overItem returns a row as the input that replaces an item: fields without a column retain their values.
func (r *importReader) overItem(i *Item, row ItemInput) (ItemInput, error) {
	if !r.IsTable() {
		return row, nil
	}
	before := reflect.ValueOf(i.input())
	after := reflect.ValueOf(&row).Elem()
	for n := range before.NumField() {
		field, _, _ := strings.Cut(before.Type().Field(n).Tag.Get("json"), ",")
		given := r.Has(field) || field == "metadata" || field == "workflow_profile_id" && r.Has("workflow")
		if !given {
			after.Field(n).Set(before.Field(n))
		}
	}
	values, err := decodeObject(i.Metadata)
	if err != nil {
		return row, err
	}
	cells, err := decodeObject(row.Metadata)
	if err != nil {
		return row, err
	}
	maps.Copy(values, cells)
	if row.Metadata, err = json.Marshal(values); err != nil {
		return row, fmt.Errorf("encode metadata: %w", err)
	}
	return row, nil
}
