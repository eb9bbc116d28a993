// Command bench measures Itemcast (`make bench`) and tests its endurance (`make soak`).
package main

import (
	"context"
	"errors"
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
	Run      runCommand      `cmd:"" default:"withargs" help:"Measure against baselines, and against another build."`
	Soak     soakCommand     `cmd:"" help:"Test for minutes that no change is lost and no memory leaks."`
	Baseline baselineCommand `cmd:"" hidden:""`
}

type runCommand struct {
	Itemcast    string   `help:"Binary to measure." default:"bin/itemcast" type:"existingfile"`
	Beside      string   `help:"Binary of another build to compare with, in turns." type:"existingfile" placeholder:"PATH"`
	Rounds      int      `help:"Rounds of each row; slow rows have fewer." default:"5"`
	Seconds     float64  `help:"Length of a round." default:"2"`
	Only        []string `help:"Measure only these rows or groups of rows: ${rows}." placeholder:"ROW,…"`
	Long        bool     `help:"Measure the rows that take minutes, too."`
	Items       int      `help:"Items in each database." default:"5000"`
	UploadMB    int64    `name:"upload-mb" help:"Size of the uploads that are measured, in MB; those of which the memory is measured have four times as much." default:"256"`
	ClipSeconds int      `help:"Length of the video whose processing is measured." default:"60"`
	Connections int      `help:"Connections in rows that do not set their own number." default:"8"`
	Profiles    string   `help:"Directory for CPU profiles of this build, one a row. Profiling costs some speed." type:"existingdir"`
}

// Run measures.
func (c *runCommand) Run(ctx context.Context) error {
	if c.Rounds < 1 || c.Seconds <= 0 || c.Items < minItems || c.Connections < 1 || c.UploadMB < 1 ||
		c.ClipSeconds < 1 {
		return fmt.Errorf("need --rounds, --connections, --upload-mb and --clip-seconds ≥ 1, --seconds > 0 and --items ≥ %d",
			minItems)
	}
	return bench.Run(ctx, bench.Config{
		Itemcast: c.Itemcast, Beside: c.Beside, Only: c.Only, Long: c.Long,
		Rounds: c.Rounds, Round: time.Duration(c.Seconds * float64(time.Second)),
		UploadSize: c.UploadMB * 1e6, Clip: time.Duration(c.ClipSeconds) * time.Second,
		Items: c.Items, Connections: c.Connections, Profiles: c.Profiles, Out: os.Stdout, Progress: os.Stderr,
	})
}

// minItems is twice the length of the lists that are measured.
const minItems = 100

type soakCommand struct {
	Itemcast string        `help:"Binary to test." default:"bin/itemcast" type:"existingfile"`
	Only     []string      `help:"Run only these soaks: ${soaks}." placeholder:"NAME,…"`
	Short    bool          `help:"Run the short forms, as CI does. They do not judge memory."`
	Lasting  time.Duration `help:"Length of each soak, instead of its default."`
}

// Run soaks.
func (c *soakCommand) Run(ctx context.Context) error {
	if c.Lasting < 0 {
		return errors.New("--lasting must be positive")
	}
	return bench.Soak(ctx, bench.SoakConfig{
		Itemcast: c.Itemcast, Only: c.Only, Short: c.Short, Lasting: c.Lasting, Out: os.Stdout, Progress: os.Stderr,
	})
}

type baselineCommand struct{}

// Run is the process of the baseline.
func (baselineCommand) Run(ctx context.Context) error {
	return bench.RunBaseline(ctx, os.Stdin, os.Stdout)
}

func main() {
	debug.SetGCPercent(400) // the load generator shares the machine with what is measured
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	var c commands
	command := kong.Parse(&c, kong.Name("bench"), kong.Description("Measures Itemcast and tests its endurance."),
		kong.Vars{"rows": strings.Join(bench.Names(), ", "), "soaks": strings.Join(bench.SoakNames(), ", ")},
		kong.BindTo(ctx, (*context.Context)(nil)))
	err := command.Run()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
