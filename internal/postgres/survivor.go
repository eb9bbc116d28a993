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

// residents are the processes of the Postgres on one data directory.
type residents struct {
	postmaster int // 0: none
	all        []int
}

// findResidents knows them by the identity in their command lines: the postmaster got it as an option, and its children have it in
// their titles. Pid files lie after a crash; command lines do not, and everybody may read them.
func findResidents(identity string) (residents, error) {
	found, err := commands()
	if err != nil {
		return residents{}, err
	}
	var r residents
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

// evict shuts down whatever Postgres runs on the data directory, and returns when none of its processes is left. It asks for a fast
// shutdown first, for as long as ctx allows, then for an immediate one, and then kills.
func evict(ctx context.Context, identity string, log *slog.Logger) error {
	steps := []struct {
		signal   syscall.Signal
		patience time.Duration
	}{
		{syscall.SIGINT, 10 * time.Second},
		{syscall.SIGQUIT, 5 * time.Second},
		{syscall.SIGKILL, 5 * time.Second},
	}
	for _, step := range steps {
		limit, cancel := context.WithTimeout(ctx, step.patience)
		gone, err := signalAndWait(limit, identity, step.signal, log)
		cancel()
		if gone || err != nil {
			return err
		}
		ctx = context.WithoutCancel(ctx)
	}
	r, err := findResidents(identity)
	return errors.Join(err, fmt.Errorf("Postgres processes %v do not end, not even killed: see whether their disk hangs", r.all))
}

func signalAndWait(ctx context.Context, identity string, signal syscall.Signal, log *slog.Logger) (gone bool, err error) {
	told := map[int]bool{}
	for {
		r, err := findResidents(identity)
		if err != nil || len(r.all) == 0 {
			return err == nil, err
		}
		for pid, sig := range r.addressees(signal) {
			if told[pid] {
				continue
			}
			told[pid] = true
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

// addressees says who gets a signal: the postmaster, which passes it on; or, where it is dead, its children, for whom SIGINT would
// only cancel a statement. SIGKILL is for all.
func (r residents) addressees(signal syscall.Signal) map[int]syscall.Signal {
	if r.postmaster != 0 && signal != syscall.SIGKILL {
		return map[int]syscall.Signal{r.postmaster: signal}
	}
	if signal == syscall.SIGINT {
		signal = syscall.SIGQUIT
	}
	addressees := map[int]syscall.Signal{}
	for _, pid := range r.all {
		addressees[pid] = signal
	}
	return addressees
}
