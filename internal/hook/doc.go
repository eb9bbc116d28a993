// Package hook manages hooks: endpoints of other applications that receive item changes as signed HTTP POSTs. It
// stores the settings of hooks, decides which changes a hook asks for, and shows the log of deliveries. Package
// dispatch sends: it turns the log of changes into deliveries, queues them, and retries.
//
//	REST, GraphQL ─▶ hook.Service ─▶ hook, hook_replay, delivery, delivery_attempt ◀─ dispatch.Dispatcher ─▶ endpoints
//	                      ▲                                                                   │
//	                      └──────── Matchers, delivery ids, messages, Disable ────────────────┘
//
// dispatch imports hook, never the reverse. One call runs the other way, through Config.Wake: after a commit that
// makes a delivery due, the service wakes the dispatcher of its process. The dispatchers of other processes find the
// delivery in their next sweep.
//
// # What it promises
//
//   - Every change to a hook is authorized, raises its revision, and is recorded in the audit log. Results of
//     deliveries do not raise the revision.
//   - A secret is shown once. The values of headers are never shown. When a hook's URL moves to another host, the
//     owner must enter them again.
//   - A filter and a list of items agree on which items match.
//   - A delivery has the same id however often it is sent (id.go).
//   - No hook reaches a network or a port that the operator has not allowed. Package egress checks each connection.
//     When a URL's host is an address, the same rule is applied as soon as the URL is set.
//
// # Tasks of workflows
//
// A workflow profile's tasks to one URL are a hidden hook (task.go). A due task is a TRIGGERED change that names the
// hook as its target, so tasks are queued, ordered, retried, logged and redelivered like everything else. Package
// workflow owns the profiles and their runs; it tells this package which tasks a profile has, and which are due.
//
// # What it must not know
//
// How a document is rendered, and when a delivery is sent. Nor who may see an item: a hook belongs to an account,
// and receives the changes of all its items.
//
// # The files, from top to bottom
//
// Calls go down this list, and none goes up:
//
//	service.go                                          the service and its parts
//	hook.go, secret.go                                  create, list, change, delete; rotate the secret
//	trigger.go, sample.go, replay.go, redeliver.go      manual actions: trigger, test, replay, redeliver
//	task.go                                             tasks of workflows: hidden hooks, and their changes
//	deliveries.go, delivery.go, sight.go                the log of deliveries, and who sees which
//	row.go                                              rows of hooks
//	audit.go                                            the audit log; Itemcast makes a hook inactive
//	check.go, settings.go                               the rules for settings; merge patches
//	interest.go, decoded.go, filter.go                  which changes a hook asks for
//	message.go, id.go                                   messages to endpoints, and their ids
//	items.go, concurrency.go                            the item service as hooks see it; a limit on tests
package hook
