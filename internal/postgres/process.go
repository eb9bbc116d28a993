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
	exited chan struct{} // closed when it has ended and its stderr has been read
	cmd    *exec.Cmd
	stderr *logWriter
}

// spawn starts cmd on an OS thread that lives as long as cmd: Linux sends the parent-death signal when the thread ends,
// and the Go runtime may end threads at any time. With dependent, cmd shuts down when this process dies.
func spawn(cmd *exec.Cmd, log *slog.Logger, dependent bool) (*process, error) {
	p := &process{cmd: cmd, stderr: &logWriter{log: log}, exited: make(chan struct{})}
	cmd.Stderr = p.stderr
	cmd.WaitDelay = time.Second // the children of a killed postmaster hold stderr open for a moment
	if dependent {
		shutDownWithParent(cmd)
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
		_ = cmd.Wait() // describeExit reports the result
		close(p.exited)
	}()
	return p, <-started
}

// lastLines returns the last lines that the process wrote to stderr.
func (p *process) lastLines() string { return p.stderr.last() }

// describeExit describes how the process ended.
func (p *process) describeExit() string {
	return fmt.Sprintf("%s; its last messages:\n%s", p.cmd.ProcessState, p.lastLines())
}
