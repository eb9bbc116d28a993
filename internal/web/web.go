// Package web serves the pages that are not drawn from a contract: the start page, the sign-in pages, the GraphQL
// playground, the pages that play an item ([Watch]), and the pages in which people work ([Pages]).
//
// A page for people who are signed in is a file, with a file for each larger part: items.go and items_*.go have the
// list of items, item.go and item_*.go an item, workflows.go the runs, live.go the changes, api.go the ways in for
// programs. Each stands on the shell:
//
//	pages.go    Pages: the services that they call; serve, which finds the user and reads a form
//	call.go     call: one request; how it answers with a page, a part of one, another address, or an error
//	shell.go    what is around every page, and the navigation
//	field.go    a control of a form, with what is wrong with its value
//	notice.go   what the next page reports after a form: done, or why not
//	text/       the texts, in English and German
//
// Every form works without JavaScript: it is sent to an address that also has a page, which answers 303 when all is
// well, and else shows the form again. Scripts make pages follow changes: they listen to GET /api/v1/changes, and fetch
// the page, or the rows, that have changed.
//
// It promises that the pages need nothing but this server. The build bundles every script, style and font
// (assets/build.mjs), and the binary embeds them. No page has an inline script, and each sends the narrowest
// Content-Security-Policy under which it works. In a tree without built assets the package compiles, and the pages say
// what to run.
//
// The addresses on the pages are below the path of the public URL, which each page takes.
//
// It must not know the database, nor decide what a user may do: the services do, and the API for what a script fetches.
// Package player says what a page plays, and to whom. Pages leave out what a service would refuse.
package web

import (
	"embed"
	"io/fs"
	"net/http"
)

// dist has the output of assets/build.mjs: gzipped files with the hash of their content in the name, and manifest.json.
//
//go:embed all:dist
var dist embed.FS

//go:embed templates
var templates embed.FS

// Assets serves the bundled scripts, styles and fonts under /assets/, to anyone.
func Assets() http.Handler { return newAssets(built()) }

// Home serves the start page. publicURL is the base of the URLs in its examples. userOf returns the e-mail address of
// the user who is signed in, "" when nobody is signed in.
func Home(publicURL string, userOf func(*http.Request) string) http.Handler {
	return newHome(built(), publicURL, userOf)
}

// Playground serves the GraphQL playground. It has the URL of the API: the caller routes requests that prefer HTML to
// it. The page needs no sign-in; the API does.
func Playground(publicURL string) http.Handler { return newPlayground(built(), publicURL) }

// Login serves the sign-in form, and signs in. It then redirects to the address in the parameter next, which must be on
// this server.
func Login(publicURL string, s Sessions) http.Handler { return newLogin(built(), publicURL, s) }

// Reset serves the page of a reset link, and sets the password. Loading the page does not use up the link, as programs
// that scan e-mail load it.
func Reset(publicURL string, s Sessions) http.Handler { return newReset(built(), publicURL, s) }

// Bundle is the files that a page of another package loads, by their names below /assets/.
type Bundle struct {
	Icon, Notices   string
	Script          string
	Styles, Preload []string
}

// BundleOf returns the files of a page; none in a tree without built assets.
func BundleOf(page string) Bundle {
	m, err := readManifest(built())
	if err != nil {
		return Bundle{}
	}
	b := m.Pages[page]
	return Bundle{Icon: m.Icon, Notices: m.Notices, Script: b.Script, Styles: b.Styles, Preload: b.Preload}
}

func built() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only for an invalid path, and this one is constant
	}
	return sub
}
