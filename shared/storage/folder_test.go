package storage_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/iotest"
	"time"

	"fanmail/shared/storage"
)

func TestAFolderIsAReadOnlyFileSystem(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	check(t, f.PutJSON(ctx, "campaigns/spring-sale/campaign.yaml", "content"))
	check(t, f.PutJSON(ctx, "campaigns/spring-sale/parts/mail.html", "part"))
	check(t, f.PutJSON(ctx, "campaigns/other/secret.csv", "secret"))
	folder := f.Folder(ctx, storage.CampaignFolder("spring-sale"))
	for name, want := range map[string]string{"campaign.yaml": `"content"`, "parts/mail.html": `"part"`} {
		if got, err := fs.ReadFile(folder, name); err != nil || string(got) != want {
			t.Errorf("%s reads %q, %v; want %q", name, got, err, want)
		}
		file, err := folder.Open(name)
		check(t, err)
		if err := iotest.TestReader(file, []byte(want)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		info, err := file.Stat()
		check(t, err)
		if info.Size() != int64(len(want)) || info.IsDir() || !info.Mode().IsRegular() || info.Mode().Perm()&0o222 != 0 || time.Since(info.ModTime()) > time.Hour {
			t.Errorf("%s: %s", name, fs.FormatFileInfo(info))
		}
		check(t, file.Close())
	}
	if info, err := fs.Stat(folder, "parts/mail.html"); err != nil || info.Name() != "mail.html" {
		t.Errorf("stat gives %v, %v; want the base name", info, err)
	}
	for _, name := range []string{"mail.html", "parts", "."} {
		if _, err := folder.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want not exist", name, err)
		}
	}
	before := f.called("")
	for _, name := range []string{"", "/campaign.yaml", "../other/secret.csv", "parts/../campaign.yaml", "parts/"} {
		if _, err := folder.Open(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: got %v, want invalid", name, err)
		}
	}
	if f.called("") != before {
		t.Error("S3 was asked for a name that is not valid")
	}
}

func TestAFolderThatCannotBeReadIsNotEmpty(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := f.Folder(ctx, "campaigns/spring-sale").Open("campaign.yaml")
	var path *fs.PathError
	if !errors.As(err, &path) || path.Path != "campaign.yaml" || !errors.Is(err, context.Canceled) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want the cause with the name", err)
	}
}

func TestTheLayoutOfTheBucket(t *testing.T) {
	const execution = "arn:aws:states:us-east-1:000000000000:execution:fanmail-local-campaign:spring-sale-1"
	for _, test := range []struct{ got, want string }{
		{storage.CampaignFolder("spring-sale"), "campaigns/spring-sale"},
		{storage.ReportFolder("spring-sale"), "reports/spring-sale"},
		{storage.WorkFolder("spring-sale", execution), "work/spring-sale/spring-sale-1"},
		{storage.WorkFolder("spring-sale", "by-hand"), "work/spring-sale/by-hand"},
	} {
		if test.got != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
	}
}
