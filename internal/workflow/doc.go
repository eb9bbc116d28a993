// Package workflow holds an account's workflow profiles. A profile may be limited to roles: for users of other roles
// its items do not exist.
//
// Package account applies that rule to documents, and the SQL function hidden_profiles to rows; this package
// announces every change of it on each node. It knows items only as references to a profile.
package workflow
