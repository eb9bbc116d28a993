package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// lines is the input of an import.
type lines struct {
	io.Reader
	file  *os.File
	name  string
	key   string // identifies the input; "" for a pipe, which cannot be read again
	count int64  // -1: unknown
}

// openLines opens a file, or "-" for standard input.
func openLines(ctx context.Context, name string) (*lines, error) {
	if name == "-" {
		return &lines{Reader: interruptible(ctx, os.Stdin), file: os.Stdin, count: -1}, nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("file %q does not exist: name a file of items, or - for standard input", name)
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%q is a folder: name a file of items, or - for standard input", name)
	case err != nil:
		return nil, fmt.Errorf("cannot read the import: %w", err)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the import: %w", err)
	}
	l := &lines{Reader: file, file: file, name: name, count: -1}
	if info.Mode().IsRegular() {
		err = l.fingerprint()
	} else { // such as a pipe of <(zcat …)
		l.Reader = interruptible(ctx, file)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("cannot read the import: %w", err)
	}
	return l, nil
}

func (l *lines) Close() { l.file.Close() }

// reopen returns a function that opens the file once more; nil for a pipe.
func (l *lines) reopen() func() (io.ReadCloser, error) {
	if l.key == "" {
		return nil
	}
	return func() (io.ReadCloser, error) { return os.Open(l.name) }
}

// fingerprint identifies a file by its content, so that its import can be resumed under any name, and counts its lines
// if their number tells how far an import has come.
func (l *lines) fingerprint() error {
	digest, count := sha256.New(), &lineCounter{}
	if _, err := io.Copy(io.MultiWriter(digest, count), l.file); err != nil {
		return err
	}
	l.key, l.count = "file "+hex.EncodeToString(digest.Sum(nil)), count.lines()
	head := make([]byte, 64)
	n, err := l.file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if countless(head[:n]) {
		l.count = -1
	}
	_, err = l.file.Seek(0, io.SeekStart)
	return err
}

// countless reports whether a file is compressed, UTF-16, or a JSON array, which may be one line.
func countless(head []byte) bool {
	for _, magic := range []string{"\x1f\x8b", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return bytes.HasPrefix(bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n"), []byte("["))
}

// lineCounter counts lines.
type lineCounter struct {
	ends int64
	open bool // the last line has no newline yet
}

func (c *lineCounter) Write(p []byte) (int, error) {
	c.ends += int64(bytes.Count(p, []byte("\n")))
	c.open = len(p) > 0 && p[len(p)-1] != '\n'
	return len(p), nil
}

func (c *lineCounter) lines() int64 {
	if c.open {
		return c.ends + 1
	}
	return c.ends
}

// interruptible returns a reader of r that fails when ctx ends, even while a Read of r blocks (as it does on a pipe).
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	out, in := io.Pipe()
	go func() {
		_, err := io.Copy(in, r)
		in.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	return out
}
