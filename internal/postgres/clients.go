package postgres

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// clients are the client programs of an installed Postgres, and the database that they connect to.
type clients struct {
	programs
	conninfo string // without the password, which other users could read in the command line
	password string
}

// clientDirs are where packages install client programs without a server.
var clientDirs = []string{"/opt/homebrew/opt/libpq/bin", "/usr/local/opt/libpq/bin", "/usr/bin"}

// findClients returns the named programs for the database at a URL: of its server's version, or else of the next newer
// one that is installed. Older programs refuse a newer server.
func findClients(ctx context.Context, at string, names ...string) (clients, error) {
	major, password, err := identify(ctx, at)
	if err != nil {
		return clients{}, err
	}
	var found []programs
	for _, pattern := range slices.Concat(binaryDirs, clientDirs) {
		dirs, _ := filepath.Glob(pattern) // the only possible error is a bad pattern
		for _, dir := range dirs {
			if p, err := examineClients(ctx, dir, names); err == nil && p.major >= major {
				found = append(found, p)
			}
		}
	}
	if len(found) == 0 {
		return clients{}, fmt.Errorf("%s of Postgres %d or newer is not installed, and a Postgres that itemcast downloaded "+
			"comes without it: install the client programs (`apt-get install postgresql-client-%d`, `brew install libpq`)",
			strings.Join(names, " and "), major, major)
	}
	slices.SortStableFunc(found, func(a, b programs) int { return cmp.Compare(a.major, b.major) })
	return clients{programs: found[0], conninfo: conninfo(at), password: password}, nil
}

// identify returns the major version of the server at a URL, and the password for it.
func identify(ctx context.Context, at string) (major int, password string, err error) {
	config, err := pgxpool.ParseConfig(at)
	if err != nil {
		return 0, "", fmt.Errorf("read the database URL: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return 0, "", fmt.Errorf("connect to the database: %w", err)
	}
	defer conn.Close(ctx)
	const query = "SELECT current_setting('server_version_num')::int / 10000"
	if err := conn.QueryRow(ctx, query).Scan(&major); err != nil {
		return 0, "", fmt.Errorf("read the version of Postgres: %w", err)
	}
	return major, config.ConnConfig.Password, nil
}

// libpqParameters are the parameters of a connection that pgx and libpq share, without secrets. libpq refuses all
// others, such as pool_max_conns.
var libpqParameters = strings.Fields(`host hostaddr port dbname user sslmode sslcert sslkey sslrootcert connect_timeout
	application_name target_session_attrs options krbsrvname service passfile`)

var keywordValue = regexp.MustCompile(`(\w+)\s*=\s*('(?:\\.|[^'\\])*'|\S*)`)

// conninfo returns a URL, or a list of keywords and values, as libpq reads it, without the password.
func conninfo(at string) string {
	u, err := url.Parse(at)
	if err != nil || u.Scheme == "" {
		var kept []string
		for _, pair := range keywordValue.FindAllStringSubmatch(at, -1) {
			if slices.Contains(libpqParameters, pair[1]) {
				kept = append(kept, pair[0])
			}
		}
		return strings.Join(kept, " ")
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	for name := range query {
		if !slices.Contains(libpqParameters, name) {
			query.Del(name)
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func examineClients(ctx context.Context, dir string, names []string) (programs, error) {
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return programs{}, err
		}
	}
	return version(ctx, dir, names[0])
}

func (c clients) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.path(name), args...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+c.password)
	return cmd
}
