// Package workflow holds an account's workflow profiles: what happens to an item that has one (actions), and what is
// sent to other servers meanwhile (tasks). A profile may be limited to roles: for users of other roles its items do not
// exist.
//
// Package account applies that rule to documents, and the SQL function hidden_profiles applies it to rows. This package
// announces every change of a profile on each node.
//
// # What profiles promise
//
//   - One answer names all faults of a profile at their places. An action's role sees the profile's items.
//   - Each change of actions or tasks is a version, which is never changed nor deleted: a run keeps the version with
//     which it began, and its history shows it.
//   - The secret that signs tasks is shown once, and the values of headers never. When a task's URL moves to another
//     host, its headers must be entered again. A version has no values of headers: the hook of a task's URL has them.
//   - The secret that signs tickets for uploads is another one, and is shown once too. A copy of a profile has neither.
//
// # What runs promise
//
//   - A run begins in the transaction that sets its item's profile, or asks for it.
//   - Every step is an item change in the log, one for each automatic action, in order.
//   - A killed node loses no step, doubles no effect and no task. A step that fails, or kills its process, five times
//     fails visibly.
//   - Of two people who act at once one wins.
//   - A run that has not ended says why in one sentence.
//
// # How
//
// Package machine decides: a state and an event give the next state and its effects. A move is part of one transaction,
// which locks the item's row first, and then everything of its run (move.go). Moves that follow each other at once
// share it:
//
//	item write ──Starter.Begin──▶ run, job ─┐
//	person ──Act, Start, CancelRun──────────┤                 ┌─▶ item's next revision, its change
//	dispatcher ──Starter.TaskEnded──▶ answer┼─▶ job ─▶ move ──┼─▶ TRIGGERED changes of tasks, and of a reminder
//	time: reminder, deadline, sweep ────────┤                 ├─▶ history, run
//	processor ──ProcessResult───────────────┘                 └─▶ the next job: processor, reminder, deadline
//
// A job only wakes (job.go): two for one run are harmless, and one too many finds nothing to do. Only the processor
// runs outside a transaction, under a lease (process.go).
//
// # Goroutines of a node
//
//	goroutine             waits for                              writes
//	─────────             ─────────                              ──────
//	Service.Run           LISTEN of profiles                     nothing; it calls Config.Changed, and drops the terms
//	                                                             of uploads that it has read
//	 ├ work               River's workers: jobs                  the database, a transaction for each move
//	 │  └ keepLease       1 s, of each processing                the lease and the progress
//	 ├ announce           the launcher's signals                 a NOTIFY in a transaction of its own
//	 ├ sweep              5 s ±20 %                              jobs for late runs
//	 └ sweepHooks         10 min ±20 %                           the end of hooks that nothing needs
//
// # What it must not know
//
// Transports, how a delivery is sent, and what a media processor does. It imports item and hook, never the reverse.
//
// # The files of runs
//
// starter.go (Begin), act.go (people), move.go (a move), answer.go (tasks), process.go (the processor), job.go and
// runner.go (jobs, workers, sweep), hooks.go (the hooks of tasks), event.go and history.go (the history), run.go,
// run_read.go, run_view.go, explain.go and explain_people.go (reads), run_metrics.go.
package workflow
