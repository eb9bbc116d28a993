// Package mergepatch reads JSON merge patches (RFC 7396), the one form of a change at every door: REST sends one as the
// body, and GraphQL's update inputs are written as one (FromInput).
//
// A noun whose fields are plain values decodes a patch into a struct of pointers (Read): nil says that the patch does not
// name the field. A noun whose fields nest, or take null, has the patch merged into what it has (Merge.Apply).
//
// Patches have passed package strictjson: no name comes twice. The package must not know any noun.
package mergepatch
