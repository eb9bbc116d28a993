package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	maxPortAttempts  = 5
	stableAfter      = time.Minute // the default of Config.StableAfter
	maxQuickFailures = 5
	firstBackoff     = 100 * time.Millisecond
)

// Config configures a server. Only DataDir is required.
type Config struct {
	DataDir  string
	Logger   *slog.Logger      // nil: nothing is logged
	Settings map[string]string // Postgres settings that override the package's own, such as {"fsync": "off"}
	CacheDir string            // for downloaded programs; empty: the user's cache directory; for root /var/cache/itemcast

	// StableAfter is how long Postgres has to run until its death no longer counts as one in quick succession; 0: a
	// minute. A test that kills Postgres often sets a short time.
	StableAfter time.Duration

	outliveOwner bool // for tests: Postgres does not shut down when its owner dies
}

// Server is a running Postgres and its supervision. Its methods may be called concurrently.
//
// One goroutine, supervise, waits for the end of the process and restarts it. mu guards err, which supervise writes
// once, before it closes done.
type Server struct {
	launcher
	port        int
	lock        *os.File
	stableAfter time.Duration

	stopping context.Context
	stop     context.CancelFunc
	done     chan struct{}

	mu  sync.Mutex
	err error
}

// Start starts Postgres on the data directory, which it creates if needed, and returns when Postgres answers. ctx
// limits the start only. It returns [ErrInUse] while another process owns the directory.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	if cfg.DataDir == "" {
		return nil, errors.New("start Postgres: the data directory is not set")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.DataDir, err = filepath.Abs(cfg.DataDir); err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(cfg.DataDir), 0o755); err != nil {
		return nil, fmt.Errorf("start Postgres: create the parent of the data directory: %w", err)
	}
	lock, err := acquireLock(ctx, cfg.DataDir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			lock.Close()
		}
	}()

	launcher, err := prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	port, p, err := launcher.launchOnFreePort(ctx)
	if err != nil {
		return nil, fmt.Errorf("start Postgres on %s: %w", cfg.DataDir, err)
	}
	s := &Server{launcher: launcher, port: port, lock: lock, stableAfter: cmp.Or(cfg.StableAfter, stableAfter),
		done: make(chan struct{})}
	s.stopping, s.stop = context.WithCancel(context.Background())
	go s.supervise(p)
	return s, nil
}

// URL returns the connection URL, with the password. It does not change for the life of the Server, even when Postgres
// restarts.
func (s *Server) URL() string { return connectionURL(s.port, s.password) }

// Done returns a channel that closes when Postgres has ended for good: after [Server.Stop], or after too many deaths.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns, once Done is closed, why the server was abandoned; nil after Stop.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Stop shuts Postgres down and returns when no process is left. It requests a fast shutdown, which ends sessions and
// writes a checkpoint. After ten seconds, or when ctx ends, it requests an immediate one. It may be called again.
func (s *Server) Stop(ctx context.Context) error {
	s.stop()
	err := s.shutDown(ctx)
	<-s.done
	return err
}

// supervise restarts Postgres whenever it dies, until Stop is called or Postgres dies too often.
func (s *Server) supervise(p *process) {
	defer close(s.done)
	defer s.lock.Close()
	failures := 0
	for {
		launched := time.Now()
		<-p.exited
		if s.stopping.Err() != nil {
			return
		}
		s.log.Error("Postgres died; restarting it", "error", p.describeExit())
		if time.Since(launched) > s.stableAfter {
			failures = 0
		}
		var err error
		for p = nil; p == nil; {
			if failures == maxQuickFailures {
				s.abandon(err)
				return
			}
			if !s.pause(firstBackoff << failures) {
				return
			}
			failures++
			if p, err = s.launch(s.stopping, s.port); err != nil && s.stopping.Err() == nil {
				s.log.Error("cannot restart Postgres; retrying", "error", err)
			}
		}
		s.log.Info("Postgres is running again", "pid", p.pid)
	}
}

// pause waits for d, or returns false when the server stops.
func (s *Server) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.stopping.Done():
		return false
	}
}

func (s *Server) abandon(cause error) {
	err := fmt.Errorf("Postgres on %s died %d times in quick succession: see its last messages in the log",
		s.cfg.DataDir, maxQuickFailures+1)
	if cause != nil {
		err = fmt.Errorf("Postgres on %s died and does not start again: %w", s.cfg.DataDir, cause)
	}
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	s.log.Error("abandoning Postgres", "error", err)
}
