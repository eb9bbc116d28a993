// Package token manages access tokens. A token lets a program or a page act for a user without a password, within
// narrower limits: some of the user's permissions, the items that pass a filter, pages of certain origins, a number of
// requests a minute.
//
// It promises that a secret is shown once, when it is made, and that only its digest is stored; and that a token never
// gives more than its user has. At each request package signin intersects the token's permissions with the user's. Each
// user manages their own tokens; an actor with users.manage manages all of the account. It must not know how a request
// brings a secret, nor how a filter is applied.
package token
