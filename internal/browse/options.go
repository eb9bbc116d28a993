package browse

import (
	"net/http"
	"strconv"
	"strings"
)

// Describe registers the answer to OPTIONS for every path of the document: which methods there are (Allow), and the part of the document
// that is about this path, as a document of its own.
func (a *API) Describe(mux *http.ServeMux) {
	for _, res := range a.document.resources {
		mux.HandleFunc(http.MethodOptions+" "+a.document.pattern(res), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", res.allow)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(res.described)))
			_, _ = w.Write(res.described) // fails when the client has gone
		})
	}
}

// pattern is the resource's for a mux.
func (d *document) pattern(res *resource) string {
	if strings.HasSuffix(res.path, "/") {
		return d.base + res.path + "{$}"
	}
	return d.base + res.path
}

// describe cuts one path out of a document, with the components that it refers to.
func describe(root *object, path string) []byte {
	cut := newObject()
	for _, name := range root.keys() {
		switch name {
		case "paths":
			paths := newObject()
			paths.set(path, root.object("paths").get(path))
			cut.set(name, paths)
		case "components", "tags":
		case "info":
			info := newObject()
			for _, key := range []string{"title", "version"} {
				info.set(key, root.object(name).get(key))
			}
			cut.set(name, info)
		default:
			cut.set(name, root.get(name))
		}
	}
	needed := newObject()
	collect(root, cut.get("paths"), needed)
	if schemes := root.object("components").get("securitySchemes"); schemes != nil {
		needed.set("securitySchemes", schemes)
	}
	if len(needed.keys()) > 0 {
		cut.set("components", needed)
	}
	return []byte(inWords(cut))
}

// collect finds the components that a node refers to, and those that they refer to.
func collect(root *object, node any, into *object) {
	switch node := node.(type) {
	case []any:
		for _, one := range node {
			collect(root, one, into)
		}
	case *object:
		if ref := strings.Split(node.text("$ref"), "/"); len(ref) == 4 {
			section := into.object(ref[2])
			if section == nil {
				section = newObject()
				into.set(ref[2], section)
			}
			if !section.has(ref[3]) {
				component := root.object("components").object(ref[2]).get(ref[3])
				section.set(ref[3], component)
				collect(root, component, into)
			}
		}
		for _, name := range node.names {
			collect(root, node.values[name], into)
		}
	}
}
