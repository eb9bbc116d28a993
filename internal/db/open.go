package db

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// OldestPostgres is the first version that Itemcast works with, as server_version_num puts it.
const OldestPostgres = 14_00_00

// IsText reports whether a text column can hold a text, and so compare with it: UTF-8 without U+0000.
func IsText(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// Open opens a pool on the database and verifies that it answers and that it is Postgres 14 or newer.
//
// The URL may say otherwise, but by default a pool has max(8, 4 × CPUs) connections (pool_max_conns), gives up connecting after five
// seconds (connect_timeout), calls itself itemcast (application_name), and has Postgres end a transaction that has been idle for a
// minute (idle_in_transaction_session_timeout). The caller closes the pool.
func Open(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err) // pgx leaves the password out
	}
	configure(config, url)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open a connection pool: %w", err)
	}
	if err := verify(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// Derive opens another pool on the database of one, of at most so many connections, whose statements are planned once, for look-ups by index.
// It is for tables that are queues and logs: what is empty one minute and long the next has no statistics to plan by, and a plan that was
// made for the empty table would stay. (Planning anew took as long as the statements themselves.) The caller closes the pool.
//
// With lazily, its commits do not wait for the disk: should Postgres die, the last of them are undone, in order.
func Derive(ctx context.Context, from *pgxpool.Pool, conns int32, lazily bool) (*pgxpool.Pool, error) {
	config := from.Config()
	config.MaxConns, config.MinConns, config.MinIdleConns = conns, 0, 0
	// (jit, because a table without any index now looks so costly that Postgres would compile the statement.)
	for _, plan := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"} {
		config.ConnConfig.RuntimeParams[plan] = "off"
	}
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	// Their transactions hold locks that all nodes want. Of a node that vanishes in one, without a word, the server is to know in seconds.
	for name, value := range map[string]string{"idle_in_transaction_session_timeout": "10s", "tcp_keepalives_idle": "3", "tcp_keepalives_interval": "2",
		"tcp_keepalives_count": "3"} {
		config.ConnConfig.RuntimeParams[name] = value
	}
	if lazily {
		config.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open a connection pool: %w", err)
	}
	return pool, nil
}

func configure(config *pgxpool.Config, url string) {
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = int32(max(8, 4*runtime.NumCPU()))
	}
	config.MaxConnLifetime = time.Hour
	config.MaxConnLifetimeJitter = 10 * time.Minute // so that they do not all reconnect at once
	config.MaxConnIdleTime = 5 * time.Minute
	config.HealthCheckPeriod = 15 * time.Second
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		registerUUID(conn)
		return nil
	}

	conn := config.ConnConfig
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = 5 * time.Second
	}
	// A peer that vanished without a word is noticed after 15 + 3 × 5 seconds.
	conn.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}).DialContext
	setDefault(conn, "application_name", "itemcast")
	setDefault(conn, "idle_in_transaction_session_timeout", "60s")
}

func setDefault(conn *pgx.ConnConfig, parameter, value string) {
	if _, given := conn.RuntimeParams[parameter]; !given {
		conn.RuntimeParams[parameter] = value
	}
}

func verify(ctx context.Context, pool *pgxpool.Pool) error {
	var number int
	var name string
	err := pool.QueryRow(ctx, "SELECT current_setting('server_version_num')::int, current_setting('server_version')").Scan(&number, &name)
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	return checkVersion(number, name)
}

func checkVersion(number int, name string) error {
	if number < OldestPostgres {
		return fmt.Errorf("the database is Postgres %s, and itemcast needs %d or newer: upgrade it, or set ITEMCAST_DATABASE_URL to "+
			"another", name, OldestPostgres/10000)
	}
	return nil
}
