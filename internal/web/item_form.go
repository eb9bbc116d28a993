package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

// formView is the form of an item's fields.
type formView struct {
	Action   string
	Revision int64 // that the form was made from; 0 for a new item
	Fields   []field
	MayEdit  bool
	Problem  string   // why it was not saved
	Others   []string // faults of no field
	Conflict *conflictView
}

// itemField is a field of the form: how an item has it, and what a patch has for a value of the form.
type itemField struct {
	field
	key  string // of a metadata field; "" for a field of every item
	read func(*item.Item) string
	json func(string) any
}

// itemFields returns the fields of an item's form: those of every item, and the metadata fields of the account.
func (c *call) itemFields(i *item.Item) ([]itemField, error) {
	defined, err := c.pages.Config.Items.Fields(c.Context())
	if err != nil {
		return nil, err
	}
	fields := c.commonFields()
	for n := range defined {
		fields = append(fields, c.metadataField(&defined[n]))
	}
	for n := range fields {
		f := &fields[n]
		f.Disabled = i.Revision > 0 && !c.may(account.ItemsEdit)
		if value := f.read(i); f.Kind == "choice" && value != "" && !hasOption(f.Options, value) {
			f.Options = append(f.Options, option{Value: value, Text: value}) // no longer a choice; it may stay
		}
	}
	return fields, nil
}

func hasOption(options []option, value string) bool {
	for _, o := range options {
		if o.Value == value {
			return true
		}
	}
	return false
}

func (c *call) commonFields() []itemField {
	control := func(name, kind string, limit int) field {
		return field{Name: name, Label: c.text.Get("item." + name), Kind: kind, MaxLength: limit}
	}
	choice := func(name, prefix string, values []string) field {
		f := control(name, "choice", 0)
		for _, value := range values {
			f.Options = append(f.Options, option{Value: value, Text: c.text.Get(prefix + value)})
		}
		return f
	}
	optional := func(f field, of func(*item.Item) *string) itemField {
		return itemField{field: f, json: orNull, read: func(i *item.Item) string {
			if value := of(i); value != nil {
				return *value
			}
			return ""
		}}
	}
	plain := func(value string) any { return value }
	name, description := control("name", "text", 500), control("description", "lines", 50000)
	tags := control("tags", "lines", 0)
	name.Required, description.Rows = true, 5
	tags.Rows, tags.Hint = 3, c.text.Get("item.tags.hint")
	duration := control("duration", "number", 0)
	duration.Hint = c.text.Get("item.duration.hint")
	language := control("language", "text", 35)
	language.Hint = c.text.Get("item.language.hint")
	return []itemField{
		{field: name, json: plain, read: func(i *item.Item) string { return i.Name }},
		{field: choice("type", "type.", itemTypes), json: plain, read: func(i *item.Item) string { return string(i.Type) }},
		{field: description, json: plain, read: func(i *item.Item) string { return i.Description }},
		{field: choice("privacy", "privacy.", privacies), json: plain,
			read: func(i *item.Item) string { return string(i.Privacy) }},
		optional(language, func(i *item.Item) *string { return i.Language }),
		optional(control("producer", "text", 500), func(i *item.Item) *string { return i.Producer }),
		{field: duration, json: numberOrText, read: func(i *item.Item) string {
			if i.Duration == nil {
				return ""
			}
			return strconv.FormatFloat(*i.Duration, 'f', -1, 64)
		}},
		{field: tags, json: lines, read: func(i *item.Item) string { return strings.Join(i.Tags, "\n") }},
	}
}

func (c *call) metadataField(defined *item.Field) itemField {
	f := itemField{key: defined.Key, json: orNull,
		field: field{Name: "metadata." + defined.Key, Label: defined.Label, Hint: defined.Description, Kind: "text",
			Required: defined.Required},
		read: func(i *item.Item) string { return metadataText(i, defined.Key) }}
	if f.Label == "" {
		f.Label = defined.Key
	}
	none := option{Text: "–"}
	switch defined.Kind {
	case "number":
		f.Kind, f.json = "number", numberOrText
	case "date":
		f.Kind = "date"
	case "bool":
		f.Kind, f.json = "choice", boolean
		f.Options = []option{none, {Value: "true", Text: c.text.Get("yes")}, {Value: "false", Text: c.text.Get("no")}}
	case "choice":
		f.Kind, f.Options = "choice", []option{none}
		for _, value := range defined.Choices {
			f.Options = append(f.Options, option{Value: value, Text: value})
		}
	}
	return f
}

// metadataText returns a value of an item's metadata as a form has it; "" for none.
func metadataText(i *item.Item, key string) string {
	var values map[string]json.RawMessage
	if json.Unmarshal(i.Metadata, &values) != nil {
		return ""
	}
	raw := values[key]
	var value string
	if json.Unmarshal(raw, &value) == nil {
		return value
	}
	return string(bytes.TrimSpace(raw)) // a number, true or false; its digits stay
}

func orNull(value string) any {
	if value == "" {
		return nil
	}
	return value
}

// numberOrText returns a number with all its digits. The service says what is wrong with another text.
func numberOrText(value string) any {
	value = strings.TrimSpace(value)
	if value == "" {
		return nil
	}
	var number json.Number
	if json.Unmarshal([]byte(value), &number) == nil {
		return json.RawMessage(value)
	}
	return value
}

func boolean(value string) any {
	switch value {
	case "true":
		return true
	case "false":
		return false
	}
	return orNull(value)
}

func lines(value string) any {
	all := []string{}
	for line := range strings.Lines(value) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// newForm returns the form of an item as it is.
func (c *call) newForm(fields []itemField, i *item.Item) formView {
	form := formView{Action: c.itemPath(i.ID), Revision: i.Revision, MayEdit: c.may(account.ItemsEdit)}
	for _, f := range fields {
		form.Fields = append(form.Fields, f.with(f.read(i)))
	}
	return form
}

// sentForm returns the form with what the user has sent.
func (c *call) sentForm(fields []itemField, i *item.Item) formView {
	form := c.newForm(fields, i)
	for n, f := range fields {
		if c.sent(f.Name) {
			form.Fields[n] = f.with(c.value(f.Name))
		}
	}
	return form
}

func (c *call) sent(name string) bool { _, sent := c.PostForm[name]; return sent }

func (f itemField) with(value string) field {
	shown := f.field
	shown.Value = value
	if f.Kind == "choice" {
		shown.Options = append([]option{}, f.Options...)
		for n := range shown.Options {
			shown.Options[n].Selected = shown.Options[n].Value == value
		}
	}
	return shown
}

// patch returns the merge patch that makes an item what the form says. It names only what differs.
func (c *call) patch(fields []itemField, i *item.Item) map[string]any {
	patch, metadata := map[string]any{}, map[string]any{}
	for _, f := range fields {
		if !c.sent(f.Name) || c.value("take."+f.Name) == "theirs" || same(c.value(f.Name), f.read(i)) {
			continue
		}
		if f.key != "" {
			metadata[f.key] = f.json(c.value(f.Name))
		} else {
			patch[f.Name] = f.json(c.value(f.Name))
		}
	}
	if len(metadata) > 0 {
		patch["metadata"] = metadata
	}
	return patch
}

// same reports whether two values of a form are the same. Browsers may add a line end, or remove one.
func same(a, b string) bool { return strings.TrimRight(a, "\n") == strings.TrimRight(b, "\n") }

// saveItem saves the form, unless somebody else has saved the item meanwhile: then both versions are shown.
func (c *call) saveItem(i *item.Item) error {
	fields, err := c.itemFields(i)
	if err != nil {
		return err
	}
	loaded, err := strconv.ParseInt(c.value("revision"), 10, 64)
	if err != nil {
		return problem.New(problem.BadRequest, "The form does not say which revision it changes. Load the page again.")
	}
	if loaded != i.Revision {
		return c.showConflict(fields, i, loaded)
	}
	patch := c.patch(fields, i)
	if len(patch) == 0 {
		return c.seeOther(c.itemPath(i.ID), done("item.unchanged"))
	}
	_, err = c.pages.Config.Items.Patch(c.Context(), i.ID, mustJSON(patch), revision.Is(loaded))
	switch shown := problem.Of(err); {
	case err == nil:
		return c.seeOther(c.itemPath(i.ID), done("item.saved"))
	case problem.Is(err, problem.RevisionMismatch):
		now, err := c.itemAt()
		if err != nil {
			return err
		}
		return c.showConflict(fields, now, loaded)
	case shown == nil || shown.Code.Status() >= http.StatusInternalServerError:
		return err
	default:
		return c.writeItem(shown.Code.Status(), i, c.faultyForm(fields, i, shown))
	}
}

// faultyForm returns what the user has sent, with what is wrong with it.
func (c *call) faultyForm(fields []itemField, i *item.Item, wrong *problem.Error) formView {
	form := c.sentForm(fields, i)
	form.Problem = c.text.Get("item.notsaved")
	if len(wrong.Faults) == 0 {
		form.Others = []string{wrong.Detail}
	}
	form.Others = append(form.Others, withFaults(c.text, form.Fields, wrong.Faults)...)
	return form
}
