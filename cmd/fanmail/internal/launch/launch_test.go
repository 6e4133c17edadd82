package launch

import (
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
)

func TestExecutionNameFitsAndSorts(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 5, 7, 42e6, time.FixedZone("KST", 9*3600))
	if got, want := ExecutionName("spring-sale", at), "spring-sale-20261123-000507-042"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	allowed := regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	if name := ExecutionName(strings.Repeat("a", 64), at); !allowed.MatchString(name) || len(name) != 80 {
		t.Errorf("%s has %d characters", name, len(name))
	}
	if ExecutionName("a", at) >= ExecutionName("a", at.Add(time.Millisecond)) {
		t.Error("names do not sort by time")
	}
}

type memory struct {
	keys    []string
	content map[string]string
}

func (m *memory) Upload(_ context.Context, key string, body io.Reader) error {
	b, err := io.ReadAll(body)
	m.keys = append(m.keys, key)
	m.content[key] = string(b)
	return err
}

func TestUploadKeepsTheOrder(t *testing.T) {
	f := folder.Folder{Name: "a", FS: fstest.MapFS{"campaign.yaml": {Data: []byte("1")}, "img/x.png": {Data: []byte("2")}, "other": {}}}
	m := &memory{content: map[string]string{}}
	err := Upload(t.Context(), m, f, "a", []string{"img/x.png", "campaign.yaml"}, terminal.NewProgress(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"campaigns/a/img/x.png", "campaigns/a/campaign.yaml"}; !slices.Equal(m.keys, want) {
		t.Errorf("uploaded %q, want %q", m.keys, want)
	}
	if m.content["campaigns/a/img/x.png"] != "2" {
		t.Errorf("content %q", m.content)
	}
}

func TestUploadOfAMissingFileNamesIt(t *testing.T) {
	f := folder.Folder{Name: "a", FS: fstest.MapFS{}}
	err := Upload(t.Context(), &memory{}, f, "a", []string{"gone.html"}, terminal.NewProgress(io.Discard))
	if err == nil || !strings.HasPrefix(err.Error(), "uploading gone.html: ") {
		t.Errorf("got %v", err)
	}
}
