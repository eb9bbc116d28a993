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
	Process processCommand `cmd:"" help:"Process the media of servers, on this or another machine."`
	Migrate migrateCommand `cmd:"" help:"Migrate the database's schema, and exit. (serve does so too.)"`
	User    userCommand    `cmd:"" help:"Manage users, their passwords and their roles."`
	Role    roleCommand    `cmd:"" help:"List roles, and grant or revoke permissions."`
	Token   tokenCommand   `cmd:"" help:"Manage access tokens, with which programs and pages act for a user."`
	Backup  backupCommand  `cmd:"" help:"Write a backup of everything, while the server runs."`
	Restore restoreCommand `cmd:"" help:"Restore a backup into an empty data directory or database."`
	Import  importCommand  `cmd:"" help:"Import items from JSON, CSV or TSV; resumes an interrupted import."`
	Export  exportCommand  `cmd:"" help:"Export items as NDJSON."`
	Upload  uploadCommand  `cmd:"" help:"Upload files to a server, with progress; resumes an interrupted upload."`
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
		return explainParse(err, args)
	}
	return command.Run(&c.database)
}

// newParser returns the parser of the command line. Every flag is also a variable. Those of the server and the database
// have an env tag. The others are named after their command, as ITEMCAST_EXPORT_TYPE: a variable ITEMCAST_TYPE, say,
// may be set for another purpose, and must not change an export. --help and --version are no settings and have none.
func newParser(c *commands, console *console, options ...kong.Option) (*kong.Kong, error) {
	return kong.New(c, append(append(options, mappers()...),
		kong.Name("itemcast"),
		kong.Description("A self-hosted hub for media items. "+
			"Every flag is also an ITEMCAST_* variable."),
		kong.Vars{"version": version, "permissions": strings.Join(account.All().Strings(), ", ")},
		kong.Writers(console.out, console.err),
		kong.Bind(console),
		kong.PostBuild(func(k *kong.Kong) error { nameVariables(k.Model.Node, "ITEMCAST"); return nil }),
	)...)
}

// nameVariables gives a variable to each flag that has none, below the prefix.
func nameVariables(node *kong.Node, prefix string) {
	for _, flag := range node.Flags {
		if flag.Name != "help" && flag.Name != "version" && len(flag.Envs) == 0 {
			flag.Envs = []string{prefix + "_" + upper(flag.Name)}
			flag.Tag.Envs = flag.Envs
		}
	}
	for _, child := range node.Children {
		nameVariables(child, prefix+"_"+upper(child.Name))
	}
}

// upper returns a flag's or a command's name as a part of a variable's.
func upper(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// ofVariable is how kong ends the error of a variable. It repeats the value, which need not be shown.
var ofVariable = regexp.MustCompile(` \(from envar (\w+)="(?s:.*)"\)$`)

// explainParse names the variable of a wrong value, or else the help of the command.
func explainParse(err error, args []string) error {
	if len(args) > 0 && (args[0] == "help" || args[0] == "version") {
		return fmt.Errorf("there is no command %[1]s: use itemcast --%[1]s", args[0])
	}
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
