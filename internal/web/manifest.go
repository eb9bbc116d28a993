package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
)

// manifest is dist/manifest.json: which files a page loads.
type manifest struct {
	Icon    string            `json:"icon"`
	Notices string            `json:"notices"` // the bundled packages' licences
	Pages   map[string]bundle `json:"pages"`
}

type bundle struct {
	Script  string   `json:"script"` // empty for a page without JavaScript
	Styles  []string `json:"styles"`
	Preload []string `json:"preload"` // what Script imports, so that a browser need not find out
}

// readManifest returns an error that is fs.ErrNotExist when the assets are not built.
func readManifest(assets fs.FS) (manifest, error) {
	var m manifest
	raw, err := fs.ReadFile(assets, "manifest.json")
	if err != nil {
		return m, fmt.Errorf("read asset manifest: %w", err)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("decode asset manifest: %w", err)
	}
	return m, nil
}
