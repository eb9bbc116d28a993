package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Config says what to measure, and how long.
type Config struct {
	Itemcast    string        // the product's binary
	Rounds      int           // pairs of rounds
	Round       time.Duration // how long a round takes
	Only        []string      // names of rows; empty: all
	Items       int           // how many there are
	Connections int           // of the load generator
	Profiles    string        // a directory for CPU profiles of the product, taken during each row; "": none
	Out         io.Writer     // the report
	Progress    io.Writer     // what is going on
}

// row is one line of the report.
type row struct {
	name    string // as --only has it
	work    string
	budget  string
	measure func(ctx context.Context, s *stage) (result, error)
}

const noBudget = "–"

var rows = []row{
	{"get", "`GET /items/{id}`", "≥ 0.80", getItem},
	{"list", "`GET /items?limit=50`", "≥ 0.80", listItems},
	{"graphql", "GraphQL, 50 items with tags and assets, against that list", "≥ 0.50, ≤ 3 statements", queryItems},
	{"patch", "`PATCH /items/{id}`", "≥ 0.70", patchItem},
	{"fanout-500", "fan-out to 500 subscribers", noBudget, fanOut(500, 1, inBursts, 0)},
	{"fanout-2000", "fan-out to 2,000 subscribers", "≥ 0.70", fanOut(2000, 1, inBursts, 0.70)},
	{"fanout-2000-slow", "fan-out to 2,000 subscribers, one change at a time", "≥ 0.70", fanOut(2000, 1, oneByOne, 0.70)},
	{"fanout-2000-distinct", "fan-out to 2,000 subscribers with 50 distinct queries", noBudget, fanOut(2000, 50, inBursts, 0)},
	{"fanout-5000", "fan-out to 5,000 subscribers", noBudget, fanOut(5000, 1, inBursts, 0)},
	{"idle", "memory of an idle subscription, of 5,000", "≤ 25 kB", idle},
	{"subscribe", "commit → subscriber, 1,000 changes/s, a write transaction left open", "p50 ≤ 5 ms, p99 ≤ 15 ms", subscribe},
	{"hooks-1", "hook deliveries to one endpoint", "≥ 0.50", hooks(1, 30_000, 0.50)},
	{"hooks-10", "hook deliveries to ten endpoints", "≥ 0.50", hooks(10, 3000, 0.50)},
	{"hook-latency", "commit → received by a hook's endpoint, 500 changes/s", "p50 ≤ 15 ms", hookLatency},
	{"hook-dead", "the same for seven endpoints, beside one that hangs, or three bad ones", "adds < 5 % to p99", hookDead},
	{"hook-backlog", "100,000 deliveries that waited for one endpoint, while another is sent to", noBudget, hookBacklog},
}

// Names are the rows that there are.
func Names() []string {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.name
	}
	return names
}

// Run measures and reports. A budget that is missed is told and is no error.
func Run(ctx context.Context, c Config) error {
	err := run(ctx, c)
	if ctx.Err() != nil {
		return errors.New("interrupted; what was started has been stopped, and nothing is left behind")
	}
	return err
}

func run(ctx context.Context, c Config) error {
	chosen, err := choose(c.Only)
	if err != nil {
		return err
	}
	s, err := openStage(ctx, c)
	if err != nil {
		return err
	}
	defer s.close()
	report := newReport(ctx, s)
	for _, r := range chosen {
		s.say("measuring %s", r.name)
		stopProfile := s.profile(ctx, r.name)
		measured, err := r.measure(ctx, s)
		stopProfile()
		if err != nil {
			return fmt.Errorf("measure %s: %w%s", r.name, err, s.product.lastWords())
		}
		report.add(r, measured)
	}
	return report.write(c.Out)
}

func choose(names []string) ([]row, error) {
	if len(names) == 0 {
		return rows, nil
	}
	var chosen []row
	for _, name := range names {
		found := false
		for _, r := range rows {
			if r.name == name {
				chosen, found = append(chosen, r), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no row %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	return chosen, nil
}
