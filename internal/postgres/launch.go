package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// role is the superuser that initdb creates; database is the one that clients use.
const (
	role     = "itemcast"
	database = "itemcast"
)

// launcher starts Postgres on one data directory, at the start and at every restart.
type launcher struct {
	cfg      Config
	log      *slog.Logger
	programs programs
	account  account
	identity string // of the data directory (identityOf)
	password string
}

// prepare inspects the data directory, finds programs of its version, and creates the cluster if there is none. The
// caller owns the directory.
func prepare(ctx context.Context, cfg Config) (launcher, error) {
	l := launcher{cfg: cfg, log: cfg.Logger}
	found, err := inspect(cfg.DataDir)
	if err != nil {
		return l, err
	}
	if l.programs, err = findPrograms(ctx, found, cfg); err != nil {
		return l, err
	}
	if l.account, err = accountFor(cfg.DataDir, found.empty); err != nil {
		return l, err
	}
	if found.empty {
		l.log.Info("creating a Postgres data directory", "dir", cfg.DataDir, "postgres", l.programs.version)
		if err := create(ctx, cfg, l.programs, l.account); err != nil {
			return l, fmt.Errorf("create a Postgres data directory in %s: %w", cfg.DataDir, err)
		}
	}
	if l.identity, err = identityOf(cfg.DataDir); err != nil {
		return l, err
	}
	if l.password, err = readPassword(cfg.DataDir); err != nil {
		return l, err
	}
	return l, nil
}

// launchOnFreePort picks a free port, and another one if a different process takes it first.
func (l *launcher) launchOnFreePort(ctx context.Context) (int, *process, error) {
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return 0, nil, err
		}
		p, err := l.launch(ctx, port)
		if err == nil || attempt == maxPortAttempts || !errors.Is(err, errPortTaken) {
			return port, p, err
		}
	}
}

// launch shuts down a Postgres that a dead owner left running, starts Postgres on the port, and returns when it
// answers. On an error no process is left.
func (l *launcher) launch(ctx context.Context, port int) (*process, error) {
	if err := l.shutDown(ctx); err != nil {
		return nil, err
	}
	if err := removeStalePIDFile(l.cfg.DataDir); err != nil {
		return nil, err
	}
	cmd := exec.Command(l.programs.path("postgres"))
	dir, release, err := l.account.apply(cmd, l.cfg.DataDir)
	if err != nil {
		return nil, err
	}
	defer release()
	cmd.Args = append(cmd.Args, "-D", dir)
	cmd.Args = append(cmd.Args, settings(port, l.identity, l.cfg.Settings)...)

	p, err := spawn(cmd, l.log, !l.cfg.outliveOwner)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", cmd.Path, err)
	}
	if err := l.awaitReady(ctx, p, port); err != nil {
		return nil, errors.Join(err, l.shutDown(context.WithoutCancel(ctx)))
	}
	l.log.Info("Postgres is running", "port", port, "pid", p.pid, "dir", l.cfg.DataDir, "version", l.programs.version)
	return p, nil
}

var errPortTaken = errors.New("the port is in use")

// awaitReady waits until Postgres answers. Only ctx limits the wait: recovery after a crash may take long.
func (l *launcher) awaitReady(ctx context.Context, p *process, port int) error {
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-p.exited:
			if strings.Contains(p.lastLines(), "could not create any TCP/IP sockets") {
				return fmt.Errorf("%w: %s", errPortTaken, p.describeExit())
			}
			return fmt.Errorf("Postgres did not start: %s", p.describeExit())
		case <-ctx.Done():
			return fmt.Errorf("wait for Postgres to answer: %w; its last messages:\n%s", context.Cause(ctx), p.lastLines())
		case <-poll.C:
			if f, err := readPIDFile(l.cfg.DataDir); err == nil && f.ready && f.pid == p.pid {
				return l.ensureDatabase(ctx, port)
			}
		}
	}
}

// ensureDatabase creates the database unless it exists. It connects to the database `postgres`, which every cluster
// has: connecting to a missing database would put an alarming message into the log.
func (l *launcher) ensureDatabase(ctx context.Context, port int) error {
	conn, err := pgx.Connect(ctx, connectionURLTo(port, l.password, "postgres"))
	if err != nil {
		return fmt.Errorf("sign in to Postgres with the password in %s: %w", passwordPath(l.cfg.DataDir), err)
	}
	defer conn.Close(ctx)
	var exists bool
	const query = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
	if err := conn.QueryRow(ctx, query, database).Scan(&exists); err != nil {
		return fmt.Errorf("look up database %s: %w", database, err)
	}
	if exists {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+database); err != nil {
		return fmt.Errorf("create database %s: %w", database, err)
	}
	return nil
}

func (l *launcher) shutDown(ctx context.Context) error { return shutDown(ctx, l.identity, l.log) }

func connectionURL(port int, password string) string {
	return connectionURLTo(port, password, database)
}

func connectionURLTo(port int, password, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(role, password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func readPassword(dataDir string) (string, error) {
	b, err := os.ReadFile(passwordPath(dataDir))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%s is a Postgres data directory without %s: itemcast did not create it, or the file was "+
			"lost; restore the file, or run Postgres on it yourself and set ITEMCAST_DATABASE_URL", dataDir, passwordFile)
	}
	if err != nil {
		return "", fmt.Errorf("read the database password: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
