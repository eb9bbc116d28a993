package encode

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"itemcast/internal/media/probe"
	"itemcast/internal/media/program"
	"itemcast/internal/problem"
)

// ffmpeg runs ffmpeg in a folder. at gets the time that it has reached, from 0. Errors for users say what to do.
func (s Settings) ffmpeg(ctx context.Context, dir string, at func(time.Duration), args ...string) error {
	_, err := s.tellingFFmpeg(ctx, dir, "error", at, args...)
	return err
}

// tellingFFmpeg is ffmpeg, and returns the end of what it tells at a log level.
func (s Settings) tellingFFmpeg(
	ctx context.Context, dir, level string, at func(time.Duration), args ...string,
) (words string, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stalled := time.AfterFunc(s.Stall, func() {
		stop(problem.New(problem.RuleViolated, "Processing made no progress for %s. The file may be damaged.", s.Stall))
	})
	defer stalled.Stop()
	all := append([]string{"-hide_banner", "-nostdin", "-nostats", "-y", "-v", level, "-progress", "pipe:1"}, args...)
	var moved progressLine
	result, err := program.Run(ctx, program.Command{Name: "ffmpeg", Args: all, Dir: dir, Limits: s.Program,
		Lines: func(line string) error {
			changed, timed := moved.read(line)
			if changed {
				stalled.Reset(s.Stall)
			}
			if timed && at != nil {
				at(moved.time)
			}
			return nil
		}})
	return result.Words, explain(err)
}

// progressLine reads the lines of ffmpeg's -progress.
type progressLine struct {
	frame, size string
	time        time.Duration
}

// read reports whether a line shows that ffmpeg works, and whether it says how far it is.
func (p *progressLine) read(line string) (changed, timed bool) {
	name, value, _ := strings.Cut(line, "=")
	switch name {
	case "frame":
		changed, p.frame = p.frame != value, value
	case "total_size":
		changed, p.size = p.size != value, value
	case "out_time_us": // microseconds; at first it may be missing or negative
		us, err := strconv.ParseInt(value, 10, 64)
		at := max(0, time.Duration(us)*time.Microsecond)
		if err != nil {
			return false, false
		}
		changed, p.time = p.time != at, at
		return changed, true
	}
	return changed, false
}

// explain makes the error of ffmpeg one for users.
func explain(err error) error {
	if missing, ok := errors.AsType[*program.Missing](err); ok {
		return probe.MissingProgram(missing)
	}
	failure, ok := errors.AsType[*program.Failure](err)
	if !ok {
		return err
	}
	if failure.Exit == exitBySignal {
		failure.Reason = program.Interrupted
	}
	if failure.Reason == program.DiskFull {
		return errors.Join(probe.DiskFull(), err)
	}
	text := map[program.Reason]string{
		program.Exited:   "The file is damaged, or its format cannot be converted. Upload it as MP4, for example.",
		program.TooLong:  "Processing takes longer than allowed.",
		program.TooLarge: "Processing makes larger files than allowed.",
		program.NoMemory: noMemory,
	}[failure.Reason]
	switch {
	case strings.Contains(failure.Words, "Error while opening encoder"): // whose parameters are ours, and right
		text = noMemory
	case text == "":
		return err
	}
	return errors.Join(problem.New(problem.RuleViolated, "%s", text), err)
}

const noMemory = "Processing takes more memory than allowed. Upload a smaller picture."

// exitBySignal is how ffmpeg ends when it was told to, by a signal that it handles (ffmpeg.c).
const exitBySignal = "exit status 255"
