package outgoing

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// ErrChanged is returned for a file that was changed while it was sent.
var ErrChanged = errors.New("the file changed while it was uploaded: upload it when it is complete")

// source is a file to send.
type source struct {
	file     *os.File
	path     string // absolute
	size     int64
	modified time.Time
}

// openSource opens a file that can be read at any offset.
func openSource(path string) (*source, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the file: %w", err)
	}
	if real, err := filepath.EvalSymlinks(absolute); err == nil {
		absolute = real
	}
	info, err := os.Stat(absolute)
	switch failed, _ := errors.AsType[*os.PathError](err); {
	case failed != nil:
		return nil, failed.Err // without the path, which the caller knows
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a folder: name the files in it")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no regular file, and cannot be resumed: save it as a file first")
	case info.Size() == 0:
		return nil, errors.New("the file is empty")
	}
	file, err := os.Open(absolute)
	if failed, ok := errors.AsType[*os.PathError](err); ok {
		return nil, failed.Err
	}
	return &source{file: file, path: absolute, size: info.Size(), modified: info.ModTime()}, err
}

// check returns ErrChanged if the file is not as it was opened.
func (s *source) check() error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != s.size || !info.ModTime().Equal(s.modified) {
		return ErrChanged
	}
	return nil
}

const (
	samples    = 16
	sampleSize = 64 << 10 // bytes
)

// print returns a hash of samples of the content, from its beginning to its end. With the size and the time of the last
// change it tells a file from another one at the same place, in milliseconds at any size.
func (s *source) print() (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, s.size)
	last := max(0, s.size-sampleSize)
	for n := range int64(samples) {
		part := io.NewSectionReader(s.file, last/(samples-1)*n, sampleSize)
		if n == samples-1 {
			part = io.NewSectionReader(s.file, last, sampleSize)
		}
		if _, err := io.Copy(sum, part); err != nil {
			return "", fmt.Errorf("read the file: %w", err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
