// Package workflow holds an account's workflow profiles. A profile may be limited to roles: for users of other roles
// its items do not exist.
//
// Package account applies that rule to documents, and the SQL function hidden_profiles applies it to rows. This package
// announces every change of a profile on each node. It knows items only as references to a profile.
package workflow
