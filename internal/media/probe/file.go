package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"itemcast/internal/media/program"
	"itemcast/internal/problem"
)

// File finds out what a file is. Errors for users: UNSUPPORTED_MEDIA_TYPE if Itemcast cannot process it, RULE_VIOLATED
// if it breaks a limit or ends too early, UNAVAILABLE if a program is missing.
func File(ctx context.Context, path string, limits Limits) (*Media, error) {
	limits = limits.withDefaults()
	head, err := readHead(path)
	if err != nil {
		return nil, err
	}
	if len(head) == 0 {
		return nil, problem.New(problem.RuleViolated, "The file is empty. Upload it again.")
	}
	if still, ok := sniffStill(head); ok {
		return measureStill(ctx, path, still, limits)
	}
	return measureTracks(ctx, path, head, limits)
}

func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the file: %w", err)
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, err := f.ReadAt(head, 0)
	if n == 0 && err != nil {
		info, statErr := f.Stat()
		if statErr == nil && info.Size() == 0 {
			return nil, nil
		}
		return nil, fmt.Errorf("read the file: %w", err)
	}
	return head[:n], nil
}

// unreadable is the error of a file that no program understands.
func unreadable() error {
	return problem.New(problem.UnsupportedMediaType,
		"The file is no video, sound, picture or PDF that Itemcast can read. Upload it in a common format such as MP4.")
}

// explain makes the error of a program one for users, unless it is ours to know.
func explain(err error) error {
	if missing, ok := errors.AsType[*program.Missing](err); ok {
		return MissingProgram(missing)
	}
	failure, ok := errors.AsType[*program.Failure](err)
	if !ok {
		return err
	}
	if strings.Contains(failure.Words, "max_streams") { // which ends with the words of a lack of memory
		return errors.Join(problem.New(problem.RuleViolated, "The file has more than %d tracks. Upload one with fewer.",
			maxStreams), err)
	}
	switch failure.Reason {
	case program.DiskFull:
		return errors.Join(DiskFull(), err)
	case program.Exited:
		return errors.Join(unreadable(), err)
	case program.TooLong:
		return errors.Join(problem.New(problem.RuleViolated, "It takes too long to read the file."), err)
	case program.NoMemory:
		return errors.Join(problem.New(problem.RuleViolated, "Reading the file takes more memory than allowed."), err)
	}
	return err
}

// DiskFull is the error of a scratch folder without room, for users. It is syscall.ENOSPC for the processor.
func DiskFull() error {
	return errors.Join(problem.New(problem.Unavailable,
		"The server's disk is full. Ask the operator for space, then start the workflow again."), syscall.ENOSPC)
}

// MissingProgram is the error of a program that is not installed, for users.
func MissingProgram(missing *program.Missing) error {
	return problem.New(problem.Unavailable,
		"The server cannot process media, because %s is not installed. Ask the operator to install it, then start again.",
		missing.Name)
}
