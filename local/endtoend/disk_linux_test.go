package endtoend

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"fanmail/local"
	"fanmail/local/postgres"
	"fanmail/local/postgres/postgrestest"
)

func TestADiskThatIsFullFailsTheImport(t *testing.T) {
	t.Parallel()
	server := postgrestest.Server(t, postgres.Config{})
	address, disk := onSmallDisk(t, server)
	d := deploy(t, local.Options{DatabaseURL: address})
	const n = 60_000
	f := list(n)
	f["recipients.csv"] += "nobody,No Body\n"
	d.upload("spring", f)
	for range 2 {
		name, message := d.fail(d.start("spring"))
		t.Logf("%s: %s", name, message)
		if name != "DatabaseFailed" || !strings.Contains(message, "No space left on device") || !strings.Contains(message, "campaign spring") || strings.ContainsRune(message, '\n') {
			t.Errorf("%s: %q", name, message)
		}
	}
	if d.SES().Accepted() > 0 || d.number("select count(*) from fanmail.recipient") > 0 {
		t.Error("a campaign without room for its list has begun")
	}
	resize(t, disk, 128)
	// Nobody has to be mailed to see that the import works: that is all of a long list.
	var prepared struct{ Recipients, Rejected int64 }
	d.invoke("prepare", prepareInput(), &prepared)
	if prepared.Recipients != n || prepared.Rejected != 1 {
		t.Errorf("%+v", prepared)
	}
}

// onSmallDisk makes a database on a file system of 14 MB. It skips the test where that is not allowed.
func onSmallDisk(t *testing.T, server *postgres.Server) (address, disk string) {
	t.Helper()
	ctx := t.Context()
	connection, err := pgx.Connect(ctx, server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close(context.WithoutCancel(ctx)) }()
	var data string
	if err := connection.QueryRow(ctx, "show data_directory").Scan(&data); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	disk, err = os.MkdirTemp("", "fanmail-disk-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(disk) })
	owner := info.Sys().(*syscall.Stat_t)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=14m,mode=0700,uid=%d,gid=%d", owner.Uid, owner.Gid)); err != nil {
		t.Skipf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	for _, statement := range []string{"create tablespace small location '" + disk + "'", "create database small tablespace small"} {
		if _, err := connection.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	small, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	small.Path = "/small"
	return small.String(), disk
}

func resize(t *testing.T, disk string, megabytes int) {
	t.Helper()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		t.Fatal(err)
	}
}
