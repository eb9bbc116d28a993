package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Config says what Run measures, and for how long.
type Config struct {
	Itemcast    string        // path of the build to measure
	Beside      string        // path of another build to compare it with; empty: none
	Rounds      int           // rounds of each row; slow rows have fewer
	Round       time.Duration // length of a round
	Only        []string      // names of rows, or groups of them ("get"); empty: all but the long ones
	Long        bool          // measure the long rows too
	Items       int           // in each database
	UploadSize  int64         // bytes of the uploads whose speed is measured; 0: 256 MB
	Clip        time.Duration // length of the video whose processing is measured; 0: a minute
	Connections int           // of the load generator, in rows that do not set their own number
	Profiles    string        // directory for CPU profiles of this build, one a row; empty: none
	Out         io.Writer     // the report
	Progress    io.Writer     // one line for each step
}

// Run measures the rows that c selects and writes the report to c.Out. A missed budget is no error. When a row fails,
// Run still reports the rows before it. When ctx ends, Run stops what it started and returns an error.
func Run(ctx context.Context, c Config) error {
	err := run(ctx, c)
	if ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

var errInterrupted = errors.New("interrupted; all processes are stopped and all files removed")

func run(ctx context.Context, c Config) error {
	chosen, err := choose(c.Only, c.Long)
	if err != nil {
		return err
	}
	all := make([]result, len(chosen))
	passes := 1
	if c.Beside != "" {
		passes = c.Rounds
	}
	var machine string // as the first pass found it
	for n := 0; n < passes && err == nil; n++ {
		var found string
		found, err = pass(ctx, c, n, chosen, all)
		machine = cmp.Or(machine, found)
	}
	report := newReport(machine, c.Beside != "")
	for n, r := range chosen {
		if len(all[n].this.figures) > 0 {
			report.add(r, all[n])
		}
	}
	return errors.Join(err, report.write(c.Out))
}

// pass opens a stage, measures the rows on it, and adds what they measured to all. Two builds are compared in as many
// passes as there are rounds. A process keeps its luck for as long as it runs, such as where its memory and its tables
// lie. New processes and new databases in every round make that luck a part of the spread.
func pass(ctx context.Context, c Config, n int, chosen []row, all []result) (machine string, err error) {
	s, err := openStage(ctx, c)
	if err != nil {
		return "", err
	}
	defer s.close()
	s.otherFirst = n%2 == 1
	machine = s.machine(ctx)
	for k, r := range chosen {
		if n >= maxSlowRounds && r.needs&slow != 0 {
			continue
		}
		s.logf("measuring %s", r.name)
		measured, err := s.measure(ctx, r)
		if err != nil {
			return machine, fmt.Errorf("measure %s: %w%s", r.name, err, s.this.logTail())
		}
		all[k].merge(measured)
	}
	return machine, nil
}

// measure measures one row, without the other build when the row needs the writer and the writer does not fit.
func (s *stage) measure(ctx context.Context, r row) (result, error) {
	stopProfile := s.profile(ctx, r.name)
	defer stopProfile()
	on := *s
	if r.needs&aWriter == 0 || s.unwritable == nil {
		return r.measure(ctx, &on)
	}
	on.other = nil
	measured, err := r.measure(ctx, &on)
	measured.incomparable = s.unwritable
	return measured, err
}
