// Package password hashes and verifies passwords, and states the rules for a password that a person chooses.
//
// It bounds the hashes that this process computes at once. It knows no users and stores nothing.
package password
