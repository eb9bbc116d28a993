// Package ticket reads the tickets with which people's browsers and devices upload files without credentials. The
// owner's server signs a ticket with the upload secret of a workflow profile:
//
//	owner's server                    browser                          Itemcast
//	──────────────                    ───────                          ────────
//	JSON ─base64url─▶ info
//	info, secret ─HMAC─▶ signature ──▶ info, signature ──▶ files ──▶ Parse: signature ▶ fields ▶ Ticket
//
// # What it promises
//
//   - Nothing of a ticket is trusted before its signature holds, but for the id of the profile, by which the secret is
//     found. No error before that contains a part of the ticket.
//   - An unknown profile, a profile without a secret, and a wrong signature have the same answer: it does not tell
//     which profiles exist.
//   - Signatures are compared in constant time. During a rotation, both secrets are tried.
//   - A ticket narrows what its profile allows, and never widens it.
//   - One error names all faults of a signed ticket, at their places.
//
// # What it must not know
//
// HTTP, the database, and whether a nonce has been used. The time and the profile's terms are arguments. It checks what
// only tickets have; package item checks the item input.
package ticket
