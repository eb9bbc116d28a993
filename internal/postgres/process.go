package postgres

import (
	"fmt"
	"log/slog"
	"os/exec"
	"runtime"
	"time"
)

// process is one run of the postgres program.
type process struct {
	pid    int
	exited chan struct{} // closed when it has ended and its last words are read
	cmd    *exec.Cmd
	stderr *logWriter
}

// spawn starts cmd from an OS thread that lives as long as cmd does: Linux ties the parent-death signal to the thread, and Go ends
// threads as it likes.
func spawn(cmd *exec.Cmd, log *slog.Logger, dependent bool) (*process, error) {
	p := &process{cmd: cmd, stderr: &logWriter{log: log}, exited: make(chan struct{})}
	cmd.Stderr = p.stderr
	cmd.WaitDelay = time.Second // a killed postmaster's children keep stderr open for a moment
	if dependent {
		dieWithUs(cmd)
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // told by describeExit
		close(p.exited)
	}()
	return p, <-started
}

// lastLines returns the last of what the process wrote to stderr.
func (p *process) lastLines() string { return p.stderr.last() }

// describeExit says how an ended process ended.
func (p *process) describeExit() string {
	return fmt.Sprintf("%s; its last messages:\n%s", p.cmd.ProcessState, p.lastLines())
}
