package deployments

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fanmail", "config.yaml")
	empty, err := Read(path)
	if err != nil || empty.Current != "" || len(empty.Deployments) > 0 {
		t.Errorf("a file that there is not: %+v %v", empty, err)
	}
	want := File{Path: path, Current: "prod", Deployments: map[string]Deployment{
		"prod": {"prod", "eu-west-1", "mail"}, "dev.eu_1": {Region: "eu-west-1"}, "on": {Stage: "007", Profile: "null"},
	}}
	for range 2 { // the second one replaces the first
		if err := want.Write(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("it leaves %q", left)
	}
}

func TestABrokenFileSaysFileLineAndField(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	for text, want := range map[string][]string{
		"current: [":          {":1: not YAML: "},
		"a: b\n  c: d\n":      {":2: not YAML: mapping values are not allowed"},
		"- prod":              {":1: the file: must be names with their values"},
		"\ncurent: prod\n":    {":2: curent: unknown field: there are current, deployments"},
		"current: prod":       {":1: current: there is no deployment \"prod\" here: it has none"},
		"deployments: [prod]": {":1: deployments: must be names with their values"},
		"deployments:\n  prod: eu-west-1\n  a b: {}\n  dev:\n    stge: dev\n    region: [x]\n    stage: a/b\n": {
			":2: deployments.prod: must be names", ":3: deployments: the name \"a b\"",
			":5: deployments.dev.stge: unknown field: there are stage, region, profile", ":6: deployments.dev.region: must be a text", ":7: deployments.dev.stage: \"a/b\" is no stage"},
		"deployments:\n  dev: {stage: a}\n  dev: {stage: b}\n": {":3: deployments.dev: comes twice"},
		"":                   nil,
		"# nothing\n":        nil,
		"deployments:\n":     nil,
		"deployments: {a: }": nil,
		"current: \n":        nil,
		"deployments:\n  a: &one {stage: x}\n  b: *one\n": nil,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		var got []string
		if err != nil {
			got = strings.Split(err.Error(), "\n")
		}
		if len(got) != len(want) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for i := range want {
			if !strings.HasPrefix(got[i], path+want[i]) {
				t.Errorf("%q: got %s, want %s", text, got[i], want[i])
			}
		}
	}
	if _, err := Read(t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "reading the named deployments: ") {
		t.Errorf("a folder: %v", err)
	}
}

func TestTheFileIsWhereTheVariableSays(t *testing.T) {
	if got := Path(func(string) string { return "/x/y.yaml" }); got != "/x/y.yaml" {
		t.Error(got)
	}
	t.Setenv("HOME", "/home/ann")
	t.Setenv("XDG_CONFIG_HOME", "")
	if got := Path(func(string) string { return "" }); !strings.HasPrefix(got, "/home/ann/") || !strings.HasSuffix(got, "/fanmail/config.yaml") {
		t.Error(got)
	}
	// A container may have neither: then nothing is named, and nothing can be.
	t.Setenv("HOME", "")
	path := Path(func(string) string { return "" })
	file, err := Read(path)
	if path != "" || err != nil || file.Deployments == nil {
		t.Errorf("%q %+v %v", path, file, err)
	}
	if err := file.Write(); err == nil || !strings.Contains(err.Error(), "FANMAIL_CONFIG_FILE") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("current: prod\ndeployments:\n  prod: {stage: prod, region: eu-west-1, profile: mail}\n")
	f.Add("deployments: &a\n  x: *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		file := File{Path: "config.yaml", Deployments: map[string]Deployment{}}
		d := &decoder{file: &file}
		d.decode([]byte(text))
		for _, p := range d.problems {
			if !strings.HasPrefix(p.Error(), "config.yaml:") {
				t.Error(p)
			}
		}
	})
}
