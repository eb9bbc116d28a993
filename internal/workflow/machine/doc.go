// Package machine is the state machine of workflow runs. It is pure: it has no database, no clock and no HTTP. A state
// and an event give the next state, and the effects that package workflow commits with it in one transaction.
//
//	Start ─▶ pending (begin)
//	              │ Advance: tasks at workflow_start
//	              ▼
//	         running (start) ──all awaited tasks answered──▶ enter the first action
//
//	enter action k: tasks before k
//	              │
//	              ├─ one is awaited ─▶ running (before) ──answered──▶ arrive; skip ─▶ leave; fail ─▶ k fails
//	              ▼
//	arrive at k ──┬─ process, publish, archive ─▶ running (run) ──Advance: the action's effects──▶ leave
//	              │                                  └─ process ─▶ running (process) ──ProcessResult──▶ leave
//	              └─ edit, approve ─▶ waiting (person) ──Act, Deadline──▶ leave
//	leave k: tasks after k
//	              │
//	              ├─ one is awaited ─▶ running (after) ──answered──▶ enter k + 1
//	              ▼
//	         enter k + 1, or after the last action: completed, tasks at workflow_complete
//
//	k fails, a reject, an awaited task fails ─▶ failed, tasks at workflow_failed        Cancel ─▶ cancelled, no tasks
//
// In brackets: the phase. A move is one event that applies. It goes on until the run waits, ends, or meets the effects
// of the next automatic action. So each automatic action has a move, and an item change, of its own.
//
// # Invariants
//
//  1. A run that has ended never changes: completed, failed and cancelled are final.
//  2. Actions end in their order. Of the actions, at most one is running or waiting, the current one. A failed action
//     fails the run.
//  3. A move contains the effects of at most one automatic action.
//  4. A task is recorded at most once, at its moment: at workflow_start before all others, before_action before its
//     action ends, after_action after it, workflow_complete only of a completed run, workflow_failed only of a failed
//     one. Cancelling records none.
//  5. A run waits for a task only if the task says so, and never after its end.
//  6. A run that has not ended has a reason: it waits for a task, a person or the processor, or [State.Next] names what
//     Advance does.
package machine
