// Package media stores the files of items, and lets them be fetched.
//
// A file belongs to an asset or a snapshot. Its address is /media/ASSET/NAME. One asset may have many files: relative
// links between them, such as those of a playlist, lead to files of the same asset. The files of an asset never change.
//
//	Stage ──▶ staged ──Publish, in the item's transaction──▶ published ──Drop, in the item's transaction──▶ dropped
//	            │   nobody can fetch it                          │   can be fetched                          │ a grace
//	            │                                                │                                           ▼
//	            └─Discard, or 24 hours without Publish─▶ dropped └─the item no longer has the asset─▶ dropped  deleted
//
// It promises:
//
//  1. A file can be fetched from the moment its item shows it, and not before: both are one transaction.
//  2. What can be fetched are the bytes that Stage received: their length and SHA-256 are in the table.
//  3. The storage has no bytes that no row of the table knows. A row exists before the first byte, and until the bytes
//     have been deleted. A killed node leaves rows, from which the sweep deletes the bytes.
//  4. A private file is given only to actors who may see its item, and to those who have a link that is signed for its
//     asset and has not expired.
//
// Package blob carries the bytes. The table is media_file. It must not know what is in a file, nor HTTP.
package media
