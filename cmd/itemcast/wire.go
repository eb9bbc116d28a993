package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"itemcast/internal/account"
	"itemcast/internal/browse"
	"itemcast/internal/change"
	"itemcast/internal/contract"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
	"itemcast/internal/idempotency"
	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/web"
	"itemcast/internal/workflow"
	"itemcast/openapi"
)

// node is the services of one process over one database.
type node struct {
	database   *opened
	notifier   *pgxpool.Pool // the sequencer's and the feed's own connections: they never queue behind requests
	queue      *pgxpool.Pool // the dispatcher's
	contract   *contract.Document
	pages      *browse.API
	sequencer  *change.Sequencer
	feed       *change.Feed
	keeper     *change.Keeper
	signIn     *account.SignIn
	account    *account.Service
	directory  *account.Directory
	hooks      *hook.Service
	workflows  *workflow.Service
	dispatcher *hook.Dispatcher
	items      *item.Service
	hub        *live.Hub
	proxies    []netip.Prefix
	log        *slog.Logger
}

const (
	notifierConns = 4 // one for a step, one for the feed, one for each durable consumer, and one to spare
	queueConns    = 5 // one each for claims, results, sweeps and replays, and one to spare
)

// settings are what services are made with.
type settings struct {
	publicURL          string
	connectionsPerUser int
	retention          change.Retention
	keepAudit          time.Duration
	hookReach          egress.Policy
	proxies            []netip.Prefix // that are believed when they say whom a request comes from
}

// wire makes the services; close ends what they hold open beside the database.
func wire(ctx context.Context, o *opened, with settings, log *slog.Logger) (*node, error) {
	document, err := contract.Load(openapi.Files, "core.yaml")
	if err != nil {
		return nil, fmt.Errorf("load the contract: %w", err)
	}
	pages, err := browse.New(document, browse.Options{PublicURL: with.publicURL, LoginURL: "/login", LogoutURL: "/logout",
		WhoURL: document.Base() + "/me", Assets: browse.Assets(web.Loads("browse"))})
	if err != nil {
		return nil, err
	}
	notifier, err := db.Derive(ctx, o.pool, notifierConns, false)
	if err != nil {
		return nil, fmt.Errorf("for the notifier: %w", err)
	}
	queue, err := db.Derive(ctx, o.pool, queueConns, true)
	if err != nil {
		notifier.Close()
		return nil, fmt.Errorf("for the queue of deliveries: %w", err)
	}
	feed, err := change.OpenFeed(ctx, notifier, log)
	if err != nil {
		queue.Close()
		notifier.Close()
		return nil, err
	}
	n := &node{database: o, notifier: notifier, queue: queue, contract: document, pages: pages, feed: feed, proxies: with.proxies, log: log}
	n.sequencer = change.NewSequencer(notifier, log)
	n.signIn = account.NewSignIn(o.pool, log)
	n.account = account.NewService(o.pool, n.signIn, with.publicURL)
	n.directory = account.NewDirectory(o.pool)
	n.workflows = workflow.NewService(o.pool)
	sender := sending.New(with.hookReach.Transport(egress.Options{}), sending.Config{Version: version})
	n.dispatcher = hook.NewDispatcher(queue, feed, sender, hook.Config{}, log)
	n.hooks = hook.NewService(hook.ServiceConfig{Pool: o.pool, Feed: feed, Reach: with.hookReach, Sender: sender, Due: n.dispatcher.Look,
		Sample: func(ctx context.Context, id *uuid.UUID) (item.Document, error) { return n.items.Sample(ctx, id) }})
	n.keeper = change.NewKeeper(o.pool, with.retention, n.dispatcher.Hold, log)
	n.items = item.NewService(item.Config{Pool: o.pool, Feed: feed, Sequencer: n.sequencer, Hooks: n.hooks.Wanting,
		Check: document.Schema("ItemInput").Check, CheckPatch: document.Schema("ItemPatch").Check, PublicURL: with.publicURL, Log: log})
	n.hub = live.NewHub(o.pool, feed, with.connectionsPerUser)
	n.signIn.KeepAudit, n.signIn.Profiles = with.keepAudit, n.hub.Forget
	return n, nil
}

func (n *node) close() {
	n.queue.Close()
	n.notifier.Close()
}

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
