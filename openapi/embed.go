// Package openapi holds the contracts. People write core.yaml and item.yaml, from which make generate makes code and,
// in bundled/, the self-contained documents that the product serves and checks requests against.
package openapi

import (
	"embed"
	"io/fs"
)

//go:embed bundled
var bundled embed.FS

// Files holds NAME.json and NAME.yaml for each API: core.
var Files = inBundled()

func inBundled() fs.FS {
	files, err := fs.Sub(bundled, "bundled")
	if err != nil {
		panic(err) // "bundled" is a valid path
	}
	return files
}
