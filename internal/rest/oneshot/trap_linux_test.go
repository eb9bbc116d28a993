package oneshot_test

import (
	"errors"
	"syscall"
	"testing"
)

// watchOpen returns a function that reports whether a file was opened since its last call.
func watchOpen(t *testing.T, file string) func() bool {
	t.Helper()
	watch, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	if err == nil {
		_, err = syscall.InotifyAddWatch(watch, file, syscall.IN_OPEN)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(watch) })
	return func() (opened bool) {
		events := make([]byte, 4096)
		for {
			n, err := syscall.Read(watch, events)
			if errors.Is(err, syscall.EAGAIN) {
				return opened
			}
			if err != nil || n == 0 {
				t.Fatalf("watch a file: %v", err)
			}
			opened = true
		}
	}
}
