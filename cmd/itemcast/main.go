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
	"regexp"
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
	Migrate migrateCommand `cmd:"" help:"Migrate the database's schema, and exit. (serve does so too.)"`
	User    userCommand    `cmd:"" help:"Manage users, their passwords and their roles."`
	Role    roleCommand    `cmd:"" help:"List roles, and grant or revoke permissions."`
	Backup  backupCommand  `cmd:"" help:"Write a backup of everything, while the server runs."`
	Restore restoreCommand `cmd:"" help:"Restore a backup into an empty data directory or database."`
	Import  importCommand  `cmd:"" help:"Import items from JSON, CSV or TSV; resumes an interrupted import."`
	Export  exportCommand  `cmd:"" help:"Export items as NDJSON."`
	Listen  listenCommand  `cmd:"" help:"Receive, verify and print deliveries of hooks, for development; fails on demand."`
}

// console is the environment of a command.
type console struct {
	out    io.Writer
	err    io.Writer
	log    *slog.Logger
	getenv func(string) string
}

// gcPercent replaces Go's default of 100, unless GOGC is set. The live heap is small (mostly the ring of recent
// changes) and requests allocate much: collecting a third as often takes some tens of megabytes and saves a tenth of
// the CPU time.
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
	parser, err := newParser(&c, &console{out: stdout, err: stderr, log: slog.New(slog.NewTextHandler(stderr, nil)),
		getenv: getenv}, kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return explainParse(err)
	}
	return command.Run(&c.database)
}

// newParser returns the parser of the command line. Only flags with an env tag, the settings of the server and of the
// database, are also variables: ITEMCAST_TYPE, say, may be set for another purpose, and must not change an export.
func newParser(c *commands, console *console, options ...kong.Option) (*kong.Kong, error) {
	return kong.New(c, append(append(options, mappers()...),
		kong.Name("itemcast"),
		kong.Description("A self-hosted hub for media items. "+
			"The settings of the server and its database are also ITEMCAST_* variables."),
		kong.Vars{"version": version, "permissions": strings.Join(account.All().Strings(), ", ")},
		kong.Writers(console.out, console.err),
		kong.Bind(console),
	)...)
}

// ofVariable is how kong ends the error of a variable. It repeats the value, which need not be shown.
var ofVariable = regexp.MustCompile(` \(from envar (\w+)="(?s:.*)"\)$`)

// explainParse names the variable of a wrong value, or else the help of the command.
func explainParse(err error) error {
	if name := ofVariable.FindStringSubmatch(err.Error()); name != nil {
		return errors.New(ofVariable.ReplaceAllString(err.Error(), " ($1)"))
	}
	if failed, ok := errors.AsType[*kong.ParseError](err); ok {
		return fmt.Errorf("%w (see %s --help)", err, commandPath(failed.Context))
	}
	return err
}

// commandPath returns the command of a command line, as far as it was parsed.
func commandPath(ctx *kong.Context) string {
	path := "itemcast"
	for _, step := range ctx.Path {
		if step.Command != nil {
			path += " " + step.Command.Name
		}
	}
	return path
}

// explain returns a problem's text without its code, and any other error as it is.
func explain(err error) error {
	if p := problem.Of(err); p != nil {
		return errors.New(p.Detail)
	}
	return err
}
