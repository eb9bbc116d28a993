package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// destination is where an export goes. A file is written beside its place, and moved there when it is complete: an export that fails leaves
// the backup of yesterday alone.
type destination struct {
	to       io.Writer
	buffered *bufio.Writer
	file     *os.File // nil: to is standard output
	place    string   // "": the file is written where it is, as a device or a pipe is
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
			name = target // a link goes on leading to the export
		}
		out.place, partial = name, name+".partial"
	}
	file, err := os.Create(partial)
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err // without the name of the partial file
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write %s: %w (its folder must be there, and let you write)", name, err)
	}
	out.file, out.to, out.buffered = file, file, bufio.NewWriterSize(file, 1<<20)
	return out, nil
}

func (o *destination) Write(p []byte) (int, error) {
	n, err := o.buffered.Write(p)
	o.bytes += int64(n)
	return n, err
}

// commit writes what is left, and puts the file in its place.
func (o *destination) commit() error {
	if err := o.buffered.Flush(); err != nil || o.file == nil {
		return err
	}
	if err := o.file.Close(); err != nil || o.place == "" {
		return err
	}
	if err := os.Rename(o.file.Name(), o.place); err != nil {
		return err
	}
	o.place = ""
	return nil
}

// discard removes a file that was not committed.
func (o *destination) discard() {
	if o.file == nil {
		return
	}
	o.file.Close()
	if o.place != "" {
		_ = os.Remove(o.file.Name())
	}
}

// left says what there is of an export that was not committed.
func (o *destination) left() string {
	if o.place != "" {
		return o.place + " is as it was"
	}
	return "what was written is a part"
}
