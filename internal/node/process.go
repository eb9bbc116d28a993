package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"log/slog"

	"itemcast/internal/media/process"
	"itemcast/internal/server"
)

// coresPerJob is the number of cores for each item that a node processes at once. ffmpeg uses several for a video; one
// that has more gets the next item done no sooner.
const coresPerJob = 4

// DefaultProcessJobs is how many items a node processes at once unless the operator says otherwise.
func DefaultProcessJobs() int { return max(1, runtime.GOMAXPROCS(0)/coresPerJob) }

// ProcessConfig holds the settings of a process that only processes media, beside servers on the same database and the
// same storage.
type ProcessConfig struct {
	Config
	Database DatabaseConfig
	OpsAddr  string        // empty: no operators' listener
	DrainFor time.Duration // how long items in progress may take when ctx has ended
	Ready    func()        // called when it takes items
}

// Process processes media until ctx ends. It then finishes the items in progress if it can within DrainFor, and gives
// the others back. It needs the base URL of the servers.
func Process(ctx context.Context, config ProcessConfig) error {
	if missing := process.MissingPrograms(); len(missing) > 0 {
		return fmt.Errorf("media cannot be processed here: %s missing; install Debian's ffmpeg and libvips-tools, or your "+
			"system's", are(missing))
	}
	var ops net.Listener
	if config.OpsAddr != "" {
		var err error
		if ops, err = listen(config.OpsAddr, "--ops-addr (ITEMCAST_OPS_ADDR)"); err != nil {
			return err
		}
		defer ops.Close()
	}
	database, err := OpenDatabase(ctx, config.Database)
	if err != nil {
		return err
	}
	defer database.Close()
	if database.postgres != nil {
		return errors.New("no server runs on this data directory: start one (itemcast serve), or set " + databaseSetting +
			" to the database of the servers")
	}
	if config.PublicURL, err = serversURL(ctx, database, config.PublicURL); err != nil {
		return err
	}
	n, err := New(ctx, database.Pool, config.Config)
	if err != nil {
		return err
	}
	defer n.Close()
	if err := n.Media.Check(ctx); err != nil {
		return fmt.Errorf("set --storage-url (ITEMCAST_STORAGE_URL) to the storage of the servers: %w", err)
	}
	return n.process(ctx, config, ops)
}

// serversURL returns the base URL that the servers render documents with; given wins.
func serversURL(ctx context.Context, database *Database, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	stored, err := StoredPublicURL(ctx, database.Pool)
	if err == nil && stored == "" {
		err = errors.New("no server has run on this database: start one first (itemcast serve)")
	}
	return stored, err
}

// process takes items until ctx ends. The operators' listener answers until the last item has ended.
func (n *Node) process(ctx context.Context, config ProcessConfig, ops net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	operators := &http.Server{Handler: server.Ops(n.pool, n.faults, nil, n.workflows, n.Media),
		ErrorLog: slog.NewLogLogger(n.config.Log.Handler(), slog.LevelWarn), ReadHeaderTimeout: headerTimeout}
	if ops != nil {
		group.Go(func() error {
			if err := operators.Serve(ops); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	group.Go(func() error {
		return errors.Join(n.workflows.RunProcessing(ctx, config.DrainFor), operators.Close())
	})
	config.Ready()
	return group.Wait()
}

// processes reports whether the node processes media.
func (n *Node) processes() bool { return n.config.ProcessJobs >= 0 && n.bucket != nil }

// reportProcessing logs what the node cannot process.
func (n *Node) reportProcessing() {
	missing := process.MissingPrograms()
	switch {
	case n.bucket == nil:
	case !n.processes():
		n.config.Log.Info("this server processes no media (ITEMCAST_PROCESS_JOBS=0): itemcast process does, on any machine")
	case len(missing) > 0:
		n.config.Log.Warn("uploads are stored, but not all can be processed: install Debian's ffmpeg and libvips-tools, or "+
			"your system's", "missing", missing)
	}
}

// faults returns what does not work, as parts of a sentence.
func (n *Node) faults(ctx context.Context) (faults []string) {
	if n.Media.Check(ctx) != nil {
		faults = append(faults, "the storage for files does not answer")
	}
	if missing := process.MissingPrograms(); n.processes() && len(missing) > 0 {
		faults = append(faults, "not all media can be processed: "+are(missing)+" missing")
	}
	return faults
}

// are returns "a is" or "a, b are".
func are(names []string) string {
	verb := " are"
	if len(names) == 1 {
		verb = " is"
	}
	return strings.Join(names, ", ") + verb
}
