package main

import (
	"errors"
	"net/url"
	"path/filepath"
	"strconv"
)

// storageFlag is the flag of the commands that store and process files.
type storageFlag struct {
	StorageURL storageURL `help:"Where files are stored: file:///folder, or s3://bucket?region=…&endpoint=…. Empty: the folder media of the data directory." env:"ITEMCAST_STORAGE_URL" placeholder:"URL"`
}

// storage returns the URL of the storage.
func (s *storageFlag) storage(d *database) string {
	if s.StorageURL != "" {
		return string(s.StorageURL)
	}
	folder := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(string(d.DataDir), "media"))}
	return folder.String()
}

// scratch returns the folder of unfinished processing.
func scratch(d *database) string { return filepath.Join(string(d.DataDir), "scratch") }

const (
	autoJobs = 0
	noJobs   = -1
	maxJobs  = 256
)

// processJobs is a number of items, or autoJobs or noJobs, as node.Config has them.
type processJobs int

// UnmarshalText parses auto, or a number.
func (p *processJobs) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*p = autoJobs
		return nil
	}
	n, err := strconv.Atoi(string(text))
	switch {
	case err != nil || n < 0 || n > maxJobs:
		return errors.New("must be auto, or a number from 0 to " + strconv.Itoa(maxJobs))
	case n == 0:
		n = noJobs
	}
	*p = processJobs(n)
	return nil
}
