// Package hook manages hooks: endpoints of other applications that receive item changes as signed HTTP POSTs. It
// has the settings of hooks, what they ask for, and the log of their deliveries. Package dispatch sends: it fans
// the log of changes out into deliveries, and has the queue and the retries.
//
//	REST, GraphQL ─▶ hook.Service ─▶ hook, hook_replay, delivery, delivery_attempt ◀─ dispatch.Dispatcher ─▶ endpoints
//	                      ▲                                                                   │
//	                      └──────── what a hook asks for, ids, messages, Disable ─────────────┘
//
// dispatch imports hook, never the reverse. One call runs against that arrow, through Config.Wake: after a commit
// that makes a delivery due, the service wakes the dispatcher of its process, which otherwise finds it by its
// sweep.
//
// # What it promises
//
//   - Every change to a hook is authorized, raises its revision, and is recorded in the audit log. How a hook fares
//     does not raise the revision.
//   - A secret is shown once. The values of headers are never shown, and do not follow a hook to another host.
//   - A filter and a list of items agree on which items match.
//   - A delivery has the same id however often it is sent (id.go).
//   - No hook reaches a network or a port that it may not. A URL whose host is such an address is refused when it is
//     set, by the rule that package egress applies to each connection, so that the owner learns of it at once.
//
// # What it must not know
//
// How a document is made, and who may see an item: a hook belongs to an account, and receives changes of all its
// items. When a delivery is sent.
//
// # The files, from top to bottom
//
// Calls go down this list, and none goes up:
//
//	service.go                                          the service and its parts
//	hook.go, secret.go                                  create, list, change, delete; rotate the secret
//	trigger.go, sample.go, replay.go, redeliver.go      what people do by hand
//	deliveries.go, delivery.go                          the log of deliveries
//	row.go                                              rows of hooks
//	audit.go                                            the audit log; what Itemcast itself does to a hook
//	check.go, settings.go                               the rules for settings; merge patches
//	interest.go, decoded.go, filter.go                  which changes a hook asks for
//	message.go, id.go, items.go, concurrency.go         requests, ids, and what is needed of others
package hook
