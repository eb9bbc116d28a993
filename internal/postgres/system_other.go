//go:build unix && !linux

package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// passDir checks that another user can reach dir by its path: only Linux can pass the open directory itself.
func passDir(_ *exec.Cmd, dir string) (reachable string, release func(), err error) {
	if parent := blockedBy(dir); parent != "" {
		return "", nil, fmt.Errorf("as root, itemcast runs Postgres as an unprivileged user, and %s prevents that user "+
			"from reaching %s: allow it with `chmod o+x %s`, choose another directory with ITEMCAST_DATA_DIR, or run "+
			"itemcast as an ordinary user", parent, dir, parent)
	}
	return dir, func() {}, nil
}

// blockedBy returns the nearest parent of dir that other users may not enter, or "".
func blockedBy(dir string) string {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		if info, err := os.Stat(parent); err == nil && info.Mode().Perm()&0o001 == 0 {
			return parent
		}
		if parent == filepath.Dir(parent) {
			return ""
		}
	}
}

// shutDownWithParent works on Linux only. Elsewhere the next start shuts the surviving Postgres down.
func shutDownWithParent(*exec.Cmd) {}

// commands returns the command lines of all visible processes by pid.
func commands() (map[int]string, error) {
	output, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	found := map[int]string{}
	for line := range strings.Lines(string(output)) {
		number, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		if pid, err := strconv.Atoi(number); err == nil {
			found[pid] = strings.TrimSpace(command)
		}
	}
	return found, nil
}
