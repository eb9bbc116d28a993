package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	parts "itemcast/internal/node"
	"itemcast/internal/postgres"
	sqlfiles "itemcast/sql"
)

const stopPatience = 20 * time.Second

// database says where the database is: every command's flags.
type database struct {
	DatabaseURL string `help:"Postgres, 14 or newer. Empty: a Postgres of its own under the data directory." env:"ITEMCAST_DATABASE_URL" placeholder:"URL"`
	DataDir     string `help:"Where the embedded Postgres and the files are kept." env:"ITEMCAST_DATA_DIR" default:".itemcast" type:"path"`
	PublicURL   string `help:"The base of every absolute URL. Empty: http:// and the address." env:"ITEMCAST_PUBLIC_URL" placeholder:"URL"`
}

// opened is a database that is migrated and ready. Close it last.
type opened struct {
	pool     *pgxpool.Pool
	postgres *postgres.Server // nil: someone else's
	log      *slog.Logger
}

// open connects to the database, starting the embedded Postgres when it is to be used and nobody has. Shared allows for one that another
// process has started; serve does not, because its data directory has one owner.
func (d *database) open(ctx context.Context, log *slog.Logger, shared bool) (*opened, error) {
	o := &opened{log: log}
	url := d.DatabaseURL
	if url == "" && shared {
		url, _ = postgres.Running(d.DataDir + "/postgres")
	}
	if url == "" {
		server, err := postgres.Start(ctx, postgres.Config{DataDir: d.DataDir + "/postgres", Logger: log})
		if errors.Is(err, postgres.ErrInUse) {
			return nil, fmt.Errorf("another itemcast uses %s: stop it, or set ITEMCAST_DATA_DIR (%w)", d.DataDir, err)
		}
		if err != nil {
			return nil, fmt.Errorf("start the embedded Postgres: %w", err)
		}
		o.postgres, url = server, server.URL()
	}
	pool, err := db.Open(ctx, url)
	if err == nil {
		o.pool = pool
		err = db.Migrate(ctx, pool, sqlfiles.Migrations)
	}
	if err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *opened) close() {
	if o.pool != nil {
		o.pool.Close()
	}
	if o.postgres == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	if err := o.postgres.Stop(ctx); err != nil {
		o.log.Error("cannot stop the embedded Postgres", "err", err)
	}
}

type migrateCommand struct{}

// Run migrates.
func (migrateCommand) Run(ctx context.Context, c *console, d *database) error {
	o, err := d.open(ctx, c.log, true)
	if err != nil {
		return err
	}
	defer o.close()
	_, err = fmt.Fprintln(c.out, "The schema is up to date.")
	return err
}

// storedPublicURL is the flag's base URL, else the one that serve last ran with on this database, else the default address's.
func (o *opened) storedPublicURL(ctx context.Context, d *database) (string, error) {
	if d.PublicURL != "" {
		return d.publicURL(defaultAddr), nil
	}
	stored, err := parts.StoredPublicURL(ctx, o.pool)
	if err != nil || stored != "" {
		return stored, err
	}
	return d.publicURL(defaultAddr), nil
}
