package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"syscall"
	"time"
)

// processes are the processes of the Postgres on one data directory.
type processes struct {
	postmaster int // 0: none
	all        []int
}

// findProcesses recognizes processes by the identity in their command lines: the postmaster has it as an option, its
// children have it in their titles. A pid file may be wrong after a crash. Command lines are always right, and any user
// may read them.
func findProcesses(identity string) (processes, error) {
	found, err := commands()
	if err != nil {
		return processes{}, err
	}
	var r processes
	for pid, command := range found {
		switch {
		case isPostmaster(command) && strings.Contains(command+" ", " cluster_name="+identity+" "):
			r.postmaster = pid
		case !strings.HasPrefix(command, "postgres: "+identity+": "):
			continue
		}
		r.all = append(r.all, pid)
	}
	return r, nil
}

func isPostmaster(command string) bool {
	program, _, _ := strings.Cut(command, " -")
	return path.Base(program) == "postgres"
}

// shutDown shuts down the Postgres that runs on the data directory, if any, and returns when none of its processes is
// left. It requests a fast shutdown, while ctx allows, then an immediate one, and finally kills the processes.
func shutDown(ctx context.Context, identity string, log *slog.Logger) error {
	steps := []struct {
		signal  syscall.Signal
		timeout time.Duration
	}{
		{syscall.SIGINT, 10 * time.Second},
		{syscall.SIGQUIT, 5 * time.Second},
		{syscall.SIGKILL, 5 * time.Second},
	}
	for _, step := range steps {
		limit, cancel := context.WithTimeout(ctx, step.timeout)
		gone, err := signalAndWait(limit, identity, step.signal, log)
		cancel()
		if gone || err != nil {
			return err
		}
		ctx = context.WithoutCancel(ctx)
	}
	r, err := findProcesses(identity)
	return errors.Join(err,
		fmt.Errorf("Postgres processes %v do not end even when killed: check whether their disk hangs", r.all))
}

// signalAndWait signals every process once, and reports whether all have ended before ctx.
func signalAndWait(
	ctx context.Context, identity string, signal syscall.Signal, log *slog.Logger,
) (gone bool, err error) {
	signalled := map[int]bool{}
	for {
		r, err := findProcesses(identity)
		if err != nil || len(r.all) == 0 {
			return err == nil, err
		}
		for pid, sig := range r.signals(signal) {
			if signalled[pid] {
				continue
			}
			signalled[pid] = true
			log.Debug("stopping Postgres", "pid", pid, "signal", sig)
			if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				return false, fmt.Errorf("stop the Postgres with pid %d that runs on the data directory: %w", pid, err)
			}
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// signals returns the signal for each process. A living postmaster forwards a signal to its children. If the postmaster
// is dead, the children get it directly: SIGQUIT instead of SIGINT, which would only cancel their current statement.
// SIGKILL goes to all processes.
func (r processes) signals(signal syscall.Signal) map[int]syscall.Signal {
	if r.postmaster != 0 && signal != syscall.SIGKILL {
		return map[int]syscall.Signal{r.postmaster: signal}
	}
	if signal == syscall.SIGINT {
		signal = syscall.SIGQUIT
	}
	signals := map[int]syscall.Signal{}
	for _, pid := range r.all {
		signals[pid] = signal
	}
	return signals
}
