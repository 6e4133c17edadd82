package storage_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
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
		{storage.FrozenFolder("spring-sale", "20261126-1"), "frozen/spring-sale/20261126-1"},
		{storage.ReportFolder("spring-sale"), "reports/spring-sale"},
		{storage.WorkFolder("spring-sale", execution), "work/spring-sale/spring-sale-1"},
		{storage.WorkFolder("spring-sale", "by-hand"), "work/spring-sale/by-hand"},
	} {
		if test.got != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
	}
}

func TestACampaignReadsItsOwnFoldersOnly(t *testing.T) {
	for folder, want := range map[string]bool{
		"campaigns/spring-sale": true, "frozen/spring-sale/20261126-101500-abc": true,
		"campaigns/spring-sale/": false, "campaigns/other": false, "frozen/spring-sale": false, "frozen/spring-sale/": false, "frozen/other/1": false,
		"frozen/spring-sale/../other": false, "frozen/spring-sale/a/b": false, "frozen/spring-sale/A": false, "reports/spring-sale": false, "": false,
	} {
		if got := storage.MayRead("spring-sale", folder); got != want {
			t.Errorf("%q: %v", folder, got)
		}
	}
}

func TestACopyHasTheSameContentWhateverItsName(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	for _, name := range []string{"mail.html", "a mail+more.txt", "grüße%20.csv"} {
		check(t, f.PutJSON(ctx, "campaigns/spring-sale/"+name, name))
		check(t, f.Copy(ctx, "campaigns/spring-sale/"+name, "frozen/spring-sale/1/"+name))
		if got, want := f.read(t, "frozen/spring-sale/1/"+name), f.read(t, "campaigns/spring-sale/"+name); string(got) != string(want) {
			t.Errorf("the copy of %s is %s, want %s", name, got, want)
		}
	}
	if err := f.Copy(ctx, "campaigns/spring-sale/missing", "frozen/spring-sale/1/missing"); err == nil || !strings.Contains(err.Error(), "NoSuchKey") {
		t.Errorf("the copy of what is missing: %v", err)
	}
}
