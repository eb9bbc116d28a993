// Package bench measures Itemcast (`make bench`) and tests its endurance (`make soak`). The budgets are in rows.go.
//
//	this process                        processes that it starts
//	────────────                        ────────────────────────
//	load generator, closed loop ──A──▶  this build:  itemcast serve ──▶ its own Postgres ◀──┐
//	                            ──B──▶  other build: itemcast serve ──▶ its own Postgres    │
//	                            ──C──▶  baseline:    net/http + pgx ────────────────────────┘
//	WebSocket subscribers       ◀─────  itemcast serve, or the baseline's broadcast
//	endpoints of hooks          ◀─────  itemcast serve, or the baseline's posting loop
//
// The baseline is hand-written code for the same work. The other build is optional (BESIDE). Each build has a temporary
// database that is seeded through the import of its REST API.
//
// Rounds alternate: this build, the other build, the baseline, and so on. Each round gives one ratio for each pair,
// and the report shows the median ratio. When builds are compared, every round has new processes and new databases.
// All processes share the machine's cores. So the cost of a request counts in every process, and other work on the
// machine disturbs all sides alike. The report also shows CPU time, which depends much less on other work.
//
// The writer changes items by SQL, because PATCH would itself occupy the machine. It sequences its changes with this
// build's change.Sequencer, on both databases. When the other build does not publish such a change, its schema is too
// different, and the report marks the rows that need the writer as not comparable.
//
// When Run or Soak returns, no process runs and no file is left.
//
// # Files
//
//	bench.go, rows.go, budget.go   Run, the table of rows, and what each must reach
//	row_*.go                       what each row measures
//	compare.go, figure.go          rounds that alternate; the numbers that are compared
//	report.go, machine.go          the report
//	stage.go, build.go             the processes of a report; one build with its database
//	node.go, api.go, memory.go     a process of `itemcast serve`, requests to it, its memory
//	seed.go, writer.go, pace.go    the items, and changes of them by SQL
//	load.go, client.go, cpu.go     the closed loop, its HTTP client, CPU time
//	follower*.go, crowd.go         thousands of subscribers that only count
//	subscriber.go, delivery.go     a subscriber that records each change; lost, late and reordered changes
//	endpoint.go, answer.go         receivers of hooks
//	hooks.go                       hooks that send to them, and pauses of the node
//	inbox.go, clip.go, nginx.go    uploads with tickets; a video that ffmpeg makes; a server of files
//	baseline*.go                   the baseline's process, its HTTP handlers and its tables
//	broadcast.go, posting.go       the baseline of fan-out, and of hooks
//	baseline_upload.go             the baselines of uploads
//	soak.go                        Soak, and the table of soaks
//	soak_*.go                      the soak of subscribers: its steps, one subscriber, the transports, the report
//	clock.go                       sleep
//
// To add a row, write row_NAME.go and add a line to rows. To add a soak, write soak_NAME.go and add a line to soaks.
package bench
