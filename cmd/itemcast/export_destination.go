package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// destination is the output of an export. A file is written beside its final path and renamed when it is complete, so
// that a failed export leaves yesterday's backup as it was.
type destination struct {
	to       io.Writer
	buffered *bufio.Writer
	zipped   *gzip.Writer // nil: the output is not compressed
	file     *os.File     // nil: to is standard output
	final    string       // the path to rename the file to; empty for a device or a pipe
	bytes    int64
}

// openDestination opens a file, or standard output for "-" and "".
func openDestination(name string, stdout io.Writer) (*destination, error) {
	if name == "-" || name == "" {
		return &destination{to: stdout, buffered: bufio.NewWriterSize(stdout, 1<<20)}, nil
	}
	out, partial := &destination{}, name
	if info, err := os.Stat(name); err != nil || info.Mode().IsRegular() {
		if target, err := filepath.EvalSymlinks(name); err == nil {
			name = target // the link stays
		}
		out.final, partial = name, name+".partial"
	}
	file, err := os.Create(partial)
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err // without the name of the partial file
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write %s: %w (its folder must exist and be writable)", name, err)
	}
	out.file, out.to, out.buffered = file, file, bufio.NewWriterSize(file, 1<<20)
	if strings.HasSuffix(name, ".gz") {
		out.zipped = gzip.NewWriter(out.buffered)
	}
	return out, nil
}

func (o *destination) Write(p []byte) (n int, err error) {
	if o.zipped != nil {
		n, err = o.zipped.Write(p)
	} else {
		n, err = o.buffered.Write(p)
	}
	o.bytes += int64(n)
	return n, err
}

// commit flushes the output and renames the file.
func (o *destination) commit() error {
	if o.zipped != nil {
		if err := o.zipped.Close(); err != nil {
			return err
		}
	}
	if err := o.buffered.Flush(); err != nil || o.file == nil {
		return err
	}
	if err := o.file.Close(); err != nil || o.final == "" {
		return err
	}
	if err := os.Rename(o.file.Name(), o.final); err != nil {
		return err
	}
	o.final = ""
	return nil
}

// discard removes a file that was not committed.
func (o *destination) discard() {
	if o.file == nil {
		return
	}
	o.file.Close()
	if o.final != "" {
		_ = os.Remove(o.file.Name())
	}
}

// stateIfDiscarded describes the output of an export that was not committed.
func (o *destination) stateIfDiscarded() string {
	if o.final != "" {
		return o.final + " is unchanged"
	}
	return "the output is incomplete"
}
