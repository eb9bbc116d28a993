package main

import (
	"cmp"
	"context"
	"log/slog"

	"itemcast/internal/account"
	"itemcast/internal/node"
)

const defaultAddr = "127.0.0.1:8080"

// database holds the flags that every command has.
type database struct {
	DatabaseURL string    `help:"URL of a Postgres, 14 or newer. Empty: an embedded Postgres in the data directory." env:"ITEMCAST_DATABASE_URL" placeholder:"URL"`
	DataDir     folder    `help:"Directory of the embedded Postgres, and of files." env:"ITEMCAST_DATA_DIR" default:".itemcast"`
	PublicURL   publicURL `help:"Base of every absolute URL. Empty: http:// and the address." env:"ITEMCAST_PUBLIC_URL" placeholder:"URL"`
}

func (d *database) config(log *slog.Logger) node.DatabaseConfig {
	return node.DatabaseConfig{URL: d.DatabaseURL, DataDir: string(d.DataDir), Log: log}
}

// openShared opens the database of a running server, or the command's own. Without data, it creates nothing.
func (d *database) openShared(ctx context.Context, log *slog.Logger) (*node.Database, error) {
	config := d.config(log)
	config.Shared = true
	return node.OpenDatabase(ctx, config)
}

// asOperator runs fn as the operator, on the database of a running server or on the command's own.
func (d *database) asOperator(ctx context.Context, c *console, fn func(ctx context.Context, n *node.Node) error) error {
	o, err := d.openShared(ctx, c.log)
	if err != nil {
		return err
	}
	defer o.Close()
	publicURL, err := d.storedPublicURL(ctx, o)
	if err != nil {
		return err
	}
	n, err := node.New(ctx, o.Pool, node.Config{PublicURL: publicURL, Version: version, Log: c.log})
	if err != nil {
		return err
	}
	defer n.Close()
	ctx, err = account.Operator(ctx, o.Pool)
	if err != nil {
		return err
	}
	return fn(ctx, n)
}

// storedPublicURL returns the base URL of the flag, else the one that serve last ran with on this database, else that
// of the default address.
func (d *database) storedPublicURL(ctx context.Context, o *node.Database) (string, error) {
	if d.PublicURL != "" {
		return string(d.PublicURL), nil
	}
	stored, err := node.StoredPublicURL(ctx, o.Pool)
	return cmp.Or(stored, "http://"+defaultAddr), err
}
