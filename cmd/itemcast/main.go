// Command itemcast is the whole product in one binary: the server, and the commands that work on its database.
//
// It holds flags and commands only. Package node builds and runs the parts.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

// version is set by the build.
var version = "dev"

type commands struct {
	database
	Version kong.VersionFlag `help:"Print the version."`

	Serve   serveCommand   `cmd:"" help:"Serve the APIs and the pages."`
	Migrate migrateCommand `cmd:"" help:"Bring the database's schema up to date, and exit. (serve does it too.)"`
	User    userCommand    `cmd:"" help:"Add users, and see to their passwords and roles."`
	Role    roleCommand    `cmd:"" help:"List roles, and give and take what they allow."`
	Import  importCommand  `cmd:"" help:"Import items from a file of NDJSON; goes on where an interrupted import stopped."`
	Export  exportCommand  `cmd:"" help:"Export items as NDJSON."`
	Listen  listenCommand  `cmd:"" help:"Receive what hooks send, verify it and print it, for development; answers with failures on demand."`
}

// console is where a command runs.
type console struct {
	out    io.Writer
	err    io.Writer
	log    *slog.Logger
	getenv func(string) string
}

// gcPercent: what lives is small (the ring of recent changes, above all), and what requests throw away is much; collecting a third as often
// costs some tens of megabytes and gives a tenth of the processor back. GOGC, when set, is left alone.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "itemcast:", explain(err))
		os.Exit(1)
	}
}

// run parses and runs a command. Kong reads the ITEMCAST_* variables from the process itself; getenv is for all others.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	var c commands
	parser, err := kong.New(&c,
		kong.Name("itemcast"),
		kong.Description("A self-hosted hub for media items. Every flag is also an ITEMCAST_* variable."),
		kong.Vars{"version": version, "permissions": strings.Join(account.All().Strings(), ", ")},
		kong.DefaultEnvars("ITEMCAST"),
		kong.Writers(stdout, stderr),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&console{out: stdout, err: stderr, log: slog.New(slog.NewTextHandler(stderr, nil)), getenv: getenv}),
	)
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return command.Run(&c.database)
}

// explain says of an error what a person at the console can use.
func explain(err error) error {
	if p := problem.Of(err); p != nil {
		return errors.New(p.Detail)
	}
	return err
}
