package db

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// OldestPostgres is the oldest supported Postgres, in the format of server_version_num.
const OldestPostgres = 14_00_00

// Open opens a pool on the database. It fails if the database does not answer or is older than [OldestPostgres].
//
// Unless the URL sets them, the pool has max(8, 4 × CPUs) connections (pool_max_conns), connecting times out after five
// seconds (connect_timeout), the application name is itemcast (application_name), and Postgres ends a transaction that
// has been idle for a minute (idle_in_transaction_session_timeout). The caller closes the pool.
func Open(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err) // pgx omits the password
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

func configure(config *pgxpool.Config, url string) {
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = int32(max(8, 4*runtime.NumCPU()))
	}
	config.MaxConnLifetime = time.Hour
	config.MaxConnLifetimeJitter = 10 * time.Minute // spreads the reconnects
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
	// Notice a peer that vanished silently after 15 + 3 × 5 seconds.
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
	const query = "SELECT current_setting('server_version_num')::int, current_setting('server_version')"
	if err := pool.QueryRow(ctx, query).Scan(&number, &name); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	return checkVersion(number, name)
}

func checkVersion(number int, name string) error {
	if number < OldestPostgres {
		return fmt.Errorf("the database is Postgres %s, and itemcast needs %d or newer. Upgrade it, or set "+
			"ITEMCAST_DATABASE_URL to a newer one", name, OldestPostgres/10000)
	}
	return nil
}
