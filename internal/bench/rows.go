package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// row is one line of the report.
type row struct {
	name    string // for --only
	work    string // as the report describes it
	measure func(ctx context.Context, s *stage) (result, error)
	budget  budget
	needs   needs
}

// needs are the requirements of a row, as bits.
type needs int

const (
	aWriter needs = 1 << iota // the writer; it may not fit the other build's database
	minutes                   // to measure; only with --long
	slow                      // at most maxSlowRounds
)

var (
	none       = budget{}
	statements = fmt.Sprintf("≤ %d statements", maxStatements)
)

var rows = []row{
	{"get-1", "`GET /items/{id}`, 1 client", getItem(1), none, 0},
	{"get-4", "`GET /items/{id}`, 4 clients", getItem(4), none, 0},
	{"get-8", "`GET /items/{id}`, 8 clients", getItem(8), atLeast(0.80), 0},
	{"get-32", "`GET /items/{id}`, 32 clients", getItem(32), none, 0},
	{"get-token", "`GET /items/{id}` by access token, 8 clients, against HTTP Basic", getByToken(8), atLeast(0.97), 0},
	{"list", "`GET /items?limit=50`", listItems, atLeast(0.80), 0},
	{"page", "the page `/items` of 50 items, 1 browser, against that list as JSON", listPage, atLeast(0.67), 0},
	{"graphql", "GraphQL, 50 items with tags and assets, against that list", queryItems, atLeast(0.50).and(statements), 0},
	{"filter-many", "`GET /items?tags=` and `?search=` that all items pass, against that list", filterItems("keynote", true), none, 0},
	{"filter-none", "the same that no item passes", filterItems("nothing", false), none, 0},
	{"patch-1", "`PATCH /items/{id}`, 1 client", patchItem(1), none, 0},
	{"patch-4", "`PATCH /items/{id}`, 4 clients", patchItem(4), none, 0},
	{"patch-8", "`PATCH /items/{id}`, 8 clients", patchItem(8), atLeast(0.70), 0},
	{"patch-32", "`PATCH /items/{id}`, 32 clients", patchItem(32), none, 0},
	{"import", "import, lines", importLines, none, 0},

	{"fanout-500", "fan-out to 500 subscribers", fanOut(500, 1, inBursts), none, aWriter | minutes | slow},
	{"fanout-2000", "fan-out to 2,000 subscribers", fanOut(2000, 1, inBursts), atLeast(0.70), aWriter | slow},
	{"fanout-2000-slow", "fan-out to 2,000 subscribers, one change at a time", fanOut(2000, 1, oneByOne), atLeast(0.70), aWriter | slow},
	{"fanout-2000-tokens", "fan-out to 2,000 subscribers by ten access tokens with different filters, against one user",
		fanOutToTokens(2000, inBursts), atLeast(0.90), aWriter},
	{"fanout-2000-distinct", "fan-out to 2,000 subscribers with 50 distinct queries", fanOut(2000, 50, inBursts), none, aWriter | minutes | slow},
	{"fanout-5000", "fan-out to 5,000 subscribers", fanOut(5000, 1, inBursts), none, aWriter | minutes | slow},
	{"idle", "memory of an idle subscription, of 5,000", idle, atMost(25e3), slow},
	{"subscribe", "commit → subscriber, 1,000 changes/s, a write transaction left open", subscribe, within(5, 15), aWriter | slow},

	{"hooks-1", "hook deliveries to one endpoint", hooks(1, 30_000), atLeast(0.50), aWriter},
	{"hooks-10", "hook deliveries to ten endpoints", hooks(10, 3000), atLeast(0.50), aWriter},
	{"hook-latency", "commit → received by a hook's endpoint, 500 changes/s", hookLatency, within(15, 0), aWriter | slow},
	{"hook-dead", "commit → received by seven endpoints, beside one that hangs, or three bad ones", hookDead,
		conditional("adds < 5 % to p99"), aWriter | minutes | slow},
	{"hook-backlog", "100,000 deliveries that waited for one endpoint, while another receives", hookBacklog, none,
		aWriter | minutes | slow},

	{"workflow", "a step of a workflow, 50 runs/s of five automatic actions and three tasks", workflowRuns,
		within(20, 0).and("≤ 10 ms of Postgres's CPU time a run"), slow},

	{"ticket", "checks of upload tickets on one core, against the signature and the JSON alone", checkTickets, none, 0},

	{"upload-form", "`POST /uploads` of a large file, MB, against `io.Copy` to a file on the same disk, and fsync", uploadByForm, atLeast(0.85), 0},
	{"upload-tus", "a resumable upload of it, MB, against tusd's own server on the same disk", uploadByTus, atLeast(0.95), 0},
	{"upload-memory-form", "growth of the resident memory during `POST /uploads` of four such files in one", memoryOfUpload(byForm),
		atMost(32e6), slow},
	{"upload-memory-tus", "the same during a resumable upload", memoryOfUpload(byTus), atMost(32e6), slow},
	{"playable", "last byte of a minute of 1080p → its lowest rung plays in HLS, against ffmpeg by hand", timeToPlay,
		atMostRatio(1.15).and("≤ 15 s"), slow},
	{"segments", "HLS segments of a public item, 8 clients, against nginx with sendfile", deliverSegments, atLeast(0.50), 0},

	{"memory", "resident memory after 10 s each of GET, list, PATCH and GraphQL, 32 clients", memoryAfterLoad(0), none,
		minutes | slow},
	{"memory-idle", "resident memory after that load and three idle minutes", memoryAfterLoad(3 * time.Minute), none, minutes | slow},
}

// Names returns the names of all rows.
func Names() []string {
	names := make([]string, len(rows))
	for n, r := range rows {
		names[n] = r.name
	}
	return names
}

// choose returns the rows with the given names, in the order of the names. A name may also be that of a group: "get"
// selects "get-1", "get-4" and so on. Without names, choose returns all rows, or all that are not long.
func choose(names []string, long bool) (chosen []row, err error) {
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.needs&minutes != 0 && !long }), nil
	}
	for _, name := range names {
		found := rowsWhere(func(r row) bool { return r.name == name })
		if found == nil {
			found = rowsWhere(func(r row) bool { return strings.HasPrefix(r.name, name+"-") })
		}
		if found == nil {
			return nil, fmt.Errorf("there is no row %q; choose from %s", name, strings.Join(Names(), ", "))
		}
		chosen = append(chosen, found...)
	}
	return chosen, nil
}

func rowsWhere(is func(row) bool) (found []row) {
	for _, r := range rows {
		if is(r) {
			found = append(found, r)
		}
	}
	return found
}
