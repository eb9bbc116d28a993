// Command bench measures Itemcast against hand-written baselines and prints the report: `make bench`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"itemcast/internal/bench"
)

type commands struct {
	Run      runCommand      `cmd:"" default:"withargs" help:"Measure."`
	Soak     soakCommand     `cmd:"" help:"Let subscribers connect, stall, vanish and resume at random while items change, and tell what they missed."`
	Baseline baselineCommand `cmd:"" hidden:""`
}

type runCommand struct {
	Itemcast    string   `help:"The binary to measure." default:"bin/itemcast" type:"existingfile"`
	Rounds      int      `help:"Pairs of rounds." default:"5"`
	Seconds     float64  `help:"How long a round takes, in seconds." default:"2"`
	Only        []string `help:"Measure only these rows: ${rows}." placeholder:"ROW,…"`
	Items       int      `help:"How many items there are." default:"5000"`
	Connections int      `help:"Connections of the load generator." default:"8"`
	Profiles    string   `help:"Write CPU profiles of the product into this directory, one a row. They cost some speed." type:"existingdir"`
}

// Run measures.
func (c *runCommand) Run(ctx context.Context) error {
	if c.Rounds < 1 || c.Seconds <= 0 || c.Items < 100 || c.Connections < 1 {
		return fmt.Errorf("need at least one round, some time, 100 items and a connection")
	}
	return bench.Run(ctx, bench.Config{
		Itemcast: c.Itemcast, Rounds: c.Rounds, Round: time.Duration(c.Seconds * float64(time.Second)), Only: c.Only, Items: c.Items,
		Connections: c.Connections, Profiles: c.Profiles, Out: os.Stdout, Progress: os.Stderr,
	})
}

type soakCommand struct {
	Itemcast string        `help:"The binary to soak." default:"bin/itemcast" type:"existingfile"`
	Lasting  time.Duration `help:"For how long." default:"5m"`
}

// Run soaks.
func (c *soakCommand) Run(ctx context.Context) error {
	return bench.Soak(ctx, bench.Config{Itemcast: c.Itemcast, Items: 1000, Connections: 8, Out: os.Stdout, Progress: os.Stderr}, c.Lasting)
}

type baselineCommand struct{}

// Run is the baseline; see bench.RunBaseline.
func (baselineCommand) Run(ctx context.Context) error {
	return bench.RunBaseline(ctx, os.Stdin, os.Stdout)
}

func main() {
	debug.SetGCPercent(400) // the load generator is not what is measured
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	var c commands
	command := kong.Parse(&c, kong.Name("bench"), kong.Description("Measures Itemcast against hand-written baselines."),
		kong.Vars{"rows": strings.Join(bench.Names(), ", ")}, kong.BindTo(ctx, (*context.Context)(nil)))
	err := command.Run()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
