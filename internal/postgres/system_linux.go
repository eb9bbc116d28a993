package postgres

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// passDir opens dir for cmd and returns the name of the inherited descriptor. To open it, cmd needs no permission on
// the directories above, which may be accessible to root only. Postgres's children inherit the descriptor too.
func passDir(cmd *exec.Cmd, dir string) (reachable string, release func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	return "/proc/self/fd/" + strconv.Itoa(2+len(cmd.ExtraFiles)), func() { f.Close() }, nil
}

// shutDownWithParent makes the kernel request a fast shutdown of Postgres when the thread that started it ends (see
// spawn).
func shutDownWithParent(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGINT }

// commands returns the command lines of all visible processes by pid.
func commands() (map[int]string, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	found := map[int]string{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if line, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline")); err == nil && len(line) > 0 {
			found[pid] = strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found, nil
}
