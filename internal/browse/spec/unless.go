package spec

import (
	"slices"
	"strings"

	"itemcast/internal/browse/jsontree"
)

// readUnless reads x-unless: the values of an answer with which an operation is of no use, by the pointers to them.
func readUnless(node *jsontree.Object) map[string][]any {
	unless := map[string][]any{}
	for _, pointer := range node.Names() {
		unless[pointer] = node.List(pointer)
	}
	return unless
}

// DependsOnAnswer reports whether what a page of the resource offers depends on the answer's values. The resource may
// be nil.
func (r *Resource) DependsOnAnswer() bool {
	if r == nil {
		return false
	}
	depends := func(op *Operation) bool { return len(op.unless) > 0 || len(op.Follows) > 0 }
	return slices.ContainsFunc(r.Operations, depends) || slices.ContainsFunc(r.Children, func(child *Resource) bool {
		return slices.ContainsFunc(child.Operations, depends)
	})
}

// Fits reports whether the operation can be of use on the page of an answer (x-unless). A value that the answer lacks
// does not matter.
func (op *Operation) Fits(answer any) bool {
	for pointer, useless := range op.unless {
		last := strings.LastIndexByte(pointer, '/')
		above, _ := at(answer, pointer[:max(last, 0)], 0).(*jsontree.Object)
		name := unescapeStep.Replace(pointer[last+1:])
		if above.Has(name) && slices.Contains(useless, above.Get(name)) {
			return false
		}
	}
	return true
}
