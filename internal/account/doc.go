// Package account holds accounts, their users, roles and permissions, the audit log, and the one policy that decides
// who may do what.
//
// It promises that no service acts without an actor: every service method begins with Authorize, which fails when its
// context has none. Package signin puts the actor there. This package knows neither sign-ins nor HTTP nor the nouns
// that it protects, except that an item's document names a workflow profile (HiddenProfiles).
package account
