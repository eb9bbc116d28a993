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
	budget  budget
	measure func(ctx context.Context, s *stage) (result, error)
	writes  bool // uses the writer, which must fit the database
	long    bool // takes minutes
}

var rows = []row{
	{name: "get-1", work: "`GET /items/{id}`, 1 client", measure: getItem(1)},
	{name: "get-4", work: "`GET /items/{id}`, 4 clients", measure: getItem(4)},
	{name: "get-8", work: "`GET /items/{id}`, 8 clients", measure: getItem(8), budget: atLeast(0.80)},
	{name: "get-32", work: "`GET /items/{id}`, 32 clients", measure: getItem(32)},
	{name: "list", work: "`GET /items?limit=50`", measure: listItems, budget: atLeast(0.80)},
	{name: "graphql", work: "GraphQL, 50 items with tags and assets, against that list", measure: queryItems,
		budget: atLeast(0.50).and(fmt.Sprintf("≤ %d statements", maxStatements))},
	{name: "patch-1", work: "`PATCH /items/{id}`, 1 client", measure: patchItem(1)},
	{name: "patch-4", work: "`PATCH /items/{id}`, 4 clients", measure: patchItem(4)},
	{name: "patch-8", work: "`PATCH /items/{id}`, 8 clients", measure: patchItem(8), budget: atLeast(0.70)},
	{name: "patch-32", work: "`PATCH /items/{id}`, 32 clients", measure: patchItem(32)},
	{name: "import", work: "import, lines", measure: importLines},
	{name: "fanout-500", work: "fan-out to 500 subscribers", measure: fanOut(500, 1, inBursts), writes: true, long: true},
	{name: "fanout-2000", work: "fan-out to 2,000 subscribers", measure: fanOut(2000, 1, inBursts), writes: true, budget: atLeast(0.70)},
	{name: "fanout-2000-slow", work: "fan-out to 2,000 subscribers, one change at a time", measure: fanOut(2000, 1, oneByOne), writes: true,
		budget: atLeast(0.70)},
	{name: "fanout-2000-distinct", work: "fan-out to 2,000 subscribers with 50 distinct queries", measure: fanOut(2000, 50, inBursts),
		writes: true, long: true},
	{name: "fanout-5000", work: "fan-out to 5,000 subscribers", measure: fanOut(5000, 1, inBursts), writes: true, long: true},
	{name: "idle", work: "memory of an idle subscription, of 5,000", measure: idle, budget: atMost(25e3)},
	{name: "subscribe", work: "commit → subscriber, 1,000 changes/s, a write transaction left open", measure: subscribe, writes: true,
		budget: within(5*time.Millisecond, 15*time.Millisecond)},
	{name: "hooks-1", work: "hook deliveries to one endpoint", measure: hooks(1, 30_000), writes: true, budget: atLeast(0.50)},
	{name: "hooks-10", work: "hook deliveries to ten endpoints", measure: hooks(10, 3000), writes: true, budget: atLeast(0.50)},
	{name: "hook-latency", work: "commit → received by a hook's endpoint, 500 changes/s", measure: hookLatency, writes: true,
		budget: within(15*time.Millisecond, 0)},
	{name: "hook-dead", work: "the same for seven endpoints, beside one that hangs, or three bad ones", measure: hookDead, writes: true, long: true,
		budget: conditional("adds < 5 % to p99")},
	{name: "hook-backlog", work: "100,000 deliveries that waited for one endpoint, while another receives", measure: hookBacklog, writes: true, long: true},
	{name: "memory", work: "resident memory after 10 s each of GET, list, PATCH and GraphQL, 32 clients", measure: memoryAfterLoad(0), long: true},
	{name: "memory-idle", work: "the same, three idle minutes later", measure: memoryAfterLoad(3 * time.Minute), long: true},
}

// Names returns the names of all rows.
func Names() []string {
	names := make([]string, len(rows))
	for n, r := range rows {
		names[n] = r.name
	}
	return names
}

// choose returns the rows with the given names, in the order of the names. What is no name may be a group: "get" selects "get-1", "get-4" and
// so on. Without names, choose returns all rows, or all that are not long.
func choose(names []string, long bool) (chosen []row, err error) {
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.long && !long }), nil
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
