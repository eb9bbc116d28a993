package web

// Bundle is what a page of another package loads, by names below /assets/.
type Bundle struct {
	Icon, Notices   string
	Script          string
	Styles, Preload []string
}

// Loads returns what the page of that name loads; nothing in a tree without built assets.
func Loads(page string) Bundle {
	m, err := readManifest(built())
	if err != nil {
		return Bundle{}
	}
	b := m.Pages[page]
	return Bundle{Icon: m.Icon, Notices: m.Notices, Script: b.Script, Styles: b.Styles, Preload: b.Preload}
}
