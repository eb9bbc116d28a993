// Package sse sends a live source to one client as server-sent events (HTML Standard §9.2).
//
// It promises that each event's id is the cursor from which the client resumes, that a client that stops reading is
// disconnected, that an idle connection carries enough traffic for proxies to keep it open, and that the client
// receives only what its user may see now. It has no queue: events that a client has not read stay in the log. The
// package must not know the content of an event, nor the API that it belongs to.
package sse
