package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// pidFile is the content of postmaster.pid (src/include/utils/pidfile.h).
type pidFile struct {
	pid, port int
	ready     bool
}

func readPIDFile(dataDir string) (pidFile, error) {
	b, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return pidFile{}, err
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) < 8 {
		return pidFile{}, errors.New("postmaster.pid is not complete yet")
	}
	var f pidFile
	var pidErr, portErr error
	f.pid, pidErr = strconv.Atoi(strings.TrimSpace(lines[0]))
	f.port, portErr = strconv.Atoi(strings.TrimSpace(lines[3]))
	f.ready = strings.TrimSpace(lines[7]) == "ready"
	return f, errors.Join(pidErr, portErr)
}

// removeStalePIDFile removes a pid file whose pid now belongs to a process that is not Postgres: Postgres would mistake
// that process for another Postgres, and refuse to start. Postgres itself replaces other stale files. The caller has
// made sure that no Postgres runs on the directory.
func removeStalePIDFile(dataDir string) error {
	path := filepath.Join(dataDir, "postmaster.pid")
	b, err := os.ReadFile(path)
	if err != nil {
		return nil // there is none, or Postgres will report the error
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 0 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return nil
	}
	found, err := commands()
	if err != nil || isPostmaster(found[pid]) || strings.HasPrefix(found[pid], "postgres: ") {
		return err
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove a stale pid file: %w", err)
	}
	return nil
}

// Running returns the URL of the Postgres that another process, such as `itemcast serve`, runs on the data directory.
// It works for the same user and for root.
func Running(dataDir string) (url string, ok bool) {
	identity, err := identityOf(dataDir)
	if err != nil {
		return "", false
	}
	f, err := readPIDFile(dataDir)
	if err != nil || !f.ready {
		return "", false
	}
	r, err := findProcesses(identity)
	if err != nil || r.postmaster != f.pid {
		return "", false
	}
	password, err := readPassword(dataDir)
	if err != nil {
		return "", false
	}
	return connectionURL(f.port, password), true
}
