package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// owner is the unprivileged user who runs the server when we are root, because PostgreSQL refuses to run as root.
// A nil owner is ourselves.
type owner struct {
	name     string
	uid, gid uint32
}

// findOwner returns nil for an ordinary user, and the user "postgres" or else "nobody" for root.
func findOwner() (*owner, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseInt(account.Uid, 10, 64)
		gid, gidErr := strconv.ParseInt(account.Gid, 10, 64)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		// macOS writes the ids of nobody as -2, and means the uint32.
		return &owner{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as: create one, or run as an ordinary user")
}

func (o *owner) credential() *syscall.Credential {
	if o == nil {
		return nil
	}
	return &syscall.Credential{Uid: o.uid, Gid: o.gid}
}

// take gives a file or directory to the owner, and checks that the owner can reach it.
func (o *owner) take(path string) error {
	if o == nil {
		return nil
	}
	if err := os.Chown(path, int(o.uid), int(o.gid)); err != nil {
		return err
	}
	return o.reaches(path)
}

// reaches checks that every directory above path lets the owner through.
func (o *owner) reaches(path string) error {
	if o == nil {
		return nil
	}
	for directory := filepath.Dir(path); ; directory = filepath.Dir(directory) {
		info, err := os.Stat(directory)
		if err != nil {
			return err
		}
		status, ok := info.Sys().(*syscall.Stat_t)
		through := os.FileMode(0o001)
		switch {
		case ok && status.Uid == o.uid:
			through = 0o100
		case ok && status.Gid == o.gid:
			through = 0o010
		}
		if info.Mode().Perm()&through == 0 {
			return fmt.Errorf("user %s, who runs PostgreSQL because we are root, can't reach %s: %s is closed to others (mode %s); choose a directory elsewhere",
				o.name, path, directory, info.Mode().Perm())
		}
		if directory == filepath.Dir(directory) {
			return nil
		}
	}
}
