// Package openapi holds the contracts. They are written by hand, served as they are, and what the code is generated from.
package openapi

import "embed"

// Files holds the documents: core.yaml and item.yaml, the schemas that every API shares.
//
//go:embed core.yaml item.yaml
var Files embed.FS
