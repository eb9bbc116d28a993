// Package program runs the programs that read other people's files: ffmpeg, ffprobe and vips.
//
// A program runs with limits on time, memory and the size of its files, at a low priority, without our environment
// (which may hold secrets), in a process group and a directory of its own. It dies with its context, and on Linux also
// with this process. The package must not know what the programs do.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Limits bound one run of a program. 0 is no limit.
type Limits struct {
	Time     time.Duration // from its start to its end
	Memory   int64         // bytes of address space; systems other than Linux may not enforce it
	FileSize int64         // bytes of each file that it writes
}

const (
	maxOutput = 32 << 20        // bytes of standard output that Run returns
	maxLine   = 64 << 10        // bytes of a line that Lines gets
	keptWords = 4 << 10         // bytes of standard error that an Error shows: the last ones
	pipeDelay = 5 * time.Second // for the pipes of a killed program
)

// Command is a program with its arguments.
type Command struct {
	Name   string
	Args   []string
	Dir    string   // its working directory
	Env    []string // beside the few variables that every program gets
	Limits Limits

	// Lines gets each line of standard output when it arrives, without the line's end. An error ends the program, and
	// Run returns it.
	Lines func(line string) error
}

// Result is what a program has written.
type Result struct {
	Output []byte // unless Lines got it
	Words  string // the end of its standard error
}

// Run runs a program to its end. Errors: *Missing, *Failure, the error of Lines, or the cause of the end of ctx.
func Run(ctx context.Context, c Command) (Result, error) {
	path, err := exec.LookPath(c.Name)
	if err != nil {
		return Result{}, &Missing{c.Name}
	}
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if c.Limits.Time > 0 {
		timer := time.AfterFunc(c.Limits.Time, func() { cancel(&Failure{Name: c.Name, Reason: TooLong}) })
		defer timer.Stop()
	}
	words := &tail{limit: keptWords}
	lines := &lineWriter{line: c.Lines, stop: cancel}
	cmd := exec.CommandContext(limited, "/bin/sh", append([]string{"-c", limitScript, "sh",
		ulimit(c.Limits.Memory, 1024), ulimit(c.Limits.FileSize, 512), path}, c.Args...)...)
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = c.Dir, words, pipeDelay
	cmd.Stdout = lines
	cmd.Env = append([]string{"LC_ALL=C.UTF-8", "TZ=UTC", "PATH=" + os.Getenv("PATH"), "HOME=" + c.Dir,
		"TMPDIR=" + c.Dir}, c.Env...)
	if libraries, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+libraries)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

	// Linux sends the parent-death signal when the thread that started the program ends.
	runtime.LockOSThread()
	err = cmd.Run()
	runtime.UnlockOSThread()
	if limited.Err() != nil {
		return Result{}, context.Cause(limited)
	}
	if err == nil {
		err = lines.flush()
	}
	if err == nil {
		return Result{lines.all.Bytes(), words.String()}, nil
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		said := words.String()
		return Result{}, &Failure{Name: c.Name, Reason: reason(exit, said), Exit: exit.String(), Words: said}
	}
	return Result{}, fmt.Errorf("run %s: %w", c.Name, err)
}

// limitScript sets the limits of the shell and becomes the program. A system that lacks a limit goes on without it.
const limitScript = `ulimit -c 0; ulimit -v "$1" 2>/dev/null; ulimit -f "$2" 2>/dev/null; shift 2; exec nice -n 10 "$@"`

// ulimit returns a limit in the unit that POSIX gives to ulimit.
func ulimit(bytes, unit int64) string {
	if bytes <= 0 {
		return "unlimited"
	}
	return strconv.FormatInt(max(1, bytes/unit), 10)
}

// lineWriter divides the output into lines, or collects all of it.
type lineWriter struct {
	line func(string) error
	stop context.CancelCauseFunc
	rest []byte
	all  bytes.Buffer
}

var errTooMuch = errors.New("the program wrote too much output")

func (w *lineWriter) Write(p []byte) (int, error) {
	if w.line == nil {
		if w.all.Len()+len(p) > maxOutput {
			return 0, w.fail(errTooMuch)
		}
		return w.all.Write(p)
	}
	w.rest = append(w.rest, p...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			break
		}
		if err := w.line(strings.TrimSuffix(string(line), "\r")); err != nil {
			return 0, w.fail(err)
		}
		w.rest = rest
	}
	if len(w.rest) > maxLine {
		return 0, w.fail(errTooMuch)
	}
	return len(p), nil
}

func (w *lineWriter) fail(err error) error {
	w.stop(err)
	return err
}

// flush passes on the last line, if it has no end.
func (w *lineWriter) flush() error {
	if len(w.rest) == 0 {
		return nil
	}
	return w.line(string(w.rest))
}

// tail keeps the last bytes that are written.
type tail struct {
	limit int
	kept  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - t.limit; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(strings.ToValidUTF8(string(t.kept), "�")) }
