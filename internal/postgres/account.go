package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user that Postgres runs as. credential is nil for the user of this process.
type account struct {
	credential *syscall.Credential
}

// accountFor returns the user of this process, or, for root, the owner of the data directory.
func accountFor(dataDir string, isNew bool) (account, error) {
	if isNew {
		if os.Geteuid() != 0 {
			return account{}, nil
		}
		return unprivileged()
	}
	info, err := os.Stat(dataDir)
	if err != nil {
		return account{}, fmt.Errorf("find the owner of the data directory: %w", err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	switch {
	case owner.Uid == 0:
		return account{}, fmt.Errorf("the data directory %s belongs to root, and Postgres refuses to run as root: "+
			"give it to an unprivileged user with `chown -R postgres %s`", dataDir, dataDir)
	case os.Geteuid() == 0:
		return account{&syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}, nil
	case int(owner.Uid) != os.Geteuid():
		return account{}, fmt.Errorf("the data directory %s belongs to user %d, and itemcast runs as user %d: "+
			"run itemcast as its owner, or choose another directory with ITEMCAST_DATA_DIR", dataDir, owner.Uid, os.Geteuid())
	}
	return account{}, nil
}

func unprivileged() (account, error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return account{}, errors.New("Postgres refuses to run as root, and there is neither a user `postgres` nor " +
			"`nobody`: create one, or run itemcast as an ordinary user")
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return account{}, fmt.Errorf("look up user %s: %w", u.Username, err)
	}
	return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

// chown makes the account the owner of a new file.
func (a account) chown(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(path, int(a.credential.Uid), int(a.credential.Gid))
}

// apply makes cmd run as the account. cmd gets a separate process group: Ctrl-C in a terminal reaches only this
// process, which then stops Postgres. cmd does not get our environment, which may hold secrets or change how Postgres
// behaves. apply returns the name by which cmd reaches dir. The caller calls release when cmd has started.
func (a account) apply(cmd *exec.Cmd, dir string) (reachable string, release func(), err error) {
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	if libraries, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+libraries)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: a.credential}
	if a.credential == nil {
		return dir, func() {}, nil
	}
	return passDir(cmd, dir)
}
