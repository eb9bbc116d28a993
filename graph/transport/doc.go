// Package transport carries GraphQL operations over HTTP (GraphQL over HTTP), server-sent events (graphql-sse, distinct
// connections) and WebSocket (graphql-transport-ws).
//
// It promises what each protocol says, with the statuses and close codes that the protocol names. A subscription is
// executed once for all who ask for the same, and each event is rendered once; a subscriber costs an envelope and a
// write. A client that stops reading is disconnected after a deadline and delays nobody else. The package must not know
// the schema, nor any resolver.
//
// The files, from the request to the answer: accept.go and params.go (read the request), http.go (one answer),
// event_stream.go (a stream of events), handshake.go, websocket.go, socket.go, message.go, operation.go and frame.go (a
// WebSocket: broken handshakes, accept, connection, messages, operations, frames), subscription.go (one execution for
// many followers), response.go and errors.go (write the answer), server.go (what they share).
//
// # A WebSocket's goroutines and locks
//
//	reader (socket.read)          one goroutine: reads messages, starts and stops operations
//	  │ subscribe
//	  ▼
//	socket.run ──▶ socket.follow  one goroutine an operation: executes it, then writes what it follows
//	timer                         the deadline of connection_init, then pings; runs for a moment each time
//	close                         one short goroutine: writes the close frame
//
// socket.mu guards the timer, the cleanups, the running operations and closing. frames.mu serializes writes, and stays
// locked while a slow client makes a write wait; so no goroutine asks for frames.mu while it holds socket.mu. The one
// lock that is taken under frames.mu is socket.mu, when an operation's last message checks that the operation still
// runs. sockets.mu guards the list of open sockets and is held with no other lock.
package transport
