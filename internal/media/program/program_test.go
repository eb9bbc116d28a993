package program_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"itemcast/internal/media/program"
)

func sh(t *testing.T, script string) program.Command {
	return program.Command{Name: "sh", Args: []string{"-c", script}, Dir: t.TempDir()}
}

func failure(t *testing.T, err error) *program.Failure {
	t.Helper()
	f, ok := errors.AsType[*program.Failure](err)
	if !ok {
		t.Fatalf("got %v, want a failure", err)
	}
	return f
}

func TestRun_ReturnsTheOutputAndHidesOurEnvironment(t *testing.T) {
	t.Setenv("ITEMCAST_ADMIN_PASSWORD", "secret")
	out, err := program.Run(t.Context(), sh(t, `echo "hello $ITEMCAST_ADMIN_PASSWORD"; pwd`))
	if err != nil || !strings.HasPrefix(string(out.Output), "hello \n/") {
		t.Errorf("got %q, %v", out.Output, err)
	}
}

func TestRun_SaysWhyAProgramFailed(t *testing.T) {
	t.Parallel()
	long := sh(t, `sleep 60`)
	long.Limits.Time = 50 * time.Millisecond
	large := sh(t, `exec head -c 100000 /dev/zero >file`)
	large.Limits.FileSize = 50_000
	for want, c := range map[program.Reason]program.Command{
		program.Exited:      sh(t, `echo 'bad input' >&2; exit 3`),
		program.TooLong:     long,
		program.TooLarge:    large,
		program.DiskFull:    sh(t, `echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 1`),
		program.Interrupted: sh(t, `kill -KILL $$`),
	} {
		_, err := program.Run(t.Context(), c)
		if f := failure(t, err); f.Reason != want {
			t.Errorf("got %v, want %s", f, want)
		}
	}
	_, err := program.Run(t.Context(), program.Command{Name: "no-such-program", Dir: t.TempDir()})
	if m, ok := errors.AsType[*program.Missing](err); !ok || m.Name != "no-such-program" {
		t.Errorf("got %v", err)
	}
}

func TestRun_PassesEachLineOnAndEndsWithItsError(t *testing.T) {
	t.Parallel()
	c := sh(t, `echo one; echo two; printf three`)
	var lines []string
	c.Lines = func(line string) error { lines = append(lines, line); return nil }
	if _, err := program.Run(t.Context(), c); err != nil || strings.Join(lines, " ") != "one two three" {
		t.Errorf("got %q, %v", lines, err)
	}
	enough := errors.New("enough")
	endless := sh(t, `while :; do echo line; done`)
	endless.Lines = func(string) error { return enough }
	if _, err := program.Run(t.Context(), endless); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

func TestRun_TheEndOfItsContextKillsAProgramAndItsChildren(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("the run was cancelled")
	c := sh(t, `sh -c 'trap "" TERM; echo started; while :; do sleep 0.05; echo alive >>pulse; done' & wait`)
	c.Lines = func(string) error { cancel(reason); return nil }
	if _, err := program.Run(ctx, c); !errors.Is(err, reason) {
		t.Fatalf("got %v", err)
	}
	// The pipe of a child that lives would have kept Run waiting for its delay. Its pulse has ended, too.
	pulse := filepath.Join(c.Dir, "pulse")
	before, _ := os.ReadFile(pulse)
	time.Sleep(150 * time.Millisecond)
	if after, _ := os.ReadFile(pulse); len(after) != len(before) {
		t.Errorf("a child is alive")
	}
}
