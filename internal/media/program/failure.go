package program

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
)

// Missing says that a program is not installed.
type Missing struct{ Name string }

func (e *Missing) Error() string { return e.Name + " is not installed" }

// Reason is why a program failed, as far as it can be known.
type Reason string

// The reasons.
const (
	Exited      Reason = "exited"      // by itself: it does not like its input
	TooLong     Reason = "too long"    // Limits.Time
	TooLarge    Reason = "too large"   // Limits.FileSize
	NoMemory    Reason = "no memory"   // Limits.Memory
	DiskFull    Reason = "disk full"   // of its directory
	Interrupted Reason = "interrupted" // a signal from outside, such as that of a kernel that is out of memory
)

// Failure says that a program did not do its work.
type Failure struct {
	Name   string
	Reason Reason
	Exit   string // how it ended
	Words  string // the end of its standard error
}

func (e *Failure) Error() string {
	if e.Exit == "" {
		return fmt.Sprintf("%s: %s", e.Name, e.Reason)
	}
	return fmt.Sprintf("%s: %s (%s): %s", e.Name, e.Reason, e.Exit, e.Words)
}

// reason tells why a program ended, by its signal and its words.
func reason(exit *exec.ExitError, words string) Reason {
	// nice and sh replace themselves, so the signal is the program's.
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		if status.Signal() == syscall.SIGXFSZ {
			return TooLarge
		}
		return Interrupted
	}
	switch {
	case strings.Contains(words, "No space left on device"):
		return DiskFull
	case strings.Contains(words, "File too large"):
		return TooLarge
	case strings.Contains(words, "Cannot allocate memory"), strings.Contains(words, "out of memory"),
		strings.Contains(words, "failed to map segment"):
		return NoMemory
	}
	return Exited
}
