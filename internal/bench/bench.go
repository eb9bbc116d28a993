package bench

import (
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
	s, err := openStage(ctx, c)
	if err != nil {
		return err
	}
	defer s.close()
	report := newReport(s.machine(ctx), s.other != nil)
	for _, r := range chosen {
		s.logf("measuring %s", r.name)
		measured, err := s.measure(ctx, r)
		if err != nil {
			return errors.Join(fmt.Errorf("measure %s: %w%s", r.name, err, s.this.logTail()), report.write(c.Out))
		}
		report.add(r, measured)
	}
	return report.write(c.Out)
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
