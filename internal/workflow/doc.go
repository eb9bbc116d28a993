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
package workflow
