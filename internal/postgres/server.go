package postgres

import (
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
	maxPortAttempts = 5
	// A Postgres that ran for this long before it died starts a new count of quick failures.
	steadyAfter      = time.Minute
	maxQuickFailures = 5
	firstBackoff     = 100 * time.Millisecond
)

// Config says where a server keeps its data and how it runs. Only DataDir is required.
type Config struct {
	DataDir  string
	Logger   *slog.Logger      // nil: nothing is logged
	Settings map[string]string // Postgres settings, over the package's own: {"fsync": "off"}
	CacheDir string            // for fetched programs; empty: the user's cache directory, /var/cache/itemcast for root

	outliveOwner bool // tests of what is done about a survivor
}

// Server is a running Postgres and its supervision. Its methods may be called from any goroutine.
type Server struct {
	launcher
	port int
	lock *os.File

	stopping context.Context
	stop     context.CancelFunc
	done     chan struct{}

	mu  sync.Mutex
	err error
}

// Start starts Postgres on the data directory, which it makes if there is none, and returns when it answers. ctx limits the start
// only. It returns [ErrInUse] while another process owns the directory.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	if cfg.DataDir == "" {
		return nil, errors.New("start Postgres: no data directory given")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.DataDir, err = filepath.Abs(cfg.DataDir); err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(cfg.DataDir), 0o755); err != nil {
		return nil, fmt.Errorf("start Postgres: make the parent of the data directory: %w", err)
	}
	lock, err := own(ctx, cfg.DataDir)
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
	s := &Server{launcher: launcher, port: port, lock: lock, done: make(chan struct{})}
	s.stopping, s.stop = context.WithCancel(context.Background())
	go s.supervise(p)
	return s, nil
}

// URL is where the server answers, password included. It stays the same for the life of the Server, restarts included.
func (s *Server) URL() string { return connectionURL(s.port, s.password) }

// Done closes when there is no Postgres any more: after [Server.Stop], or when restarting it was given up.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err says, once Done is closed, why the server was given up; nil after Stop.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Stop shuts Postgres down: fast, which ends sessions and writes a checkpoint; at once when that takes longer than ten seconds or
// than ctx. It returns when no process is left. Stopping twice is not an error.
func (s *Server) Stop(ctx context.Context) error {
	s.stop()
	err := s.evict(ctx)
	<-s.done
	return err
}

// supervise restarts Postgres whenever it dies, until Stop is called or it dies too often.
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
		s.log.Error("Postgres died; restarting it", "cause", p.describeExit())
		if time.Since(launched) > steadyAfter {
			failures = 0
		}
		var err error
		for p = nil; p == nil; {
			if failures == maxQuickFailures {
				s.giveUp(err)
				return
			}
			if !s.pause(firstBackoff << failures) {
				return
			}
			failures++
			if p, err = s.launch(s.stopping, s.port); err != nil && s.stopping.Err() == nil {
				s.log.Error("restart Postgres", "error", err)
			}
		}
		s.log.Info("Postgres is back", "pid", p.pid)
	}
}

// pause waits, and reports false when the server is to stop instead.
func (s *Server) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.stopping.Done():
		return false
	}
}

func (s *Server) giveUp(cause error) {
	err := fmt.Errorf("Postgres on %s died %d times in quick succession; its last messages are in the log", s.cfg.DataDir, maxQuickFailures+1)
	if cause != nil {
		err = fmt.Errorf("Postgres on %s died and does not start again: %w", s.cfg.DataDir, cause)
	}
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	s.log.Error("giving up on Postgres", "error", err)
}
