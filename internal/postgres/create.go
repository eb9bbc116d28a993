package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// create creates a cluster in a directory beside dataDir and renames it into place when it is complete.
func create(ctx context.Context, cfg Config, programs programs, account account) error {
	parent, name := filepath.Split(cfg.DataDir)
	if err := removeUnfinished(parent, name); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(parent, name+".unfinished-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)

	pwfile := filepath.Join(scratch, "password")
	if err := os.WriteFile(pwfile, []byte(rand.Text()+"\n"), 0o600); err != nil {
		return err
	}
	for _, path := range []string{scratch, pwfile} {
		if err := account.chown(path); err != nil {
			return err
		}
	}
	if err := initdb(ctx, scratch, cfg, programs, account); err != nil {
		return err
	}
	cluster := filepath.Join(scratch, "cluster")
	if err := os.Rename(pwfile, passwordPath(cluster)); err != nil {
		return err
	}
	if err := errors.Join(flush(passwordPath(cluster)), flush(cluster)); err != nil {
		return err
	}
	if err := os.Rename(cluster, cfg.DataDir); err != nil {
		if errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV) {
			return fmt.Errorf("it is a mount point; choose a directory below it: %w", err)
		}
		return err
	}
	return flush(parent)
}

// initdb creates scratch/cluster, with scratch/password as the superuser's password. Text sorts by code point, which is
// fast and the same on every machine. Upper and lower case follow Unicode if the system has C.UTF-8.
func initdb(ctx context.Context, scratch string, cfg Config, programs programs, account account) error {
	locales := [][]string{{"--lc-collate=C", "--lc-ctype=C.UTF-8"}, {"--locale=C"}}
	var output []byte
	var err error
	for _, locale := range locales {
		cmd := exec.CommandContext(ctx, programs.path("initdb"))
		dir, release, applyErr := account.apply(cmd, scratch)
		if applyErr != nil {
			return applyErr
		}
		cmd.Args = append(cmd.Args, "-D", dir+"/cluster", "--pwfile="+dir+"/password", "--username="+role, "--encoding=UTF8",
			"--auth=scram-sha-256", "--data-checksums")
		cmd.Args = append(cmd.Args, locale...)
		if cfg.Settings["fsync"] == "off" {
			cmd.Args = append(cmd.Args, "--no-sync")
		}
		output, err = cmd.CombinedOutput()
		release()
		if !bytes.Contains(output, []byte("invalid locale name")) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(output))
	}
	return nil
}

// removeUnfinished removes the directories that interrupted first starts left beside the data directory. The caller
// owns the data directory.
func removeUnfinished(parent, name string) error {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), name+".unfinished-") {
			continue
		}
		if err := os.RemoveAll(filepath.Join(parent, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
