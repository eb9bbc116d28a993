package disktest

import (
	"fmt"
	"syscall"
	"testing"
)

// Small returns a folder on a disk of its own with some bytes. It ends with the test. The test is skipped where nobody
// may mount a disk: root may, but for some containers.
func Small(t testing.TB, bytes int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("a disk cannot be mounted here, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}
