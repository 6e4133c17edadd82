package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// makeDirectory makes the directory of Options, or a temporary one. One runtime at a time may have it.
func (r *Runtime) makeDirectory() error {
	if r.options.Directory == "" {
		directory, err := os.MkdirTemp("", "fanmail-local-")
		if err != nil {
			return err
		}
		r.directory = directory
		r.onClose("the temporary directory", func() error { return os.RemoveAll(directory) })
		return nil
	}
	directory, err := filepath.Abs(r.options.Directory)
	if err != nil {
		return err
	}
	r.directory = directory
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	return r.lockDirectory()
}

// lockDirectory takes a lock that the system gives back when this process ends, however that is.
func (r *Runtime) lockDirectory() error {
	file, err := os.OpenFile(filepath.Join(r.directory, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("another local runtime uses the directory %s: end it, or choose another directory", r.directory)
		}
		return errors.Join(err, file.Close())
	}
	r.onClose("the lock of the directory", file.Close)
	return nil
}
