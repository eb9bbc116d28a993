// Package tusclient uploads files by tus 1.0 (https://tus.io/protocols/resumable-upload).
//
//	creating ──POST──▶ locating ──HEAD──▶ sending ──PATCH, PATCH …──▶ done
//	                      ▲                  │
//	                      └──── a failure ───┘
//
// # What it promises
//
//   - A failure that may pass (a cut connection, a server that restarts, a lock, a checksum that does not match) costs
//     at most one chunk: the client waits, asks for the server's offset and goes on from there.
//   - It gives up only after RetryFor without a byte that the server has kept.
//   - Every chunk carries its SHA-256 (the protocol's checksum extension). A server without that extension ignores it.
//   - A connection that takes no bytes is cut, and the upload goes on over another one.
//   - Credentials go to the endpoint only, with the request that creates the upload. Its URL is the key to the rest.
//
// # What it must not know
//
// Files and how they are named, and what a server makes of an upload.
package tusclient
