// Package node builds and runs the parts of one process over one database: it is the only package that knows them all.
//
// [Serve] is the life of a server, from its database to the end of its last request. [New] builds the same parts for a
// command that works beside a server, and for tests (package nodetest).
//
// It must not know flags, nor how a part works. Only the command, nodetest and tests import it.
package node

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
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
	"itemcast/internal/media"
	"itemcast/internal/media/blob"
	"itemcast/internal/media/encode"
	"itemcast/internal/media/player"
	"itemcast/internal/media/process"
	"itemcast/internal/optional"
	"itemcast/internal/publicurl"
	"itemcast/internal/token"
	"itemcast/internal/upload"
	"itemcast/internal/upload/attach"
	"itemcast/internal/web"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
	"itemcast/openapi"
)

const (
	notifierConns = 5 // one each for the sequencer, the feed, the durable consumer, reviews of permissions and presence
	queueConns    = 5 // one each for claims, results, sweeps and replays, and one to spare
	moveConns     = 6 // one each for the runs that move at once, their sweep, and the lease of the processor
	jobConns      = 4 // one each for fetching, completing and announcing jobs, and for their maintenance
)

// Config holds the settings of a node's parts.
type Config struct {
	PublicURL          string           // the base of every absolute URL, without a trailing slash
	Version            string           // of the build; receivers see it in the User-Agent of hooks
	ConnectionsPerUser int              // WebSockets and event streams
	Retention          change.Retention // of the change log
	AuditKeepFor       time.Duration    // how long the audit log retains entries; 0: no limit
	UploadMaxSize      int64            // bytes of an upload; 0: upload.DefaultMaxSize
	UploadDrafts       bool             // resumable uploads also speak the drafts of the IETF
	Now                func() time.Time // when resumable uploads expire; nil: time.Now
	HookReach          egress.Policy
	TrustedProxies     []netip.Prefix     // whose X-Forwarded-For is trusted
	Processor          workflow.Processor // of media; nil: one that uses ffmpeg and vips, if there is a storage
	Scratch            string             // folder of the processor's unfinished work; empty: one for temporary files
	Encode             encode.Settings    // of the processor
	ProcessJobs        int                // items that this node processes at once; 0: DefaultProcessJobs; negative: none
	StorageURL         string             // where files are stored: file:///folder, s3://bucket; empty: nowhere
	MediaKeepFor       time.Duration      // how long the files of deleted items and assets are retained; 0: 24 hours
	Log                *slog.Logger
}

// Node holds the services of one process.
type Node struct {
	Account    *account.Service
	SignIn     *signin.Service
	Items      *item.Service
	Media      *media.Service
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
	moves     *pgxpool.Pool // of the runs of workflows
	jobs      *pgxpool.Pool // of the queue of jobs
	bucket    *blob.Bucket  // of files; nil: none
	pages     *browse.Pages
	problems  *contract.Problems
	pruner    *change.Pruner
	directory *account.Directory
	hooks     *hook.Service
	workflows *workflow.Service
	uploads   *upload.Service
	attach    *attach.Service
	player    *player.Service
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
	n := &Node{config: config, pool: pool, Contract: document, problems: problems, pages: pages}
	if err := n.openPools(ctx); err != nil {
		n.Close()
		return nil, err
	}
	if n.Feed, err = change.OpenFeed(ctx, n.notifier, config.Log); err != nil {
		n.Close()
		return nil, err
	}
	if config.StorageURL != "" {
		if n.bucket, err = blob.Open(ctx, config.StorageURL); err != nil {
			n.Close()
			return nil, fmt.Errorf("%w (ITEMCAST_STORAGE_URL)", err)
		}
	}
	n.buildServices()
	return n, nil
}

// openPools opens the node's own pools. On an error, Close closes those that are open.
func (n *Node) openPools(ctx context.Context) (err error) {
	for _, p := range []struct {
		pool    **pgxpool.Pool
		name    string
		options db.QueueOptions
	}{
		{&n.notifier, "notifier", db.QueueOptions{MaxConns: notifierConns}},
		{&n.queue, "delivery queue", db.QueueOptions{MaxConns: queueConns, AsyncCommit: true}},
		{&n.moves, "workflows", db.QueueOptions{MaxConns: moveConns}},
		{&n.jobs, "job queue", db.QueueOptions{MaxConns: jobConns, AsyncCommit: true}},
	} {
		if *p.pool, err = db.OpenQueue(ctx, n.pool, p.options); err != nil {
			return fmt.Errorf("open the pool of the %s: %w", p.name, err)
		}
	}
	return nil
}

func (n *Node) buildServices() {
	pool, config, log := n.pool, n.config, n.config.Log
	n.Sequencer = change.NewSequencer(n.notifier, log)
	n.SignIn = signin.New(signin.Config{Pool: pool, Reviews: n.notifier, Log: log})
	n.Account = account.NewService(account.Config{Pool: pool, Log: log, PublicURL: config.PublicURL,
		AuditKeepFor: config.AuditKeepFor, Forget: n.SignIn.Forget})
	n.directory = account.NewDirectory(pool)
	n.Tokens = token.NewService(pool)
	outside := config.HookReach.Transport(egress.Options{})
	sender := sending.New(outside, sending.Config{Version: config.Version})
	starter := workflow.NewStarter(log)
	n.Items = item.NewService(item.Config{Pool: pool, Feed: n.Feed, Sequencer: n.Sequencer, Workflows: starter,
		Check: n.Contract.Schema("ItemInput").Check, CheckPatch: n.Contract.Schema("ItemPatch").Check,
		Files: media.Files{}, PublicURL: config.PublicURL, Log: log})
	n.Media = media.NewService(media.Config{Pool: pool, Items: n.Items, Bucket: n.bucket, PublicURL: config.PublicURL,
		KeepFor: config.MediaKeepFor, Log: log})
	n.Dispatcher = dispatch.New(dispatch.Config{Pool: n.queue, Feed: n.Feed, Sender: sender, Log: log,
		TaskEnded: starter.TaskEnded})
	n.hooks = hook.NewService(hook.Config{Pool: pool, Feed: n.Feed, Reach: config.HookReach, Sender: sender,
		Items: n.Items, Wake: n.Dispatcher.Wake})
	n.pruner = change.NewPruner(pool, config.Retention, n.Dispatcher.Hold, log)
	n.Hub = live.NewHub(pool, n.Feed, config.ConnectionsPerUser, log)
	n.workflows = workflow.NewService(workflow.Config{Pool: pool, Log: log, Changed: n.Hub.Forget,
		Reach: config.HookReach, Hooks: n.hooks,
		Starter: starter, Items: n.Items, Moves: n.moves, JobsPool: n.jobs, Processor: n.processor(),
		ProcessJobs: cmp.Or(config.ProcessJobs, DefaultProcessJobs())})
	n.uploads = upload.NewService(upload.Config{Pool: pool, Items: n.Items, Media: n.Media,
		Terms: n.workflows.UploadTerms, CheckItem: n.Contract.Schema("ItemInput").Check, MaxSize: config.UploadMaxSize,
		Log: log, Presence: n.notifier, Now: config.Now})
	n.player = player.NewService(player.Config{Pool: pool, Items: n.Items, Media: n.Media, Feed: n.Feed,
		Failure: n.failure})
	n.attach = attach.NewService(attach.Config{Items: n.Items, Media: n.Media, Uploads: n.uploads, Reach: config.HookReach,
		Transport: outside, UserAgent: "Itemcast/" + config.Version, MaxSize: config.UploadMaxSize,
		CheckForm: n.Contract.Schema("AssetForm").Check, CheckByURL: n.Contract.Schema("AssetByURL").Check})
	n.uploads.Assets = n.attach
}

// failure returns why the last run of an item's workflow has failed: of the action that did, else of the run.
func (n *Node) failure(ctx context.Context, id uuid.UUID) (string, error) {
	run, err := n.workflows.RunOf(ctx, id)
	if err != nil {
		return "", err
	}
	for _, action := range run.Actions {
		if action.Status == machine.ActionFailed && action.Error != nil {
			return *action.Error, nil
		}
	}
	return optional.OrZero(run.Error), nil
}

// processor returns the processor of media; nil without a storage.
func (n *Node) processor() workflow.Processor {
	config := n.config
	if config.Processor != nil || n.bucket == nil {
		return config.Processor
	}
	return process.New(process.Config{Files: n.Media, Items: n.Items, Log: config.Log, Encode: config.Encode,
		Scratch: cmp.Or(config.Scratch, filepath.Join(os.TempDir(), "itemcast-scratch"))})
}

// SweepUploads does at once what Run does to uploads every minute.
func (n *Node) SweepUploads(ctx context.Context) error { return n.uploads.Sweep(ctx) }

// Close releases the node's own database connections and its storage. Call it after Run has returned.
func (n *Node) Close() {
	for _, pool := range []*pgxpool.Pool{n.queue, n.moves, n.jobs, n.notifier} {
		if pool != nil {
			pool.Close()
		}
	}
	if n.bucket != nil {
		_ = n.bucket.Close()
	}
}

// Run does the node's background work until ctx ends or a part fails.
func (n *Node) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range []func(context.Context) error{
		n.Sequencer.Run, n.Feed.Run, n.pruner.Run, n.SignIn.Run, n.Account.RunAuditRetention, n.workflows.Run,
		n.Items.RunRenewal, n.Media.Run, n.Media.RunUsage, n.uploads.Run, n.player.Run,
		n.Dispatcher.Run,
		func(ctx context.Context) error { return idempotency.RunRetention(ctx, n.pool, n.config.Log) },
	} {
		group.Go(func() error { return part(ctx) })
	}
	return group.Wait()
}
