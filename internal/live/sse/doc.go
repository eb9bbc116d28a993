// Package sse sends a live source to one client as server-sent events (HTML Standard §9.2).
//
// It promises that each event's id is the cursor from which the client resumes, that a client that stops reading is
// disconnected, that an idle connection carries enough traffic for proxies to keep it open, and that the client
// receives only what its user may see now. It has no queue: what a client has not read stays in the log. The package
// must not know what an event says, nor which API asked for it.
package sse
