// Package outgoing sends files of this machine to a server and remembers how far they came (`itemcast upload`).
//
// # What it promises
//
//   - A process that is killed at any moment is resumed by the same call of another process, at the server's offset.
//   - A file that has been sent is not sent again, unless Again asks for it, or Present says that it has been deleted.
//   - A file that has changed since its upload began is never completed from two versions: the upload begins anew, or
//     ends with ErrChanged if the file changes while it is sent.
//   - Two processes do not send the same file to the same place at once.
//
// # The state
//
// One small file for each upload, in a folder that only its user can read: the URL of an upload is the key to it. Its
// name is a hash of what makes an upload the same: server, file, ticket, and what the server is told about the file. A
// lock on it (flock) keeps others out, and ends with its process.
//
// It must not know flags, nor what people are shown.
package outgoing
