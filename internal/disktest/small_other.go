//go:build !linux

package disktest

import "testing"

// Small skips the test: only Linux has tmpfs.
func Small(t testing.TB, _ int) (dir string) {
	t.Helper()
	t.Skip("a disk can be mounted on Linux only")
	return ""
}
