// Package browse makes every address of an API a page in a browser: the browsable API.
//
//	request → handler ┬ a program ──────── sign-in ────────────→ REST handler → its answer, untouched
//	                  ├ a browser's GET ── sign-in ────────────→ REST handler ┐
//	                  └ a browser's form ─ sign-in → form.Read → REST handler ┤
//	                                                                          ↓
//	browser ← write ← view: the answer, forms, navigation ←─────────────── recorder
//	                    └ static ← spec, form ← OpenAPI document (at start)
//
// It promises:
//
//   - A page shows what the API answered, byte for byte. One request of the browser is one request of the API. Only a
//     form that meets 412 makes another: it reads the current representation, to show what others changed.
//   - A page offers only what its user may do, as far as the document states it. The API decides.
//   - Text that people wrote is escaped, and never becomes markup.
//   - A browser without JavaScript can read, page, filter and fill in forms.
//
// All pages are drawn from the OpenAPI document, read once at start. There is no code for any one operation, so a page
// cannot drift from what the API does. The package must not know any noun, and must not decide who may do what.
//
// Imports go one way: browse → form → spec → jsontree. Inside each package, calls go down the list of files in its
// doc.go. Here, along the way of a request:
//
//	browse.go        the pages of a document, and the answers to OPTIONS
//	handler.go       the choice: a page, a form's request, or the plain answer
//	outside.go       pages for failures outside the document's operations
//	read.go          GET: the page of an address
//	submit.go        POST of a form: its request, and the page of the answer
//	target.go        the address to which a successful form leads
//	index.go         the list of all operations, the search, and the documentation of one
//	page.go          the parts of every page
//	notice.go        the result of a form, shown on the next page
//	exchange.go      one request of the API: sign-in, handler, answer
//	write.go         sends a page with its headers
//	static.go        the parts prepared at start: navigation, forms, documentation
//	details.go       the documentation of an operation
//	templates.go     the templates
//	request_view.go  a request, and how to send it with curl
//	answer_view.go   an answer, its headers and its body
//	recorder.go      an answer, as much of it as a page shows
//	json_html.go     JSON laid out, with links
//	links.go         addresses of this server, found in texts
//	text_html.go     text, escaped
//	user.go          the user who makes a request
package browse
