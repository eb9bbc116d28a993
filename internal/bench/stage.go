package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// stage is the set of processes that run during a report.
type stage struct {
	Config
	builds
	baseline   *baselineProcess
	unwritable error // why the writer does not fit the other build; nil: it does
	otherFirst bool  // in the first round, so that neither build always comes first
}

func openStage(ctx context.Context, c Config) (_ *stage, err error) {
	s := &stage{Config: c}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.this, err = s.open(ctx, c.Itemcast); err != nil {
		return nil, err
	}
	if c.Beside != "" {
		if s.other, err = s.open(ctx, c.Beside); err != nil {
			return nil, fmt.Errorf("open the other build: %w", err)
		}
		if err := s.this.checkWriter(ctx); err != nil { // on both, so that they have the same log
			return nil, fmt.Errorf("check the writer: %w", err)
		}
		if s.unwritable = s.other.checkWriter(ctx); s.unwritable != nil {
			s.logf("the writer does not fit the other build: %v", s.unwritable)
		}
	}
	if err := s.this.makeCopies(ctx); err != nil {
		return nil, fmt.Errorf("make the baseline's tables: %w", err)
	}
	folder := filepath.Join(s.this.dir, "baseline") // beside Itemcast's files, so on the same disk
	if err := os.Mkdir(folder, 0o755); err != nil {
		return nil, err
	}
	if s.baseline, err = startBaseline(ctx, baselineConfig{DatabaseURL: s.this.url, Account: s.this.account,
		Folder: folder}); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *stage) open(ctx context.Context, binary string) (*build, error) {
	s.logf("starting %s and making %d items", binary, s.Items)
	return openBuild(ctx, binary, s.Items, s.logf)
}

func (s *stage) close() {
	if s.baseline != nil {
		s.baseline.stop()
	}
	for _, b := range []*build{s.other, s.this} {
		if b != nil {
			b.close()
		}
	}
}

func (s *stage) logf(format string, args ...any) { logTo(s.Progress, format, args...) }

func logTo(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// baselineTarget sends requests to the baseline, which works on this build's Postgres.
func (s *stage) baselineTarget(next func() call) target {
	return target{s.baseline.addr, s.baselineProcesses(), next}
}

func (s *stage) baselineProcesses() processes {
	return processes{s.baseline.cmd.Process.Pid, s.this.postgresPID()}
}

// profile records a CPU profile of this build when c.Profiles asks for it. stop waits for the file.
func (s *stage) profile(ctx context.Context, name string) (stop func()) {
	if s.Profiles == "" {
		return func() {}
	}
	const seconds = 8
	done := make(chan error, 1)
	go func() {
		profile, err := s.this.ops(ctx, fmt.Sprintf("/debug/pprof/profile?seconds=%d", seconds))
		if err == nil {
			err = os.WriteFile(filepath.Join(s.Profiles, name+".pprof"), profile, 0o644)
		}
		done <- err
	}()
	return func() {
		if err := <-done; err != nil {
			s.logf("no profile of %s: %v", name, err)
		}
	}
}
