// Package jsoninput reads JSON values in arguments. It promises that numbers keep their digits and objects the order of
// their members, in literals and in variables, as over REST.
//
// gqlgen decodes values into maps, int64 and float64, which keep neither. So JSON values are replaced by JSON text
// before gqlgen decodes them:
//
//	a document ──▶ Rule       rewrites literals while the document is validated; once, the document is then cached
//	a request  ──▶ Variables  replaces the values of variables, where their types say JSON, by the request's bytes
//	an argument ─▶ Decode     returns the JSON of either; package scalar calls it
//
// The package must not know the schema, but for the name of the scalar JSON.
package jsoninput

// Names of scalars in the schema.
const (
	scalar = "JSON"
	float  = "Float"
)
