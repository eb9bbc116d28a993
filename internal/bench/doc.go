// Package bench measures Itemcast against hand-written baselines in the same run: `make bench`. The budgets are those of the design (§11).
//
//	this process                        processes it starts
//	────────────                        ───────────────────
//	8 connections, closed loop ──A──▶   bin/itemcast serve ──▶ Postgres of its own, in a temporary directory
//	                           ──B──▶   baseline: net/http + pgx ──▶ the same Postgres
//	WebSocket subscribers      ◀─────   bin/itemcast serve
//	endpoints of hooks         ◀──A──   bin/itemcast serve
//	                           ◀──B──   baseline: a loop that posts
//
// Rounds alternate, A B A B …; each pair gives one ratio, and the median of the ratios is the result. All of it shares the machine's cores,
// so that what a request costs anywhere counts, and what disturbs the machine disturbs both sides of a pair.
//
// A row of the report is a file row_*.go and a line in rows. The package leaves nothing running and nothing on disk.
package bench
