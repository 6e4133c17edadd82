package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// embeddedVersion is what is downloaded where no PostgreSQL is installed.
const embeddedVersion = embedded.V17

// download gets PostgreSQL's binaries from Maven Central (the zonky.io builds) by the library, once per user.
type download struct {
	cache      string // directory that keeps them
	repository string // Maven repository; "" is the library's default
	logger     *slog.Logger
}

// cacheDirectory is the user's cache directory. Root's own is closed to the unprivileged user who runs the server.
func cacheDirectory() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/fanmail", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "fanmail"), nil
}

// binaries returns the directory of the downloaded initdb and postgres, and downloads them if need be. The library
// can't be interrupted: a cancelled context is noticed before the download and after it.
func (d download) binaries(ctx context.Context) (string, error) {
	final := filepath.Join(d.cache, "postgresql-"+string(embeddedVersion))
	if complete(filepath.Join(final, "bin")) {
		return filepath.Join(final, "bin"), nil
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	d.logger.Info("downloading PostgreSQL", "version", string(embeddedVersion), "to", final)
	if err := os.MkdirAll(d.cache, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(d.cache, "download-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	unpacked := filepath.Join(work, "postgresql")
	if err := d.unpack(work, unpacked); err != nil {
		return "", err
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	// A rename, so that another process never sees half of it. If another process was quicker, its copy is as good.
	if err := os.Rename(unpacked, final); err != nil && !complete(filepath.Join(final, "bin")) {
		return "", err
	}
	return filepath.Join(final, "bin"), nil
}

// unpack makes the library fetch and unpack. It has no call for only that: Start goes on to run initdb and the server,
// which as root must fail, and that failure is no concern of ours once the binaries are there.
func (d download) unpack(work, unpacked string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	config := embedded.DefaultConfig().
		Version(embeddedVersion).
		Port(uint32(port)).
		CachePath(filepath.Join(work, "archive")).
		RuntimePath(filepath.Join(work, "runtime")).
		DataPath(filepath.Join(work, "data")).
		BinariesPath(unpacked).
		Logger(io.Discard)
	if d.repository != "" {
		config = config.BinaryRepositoryURL(d.repository)
	}
	server := embedded.NewDatabase(config)
	startErr := server.Start()
	if startErr == nil {
		startErr = server.Stop()
	}
	if !complete(filepath.Join(unpacked, "bin")) {
		return errors.Join(startErr, fmt.Errorf("the archive of PostgreSQL %s has no initdb and postgres", embeddedVersion))
	}
	return nil
}
