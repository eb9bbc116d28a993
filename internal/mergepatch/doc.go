// Package mergepatch reads and applies JSON merge patches (RFC 7396). Every change of a resource is one: the body of a
// PATCH is a patch, and [FromInput] encodes an update input of GraphQL as one.
//
// A noun with plain fields decodes a patch with [Read], into a struct of pointers: nil means that the patch does not
// name the field. A field that can be null is a [Nullable]. A noun with nested fields merges the patch with [Merge].
//
// Package strictjson has checked the patches: they have no duplicate names. The package must not know any noun.
package mergepatch
