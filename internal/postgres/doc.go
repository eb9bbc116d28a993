// Package postgres runs a real Postgres as a child process on a data directory of its own, and keeps the data between starts.
//
// It is what `itemcast serve` uses when no ITEMCAST_DATABASE_URL is given. It promises:
//
//   - A data directory is never wiped, upgraded or repaired. A first start is prepared beside it and renamed into place, so an
//     interrupted one leaves nothing half made; anything unexpected is an error that says what was found and what to do.
//   - One owner at a time: the owner holds a flock on DataDir+".lock", which ends with the process, however it ends.
//   - A Postgres that outlived its owner is shut down before a new one starts. On Linux it does not outlive it in the first place:
//     the kernel tells it to shut down when its owner dies.
//   - A Postgres that dies is restarted on the same port, so [Server.URL] stays right. After several deaths in quick succession
//     the server gives up, and [Server.Done] closes.
//   - Nobody else gets in: it listens on 127.0.0.1 only, and asks for a random password (scram-sha-256) that is kept in the data
//     directory, readable by the server's account only.
//
// Postgres refuses to run as root. Started by root, it runs as the owner of the data directory (`postgres`, else `nobody`, for a
// new one), and is handed the directory itself, not a path: so the directory may well be below one that this account may not enter,
// such as /root.
//
// The package knows nothing of Itemcast's schema, of pools or of migrations: see package db. It is for Unix.
package postgres
