package postgres

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestStart_WorksForRootBelowADirectoryThatOnlyRootMayEnter(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	private := filepath.Join(t.TempDir(), "private")
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(private, "postgres")
	server := start(t, dir)
	mustQuery(t, server.URL(), "SELECT ''")
	info, err := os.Stat(private)
	if err != nil || info.Mode().Perm() != 0o700 || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Fatalf("the directory above was changed: %v, %v", info.Mode(), err)
	}
}

func TestStart_WorksForAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("the other tests show it when they do not run as root")
	}
	const nobody = 65534
	home := publicDir(t)
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	o := startOwner(t, ownerConfig{DataDir: filepath.Join(home, "postgres")}, func(cmd *exec.Cmd) {
		cmd.Path = copyOf(t, os.Args[0])
		cmd.Env = append(cmd.Env, "HOME="+home)
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	})
	mustQuery(t, o.output, "SELECT ''")
}

func TestStart_RefusesADataDirectoryOwnedByRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := fakeCluster(t, "15")
	if _, err := tryStart(t, dir); err == nil || !strings.Contains(err.Error(), "chown -R postgres "+dir) {
		t.Fatalf("got %v", err)
	}
}

// publicDir returns a directory that every user can enter; t.TempDir is private.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "postgres-test-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// copyOf copies the test binary to where other users may run it: `go test` builds it in a private directory.
func copyOf(t *testing.T, program string) string {
	t.Helper()
	source, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	path := filepath.Join(publicDir(t), "owner")
	target, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(target, source); err != nil {
		t.Fatal(err)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
