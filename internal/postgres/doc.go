// Package postgres runs a real Postgres as a child process, on a data directory that it retains between starts.
//
// `itemcast serve` uses it when ITEMCAST_DATABASE_URL is empty. It promises:
//
//   - It never wipes, upgrades or repairs a data directory. The first start prepares the cluster beside the directory
//     and renames it into place, so an interrupted start leaves no incomplete cluster. Anything unexpected is an error
//     that says what was found and what to do.
//   - One owner at a time: the owner holds a flock on DataDir+".lock", which the kernel releases when the process ends.
//   - A Postgres that outlived its owner is shut down before a new one starts. On Linux it does not outlive its owner:
//     the kernel then sends it the signal for a fast shutdown.
//   - A Postgres that dies is restarted on the same port, so [Server.URL] stays valid. After several deaths in quick
//     succession it is abandoned, and [Server.Done] closes.
//   - Access is private: Postgres listens on 127.0.0.1 only, and requires a random password (scram-sha-256), which is
//     stored in the data directory, readable by the owner of the directory only.
//
// Postgres refuses to run as root. When root starts it, it runs as the owner of the data directory; a new directory is
// owned by the user `postgres`, or else `nobody`. It receives the open directory instead of a path, so the directory
// may lie below one that this user cannot enter, such as /root.
//
// The package must not know Itemcast's schema, pools or migrations (package db). It works on Unix only.
package postgres
