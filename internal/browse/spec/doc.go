// Package spec reads the parts of an OpenAPI document that pages show: its paths and operations, their parameters,
// bodies and responses, the permissions to call them, and the paths to which values in answers lead.
//
//	OpenAPI document (JSON) → jsontree → reader → Document ─ Resources ─ Operations ─ Parameters, Bodies, Responses
//	                                       └ schemas → Schema ─ Properties                  └─────── Schema ┘
//
// Descriptions are HTML, rendered from the document's CommonMark; limits are in words. A schema's references, allOf and
// "or null" are resolved. The package reads these extensions:
//
//	x-permission    of an operation: the permission to call it; of a property: the permission to set it
//	x-prefix        of a parameter: it stands for every name that begins with this
//	x-link          of a property: the path that reads what the value identifies, "/roles/{id}" or "/{path}"
//	x-from          of a property of a request: where representations have the value, "workflow/profile_id"
//	x-when          of a link: it is there if the values at these pointers are these texts (see Follow)
//	x-unless        of an operation: it is not offered on a page whose answer has one of these values at these pointers
//	x-autocomplete  of a property: the HTML attribute of its control
//
// It must not know how a page looks, nor what an operation does. Calls go down this list of files:
//
//	document.go    the document: read, and looked up by address, id and link
//	excerpt.go     the part of the document about one path
//	relations.go   how resources and operations relate to each other
//	follow.go      the operations to which an answer leads
//	reader.go      paths and operations, as the document has them
//	schemas.go     schemas, each component once
//	limits.go      what a schema allows, in words
//	operation.go   an operation, its parameters, bodies and responses
//	resource.go    a path
//	schema.go      a schema, and its type in words
//	references.go  $ref
//	markdown.go    CommonMark
package spec
