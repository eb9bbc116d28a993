// Package live follows the change log for subscribers.
//
// It promises each subscriber every change that it asked for, in the log's order, once. A subscriber that resumes
// continues after its cursor. A slow subscriber delays nobody: it reads at its own pace, from memory while that reaches
// back far enough, else from the database. The package must not know how an event is rendered or sent.
//
//	                 one goroutine for each distinct visibility and source
//	              ┌──────────────────────────────────────────────────────┐
//	change.Feed ─▶│ Subscription ─────▶ Render ──────▶ stream.messages   │
//	              │ filter, visibility  once for all   the newest ones   │
//	              └──────────────────────────────────────────────────────┘
//	                     moved: closed when there is more │ after(position)
//	                                                      ▼
//	                         Follower … Follower, each on the goroutine of its client
//	                             │ position < floor: the stream has dropped what it needs
//	                             ▼
//	                         reader: a Subscription of its own, at the follower's pace,
//	                                 until position ≥ floor, when it rejoins the stream
//
// # Locks
//
// Hub.mu guards the hub's maps and the streams' follower counts. stream.mu guards a stream's messages and its end. No
// goroutine holds both. Followers, subscriptions and readers belong to one goroutine each and need no lock.
//
// The files, from the log to the client: subscription.go (filter), workflow.go (changes of workflows), visibility.go
// (what the subscriber may see), decoded.go (items before and after a change), stream.go (render once), reader.go
// (render for one), follower.go (one client), hub.go (all of a node).
package live
