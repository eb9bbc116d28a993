package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
)

// manifest is dist/manifest.json: the files that each page loads.
type manifest struct {
	Icon    string            `json:"icon"`
	Notices string            `json:"notices"` // the licences of the bundled packages
	Pages   map[string]bundle `json:"pages"`
}

type bundle struct {
	Script  string   `json:"script"` // "" for a page without JavaScript
	Styles  []string `json:"styles"`
	Preload []string `json:"preload"` // imported by Script, so that a browser loads them at once
}

// readManifest returns an error that is fs.ErrNotExist when the assets are not built.
func readManifest(assets fs.FS) (manifest, error) {
	var m manifest
	raw, err := fs.ReadFile(assets, "manifest.json")
	if err != nil {
		return m, fmt.Errorf("read the asset manifest: %w", err)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("decode the asset manifest: %w", err)
	}
	return m, nil
}
