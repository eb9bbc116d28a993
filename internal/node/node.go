// Package node builds and runs the parts of one process over one database: it is the only package that knows them all.
//
// [Serve] is the life of a server, from its database to the end of its last request. [New] builds the same parts for a
// command that works beside a server, and for tests (package nodetest).
//
// It must not know flags, nor how a part works. Only the command, nodetest and tests import it.
package node

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/browse"
	"itemcast/internal/change"
	"itemcast/internal/contract"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/hook/dispatch"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/sending"
	"itemcast/internal/idempotency"
	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/publicurl"
	"itemcast/internal/token"
	"itemcast/internal/web"
	"itemcast/internal/workflow"
	"itemcast/openapi"
)

const (
	notifierConns = 4 // one each for the sequencer, the feed, the durable consumer and reviews of permissions
	queueConns    = 5 // one each for claims, results, sweeps and replays, and one to spare
)

// Config holds the settings of a node's parts.
type Config struct {
	PublicURL          string           // the base of every absolute URL, without a trailing slash
	Version            string           // of the build; receivers see it in the User-Agent of hooks
	ConnectionsPerUser int              // WebSockets and event streams
	Retention          change.Retention // of the change log
	AuditKeepFor       time.Duration    // how long the audit log retains entries; 0: no limit
	HookReach          egress.Policy
	TrustedProxies     []netip.Prefix // whose X-Forwarded-For is trusted
	Log                *slog.Logger
}

// Node holds the services of one process.
type Node struct {
	Account    *account.Service
	SignIn     *signin.Service
	Items      *item.Service
	Tokens     *token.Service
	Hub        *live.Hub
	Feed       *change.Feed
	Sequencer  *change.Sequencer
	Dispatcher *dispatch.Dispatcher
	Contract   *contract.Document

	config    Config
	pool      *pgxpool.Pool
	notifier  *pgxpool.Pool // of the sequencer, the feed and reviews, which must never queue behind requests
	queue     *pgxpool.Pool // of the dispatcher
	pages     *browse.Pages
	problems  *contract.Problems
	pruner    *change.Pruner
	directory *account.Directory
	hooks     *hook.Service
	workflows *workflow.Service
}

// New builds a node on a migrated database. Close the node before the pool.
func New(ctx context.Context, pool *pgxpool.Pool, config Config) (*Node, error) {
	document, err := contract.Load(openapi.Files, "core")
	if err != nil {
		return nil, fmt.Errorf("load the contract: %w", err)
	}
	if document, err = document.At(config.PublicURL); err != nil {
		return nil, err
	}
	problems := contract.NewProblems(config.Log)
	root := publicurl.Path(config.PublicURL)
	pages, err := browse.New(document, browse.Options{
		PublicURL: config.PublicURL, LoginURL: root + "/login", LogoutURL: root + "/logout",
		UserURL: document.Base() + "/me", Assets: browse.Assets(web.BundleOf("browse")), Problems: problems,
	})
	if err != nil {
		return nil, err
	}
	notifier, err := db.OpenQueue(ctx, pool, db.QueueOptions{MaxConns: notifierConns})
	if err != nil {
		return nil, fmt.Errorf("open the notifier's pool: %w", err)
	}
	queue, err := db.OpenQueue(ctx, pool, db.QueueOptions{MaxConns: queueConns, AsyncCommit: true})
	if err != nil {
		notifier.Close()
		return nil, fmt.Errorf("open the delivery queue's pool: %w", err)
	}
	feed, err := change.OpenFeed(ctx, notifier, config.Log)
	if err != nil {
		queue.Close()
		notifier.Close()
		return nil, err
	}
	n := &Node{
		config: config, pool: pool, notifier: notifier, queue: queue, Contract: document, problems: problems,
		pages: pages, Feed: feed,
	}
	n.buildServices()
	return n, nil
}

func (n *Node) buildServices() {
	pool, config, log := n.pool, n.config, n.config.Log
	n.Sequencer = change.NewSequencer(n.notifier, log)
	n.SignIn = signin.New(signin.Config{Pool: pool, Reviews: n.notifier, Log: log})
	n.Account = account.NewService(account.Config{Pool: pool, Log: log, PublicURL: config.PublicURL,
		AuditKeepFor: config.AuditKeepFor, Forget: n.SignIn.Forget})
	n.directory = account.NewDirectory(pool)
	n.Tokens = token.NewService(pool)
	sender := sending.New(config.HookReach.Transport(egress.Options{}), sending.Config{Version: config.Version})
	n.Items = item.NewService(item.Config{Pool: pool, Feed: n.Feed, Sequencer: n.Sequencer,
		Check: n.Contract.Schema("ItemInput").Check, CheckPatch: n.Contract.Schema("ItemPatch").Check,
		PublicURL: config.PublicURL, Log: log})
	n.Dispatcher = dispatch.New(dispatch.Config{Pool: n.queue, Feed: n.Feed, Sender: sender, Log: log})
	n.hooks = hook.NewService(hook.Config{Pool: pool, Feed: n.Feed, Reach: config.HookReach, Sender: sender,
		Items: n.Items, Wake: n.Dispatcher.Wake})
	n.pruner = change.NewPruner(pool, config.Retention, n.Dispatcher.Hold, log)
	n.Hub = live.NewHub(pool, n.Feed, config.ConnectionsPerUser, log)
	n.workflows = workflow.NewService(workflow.Config{Pool: pool, Log: log, Changed: n.Hub.Forget,
		Reach: config.HookReach, Hooks: n.hooks})
}

// Close releases the node's own database connections. Call it after Run has returned.
func (n *Node) Close() {
	n.queue.Close()
	n.notifier.Close()
}

// Run does the node's background work until ctx ends or a part fails.
func (n *Node) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range []func(context.Context) error{
		n.Sequencer.Run, n.Feed.Run, n.pruner.Run, n.SignIn.Run, n.Account.RunAuditRetention, n.workflows.Run,
		n.Items.RunRenewal,
		n.Dispatcher.Run,
		func(ctx context.Context) error { return idempotency.RunRetention(ctx, n.pool, n.config.Log) },
	} {
		group.Go(func() error { return part(ctx) })
	}
	return group.Wait()
}
