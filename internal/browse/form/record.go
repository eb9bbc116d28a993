package form

import (
	"encoding/json"
	"maps"
	"strings"
)

// Record is the members of a representation; nil for none.
type Record map[string]json.RawMessage

// ParseRecord reads a representation; nil when it is no JSON object.
func ParseRecord(text []byte) Record {
	record, ok := decode[Record](text)
	if !ok {
		return nil
	}
	return record
}

// Has reports whether a member is there and not null.
func (r Record) Has(member string) bool { return !isNull(r[member]) }

// settable returns a representation under the names by which a body sets its members.
func (b *body) settable(record Record) Record {
	if len(record) == 0 {
		return record
	}
	all := maps.Clone(record)
	for i := range b.fields {
		if f := &b.fields[i]; f.readFrom != "" {
			all[f.Name] = record.at(f.readFrom)
		}
	}
	return all
}

// at returns the value at a path such as "workflow/profile_id"; null when the path leads nowhere.
func (r Record) at(path string) json.RawMessage {
	for {
		step, rest, deeper := strings.Cut(path, "/")
		value, found := r[step]
		switch {
		case !found:
			return json.RawMessage("null")
		case !deeper:
			return value
		}
		r, path = ParseRecord(value), rest
	}
}
