// Package upload turns files that people send on a ticket into items, and accounts for those that users add to items
// (package attach). An upload is a row:
//
//	            ┌─ Finish: items, files and state in one transaction ─▶ done    the nonce is spent
//	receiving ──┤
//	            └─ an error, Stop, or a dead node ─────────────────────▶ ended   the nonce is free again
//
// # What it promises
//
//   - A ticket's nonce makes one upload, under any concurrency: a unique index reserves it from the first byte on.
//   - An item exists only after every file of its upload has been stored and measured. Either all items of an upload
//     exist or none.
//   - The type of a file is that of its first bytes, never what its name or its client says.
//   - No upload takes more of the quotas of its account and its profile than it has reserved before it began. One that
//     does not say how long it is reserves as it grows. The reservation is the row: it ends with the state receiving,
//     in the transaction that publishes the files, or that ends the upload.
//   - What a dead node leaves of a form is ended by another: its row is not seen for two minutes, and its files go. A
//     node that was only paused finds its row ended, and makes no item.
//   - It never holds a file in memory.
//
// # Resumable uploads
//
// The bytes of a resumable upload come in several requests, to any node. They are segments of the storage, whose keys
// and lengths are in the row: only what is there counts.
//
//	CreateResumable ─▶ receiving ─ Hold, Write … LetGo ─▶ complete ─ Finish ─▶ done
//	                       │                                  └─ it cannot become an item ─▶ ended
//	                       └─ Terminate, Stop, a day without a byte ─▶ ended
//
// One request holds an upload at a time, on all nodes. Each of its statements names the holder, so that one that was
// taken for dead changes nothing. Another request asks the holder to let go. A node that has died holds nothing,
// because each node has an advisory lock of Postgres while it lives.
//
// A segment's key is in the row before its first byte is stored, and until its bytes have been deleted. A segment that
// a dead node may still write into gets no more bytes, and is copied at the end. In a folder, an upload that was never
// torn is one segment, which becomes the file without a copy.
//
// What is complete becomes an item: by the request that sent the last byte, by the next one, or by Run.
//
// A ticket stands for no user. Its items are made by the system, with the right to create and, if the profile says so,
// to publish, and nothing else.
//
// # What it must not know
//
// HTTP and forms: package oneshot reads them. Where bytes are: package media stores them.
package upload
