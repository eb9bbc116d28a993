package spec

import (
	"net/http"
	"slices"
	"strings"
)

// relate finds how the resources and operations of a document relate to each other.
func (d *Document) relate() {
	d.findChildren()
	for _, resource := range d.Resources {
		for _, op := range resource.Operations {
			d.group(op)
			op.Rows = d.rowsOf(op)
			d.resolve(op)
			op.Cells = op.cells()
			if op.followsOne() {
				d.Live = op
			}
		}
	}
}

// findChildren finds the resources below each resource that need no further parameters.
func (d *Document) findChildren() {
	for _, parent := range d.Resources {
		if parent == d.Index {
			continue // the page of the index shows every operation anyway
		}
		for _, child := range d.Resources {
			rest, below := child.below(parent)
			if below && !slices.ContainsFunc(rest, isVariable) {
				parent.Children = append(parent.Children, child)
			}
		}
	}
}

// resolve finds the operations that an answer leads to.
func (d *Document) resolve(op *Operation) {
	for i := range op.Follows {
		op.Follows[i].Target = d.Operation(op.Follows[i].operation)
	}
	op.Follows = slices.DeleteFunc(op.Follows, func(f Follow) bool { return f.Target == nil })
}

// group adds an operation to its first tag.
func (d *Document) group(op *Operation) {
	name := "operations"
	if len(op.tags) > 0 {
		name = op.tags[0]
	}
	at := slices.IndexFunc(d.Tags, func(t Tag) bool { return t.Name == name })
	if at < 0 {
		d.Tags = append(d.Tags, Tag{Name: name})
		at = len(d.Tags) - 1
	}
	d.Tags[at].Operations = append(d.Tags[at].Operations, op)
}

// rowsOf returns the path that reads an element of a list: the one that answers with the type of the elements, or else
// the one directly below the list.
func (d *Document) rowsOf(op *Operation) string {
	element := op.element()
	if element == nil {
		return ""
	}
	rows := ""
	for _, resource := range d.Resources {
		if strings.Count(resource.Path, "{") != 1 || !resource.IsOne() {
			continue
		}
		if name := resource.Operation(http.MethodGet).AnswerType(); name != "" && name == element.Name {
			return resource.Path
		}
		if rest, below := resource.below(op.Resource); below && len(rest) == 1 {
			rows = resource.Path
		}
	}
	return rows
}
