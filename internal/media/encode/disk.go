package encode

import (
	"fmt"
	"syscall"

	"itemcast/internal/media/probe"
)

// reserve is left free for others, in bytes.
const reserve = 64 << 20

// WantFree checks that a folder's disk has room for bytes. ffmpeg exits with 0 when it has not. Error: UNAVAILABLE.
func WantFree(dir string, bytes int64) error {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return fmt.Errorf("ask for free space: %w", err)
	}
	size := int64(stat.Bsize) //nolint:unconvert // it has another type on other systems
	if int64(stat.Bavail)*size < bytes+reserve {
		return probe.DiskFull()
	}
	return nil
}
