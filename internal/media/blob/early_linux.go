package blob

import (
	"os"
	"syscall"
)

// beginWriteOut does not wait (sync_file_range(2)). It promises nothing, so an error does not matter: Sync reports it.
func beginWriteOut(file *os.File, at, size int64) {
	const write = 2 // SYNC_FILE_RANGE_WRITE
	_ = syscall.SyncFileRange(int(file.Fd()), at, size, write)
}
