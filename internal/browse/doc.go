// Package browse makes every address of an API a page in a browser: the browsable API.
//
//	                       ┌ no ──────────────────────────── sign-in → the API's handlers: exactly what a client has always got
//	request ─ text/html? ──┤
//	                       └ yes ─ form? → API request ─┐
//	                               address ─────────────┴──→ sign-in → the very same handlers, recorded → page
//
// It promises that a page shows what the API answered, byte for byte, and asks the API nothing else: one request of the browser is one
// request of the API. (A form that meets 412 is the exception: it reads what there is now, to show what has changed.) It promises
// that a page offers only what its user may do, that nothing of what people have written becomes markup, and that whatever has no
// JavaScript can read, page, filter and fill in forms.
//
// All of it is drawn from the OpenAPI document, when the program starts: documentation, filters, forms, navigation. There is no code
// for any one operation, so a page cannot drift from what the API does. It must not know any noun, nor decide who may do what: it
// compares the permission that the document asks for (x-permission) with those of the user that signed in, and the API decides.
package browse
