// Package form reads multipart/form-data (RFC 7578) in the order of its parts. No file is held in memory.
//
// It promises that a form is read as it is, or refused in words: package multipart leaves out, without an error, parts
// whose names it cannot read, and takes some cut bodies for whole ones. So the end of a form is believed only when its
// last line has come, and a part whose header names a length or a SHA-256 ends without an error only if it has them.
//
// It must not know which fields and files a request takes: its callers do.
package form
