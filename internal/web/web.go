// Package web is the web pages that are not drawn from a contract: the start page, those of signing in, and the GraphQL playground.
//
// It promises that the pages need nothing but this server: every script, style and font is bundled by the build
// (assets/build.mjs) and embedded, no page has an inline script, and each sends the narrowest Content-Security-Policy that
// works. In a tree without built assets the package compiles, and the pages say what to run.
//
// It must not know of items, users or the database, nor decide who may see what: a page holds no data but who looks at it, which it is
// told, and what its script fetches is authorized by the API.
package web

import (
	"embed"
	"io/fs"
	"net/http"
)

// dist holds what assets/build.mjs made: gzipped files with their content's hash in the name, and manifest.json.
//
//go:embed all:dist
var dist embed.FS

//go:embed templates
var templates embed.FS

// Assets serves the bundled scripts, styles and fonts under /assets/. They need no sign-in.
func Assets() http.Handler { return newAssets(built()) }

// Home serves the start page. publicURL is the base of the URLs in its examples, who tells the e-mail address of who is signed in, or "".
func Home(publicURL string, who func(*http.Request) string) http.Handler {
	return newHome(built(), publicURL, who)
}

// Playground serves the GraphQL playground, for the URL that the API itself has: the caller sends here the GET requests
// that accept text/html. The page needs no sign-in; what it asks the API for does.
func Playground() http.Handler { return newPlayground(built()) }

func built() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only for an invalid path, and this one is constant
	}
	return sub
}
