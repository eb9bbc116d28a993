package spec

import (
	"strings"

	"itemcast/internal/browse/jsontree"
)

// references resolves the references of a self-contained document.
type references struct{ root *jsontree.Object }

// maxReferences bounds a chain of references, as a document may refer in circles.
const maxReferences = 32

var unescapeStep = strings.NewReplacer("~1", "/", "~0", "~")

// follow returns the object that a node is or refers to, and the name of its component, "" for none. It returns nil for
// a reference that leads nowhere. It ignores keywords beside a $ref.
func (r references) follow(node any) (target *jsontree.Object, name string) {
	target, _ = node.(*jsontree.Object)
	for range maxReferences {
		ref := target.Text("$ref")
		if ref == "" {
			return target, name
		}
		var at any = r.root
		for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			name = unescapeStep.Replace(step)
			parent, _ := at.(*jsontree.Object)
			at = parent.Get(name)
		}
		target, _ = at.(*jsontree.Object)
	}
	return nil, name
}
