package spec

import (
	"strings"

	"itemcast/internal/browse/jsontree"
)

// excerpt cuts one path out of a document, with the components that it refers to: the answer to OPTIONS.
func excerpt(root *jsontree.Object, path string) []byte {
	cut := jsontree.New()
	for _, name := range root.Names() {
		switch name {
		case "paths":
			cut.Set(name, only(root.Object(name), path))
		case "info":
			cut.Set(name, only(root.Object(name), "title", "version"))
		case "components", "tags":
		default:
			cut.Set(name, root.Get(name))
		}
	}
	components := jsontree.New()
	collect(root, cut.Get("paths"), components)
	if schemes := root.Object("components").Get("securitySchemes"); schemes != nil {
		components.Set("securitySchemes", schemes)
	}
	if len(components.Names()) > 0 {
		cut.Set("components", components)
	}
	return []byte(jsontree.Encode(cut))
}

// only copies an object's members of these names.
func only(o *jsontree.Object, names ...string) *jsontree.Object {
	cut := jsontree.New()
	for _, name := range names {
		cut.Set(name, o.Get(name))
	}
	return cut
}

// collect adds the components that a node refers to, directly or not.
func collect(root *jsontree.Object, node any, into *jsontree.Object) {
	switch node := node.(type) {
	case []any:
		for _, element := range node {
			collect(root, element, into)
		}
	case *jsontree.Object:
		if ref := strings.Split(node.Text("$ref"), "/"); len(ref) == 4 { // "#/components/schemas/Item"
			kind, name := ref[2], ref[3]
			if into.Object(kind) == nil {
				into.Set(kind, jsontree.New())
			}
			if section := into.Object(kind); !section.Has(name) {
				component := root.Object("components").Object(kind).Get(name)
				section.Set(name, component)
				collect(root, component, into)
			}
		}
		for _, name := range node.Names() {
			collect(root, node.Get(name), into)
		}
	}
}
