package blob

import (
	"io"
	"os"
)

// early writes to a file whose bytes begin their way to the disk while more of them come, so that the sync at the end
// waits for few. With 200 MB, the whole took 0.33 s in place of 0.43, and 0.5 with a sync every 15 MiB.
type early struct {
	to    io.Writer       // writes to file
	file  func() *os.File // may be nil before the first byte
	at    int64           // offset in the file
	begun int64           // where the bytes begin that are not on their way
}

const earlyBytes = 8 << 20

func (e *early) Write(p []byte) (int, error) {
	n, err := e.to.Write(p)
	e.at += int64(n)
	if e.at-e.begun >= earlyBytes {
		if file := e.file(); file != nil {
			beginWriteOut(file, e.begun, e.at-e.begun)
		}
		e.begun = e.at
	}
	return n, err
}
