// Package attach adds files to items that exist, for users who may edit them: from the body of a request, or from a
// URL. Each file becomes an asset or a snapshot, as one change of the item.
//
// It promises:
//
//   - The item and the user are checked before a byte of the file is read, and again in the transaction that adds it.
//   - The type of a file is that of its first bytes, never what its name, its client or its server says.
//   - The item shows a file only after all of it has been stored. After an error nothing of it remains.
//   - No address is fetched that hooks may not reach.
//
// It must not know HTTP requests and forms: package core reads them.
package attach
