package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"itemcast/internal/account"
	"itemcast/internal/browse"
	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/rest/contract"
	"itemcast/internal/rest/idempotency"
	"itemcast/internal/web"
	"itemcast/openapi"
)

// node is the services of one process over one database.
type node struct {
	database   *opened
	notifier   *pgxpool.Pool // the sequencer's and the feed's own connections: they never queue behind requests
	contract   *contract.Document
	pages      *browse.API
	sequencer  *change.Sequencer
	feed       *change.Feed
	keeper     *change.Keeper
	signIn     *account.SignIn
	directory  *account.Directory
	hooks      *hook.Service
	dispatcher *hook.Dispatcher
	items      *item.Service
	hub        *live.Hub
	log        *slog.Logger
}

// notifierConns: one for a step, one for the feed, one for each durable consumer, and one to spare.
const notifierConns = 4

// settings are what services are made with. Hooks may reach the networks named although they are private.
type settings struct {
	publicURL          string
	connectionsPerUser int
	retention          change.Retention
	hookNetworks       []netip.Prefix
}

// wire makes the services; close ends what they hold open beside the database.
func wire(ctx context.Context, o *opened, with settings, log *slog.Logger) (*node, error) {
	document, err := contract.Load(openapi.Files, "core.yaml")
	if err != nil {
		return nil, fmt.Errorf("load the contract: %w", err)
	}
	pages, err := browse.New(document, browse.Options{PublicURL: with.publicURL, Assets: browse.Assets(web.Loads("browse"))})
	if err != nil {
		return nil, err
	}
	config := o.pool.Config()
	config.MaxConns, config.MinConns, config.MinIdleConns = notifierConns, 0, 0
	notifier, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the notifier's connections: %w", err)
	}
	feed, err := change.OpenFeed(ctx, notifier, log)
	if err != nil {
		notifier.Close()
		return nil, err
	}
	n := &node{database: o, notifier: notifier, contract: document, pages: pages, feed: feed, log: log}
	n.sequencer = change.NewSequencer(notifier, log)
	n.signIn = account.NewSignIn(o.pool, log)
	n.directory = account.NewDirectory(o.pool)
	n.hooks = hook.NewService(o.pool, with.hookNetworks)
	n.dispatcher = hook.NewDispatcher(o.pool, feed, hook.Config{AllowNetworks: with.hookNetworks, Version: version}, log)
	n.keeper = change.NewKeeper(o.pool, with.retention, n.dispatcher.Hold, log)
	n.items = item.NewService(item.Config{Pool: o.pool, Feed: feed, Sequencer: n.sequencer, Hooks: n.hooks.Wanting,
		Check: document.Schema("ItemInput").Check, CheckPatch: document.Schema("ItemPatch").Check, PublicURL: with.publicURL, Log: log})
	n.hub = live.NewHub(o.pool, feed, with.connectionsPerUser)
	return n, nil
}

func (n *node) close() { n.notifier.Close() }

// run runs what a node does by itself, until ctx ends or a part fails.
func (n *node) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range []func(context.Context) error{
		n.sequencer.Run, n.feed.Run, n.keeper.Run, n.signIn.Run, n.items.RunRenewal, n.dispatcher.Run,
		func(ctx context.Context) error { return idempotency.RunForget(ctx, n.database.pool, n.log) },
	} {
		group.Go(func() error { return part(ctx) })
	}
	return group.Wait()
}
