package deploytest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// noCredentials is how `osls deploy` must end without an account: by then it has read serverless.yml and found all
// packages.
const noCredentials = "AWS provider credentials not found"

func TestDeployGetsAsFarAsTheCredentials(t *testing.T) {
	needPackages(t)
	folder := serviceFolder(t, func(text string) string { return text })
	output, code := run(t, folder, nil, osls(t), oslsOn("deploy", noDatabase)...)
	if code == 0 || !strings.Contains(output, noCredentials) {
		t.Errorf("osls deploy ended with code %d, want %q:\n%s", code, noCredentials, output)
	}
}

// Without the line, osls packages happily and fails at deploying. This is the breach that the test above is for.
func TestDeployWithoutIndividualPackagesEndsEarlier(t *testing.T) {
	needPackages(t)
	folder := serviceFolder(t, func(text string) string {
		if strings.Count(text, "\n  individually: true\n") != 1 {
			t.Fatal("serverless.yml has no line individually: true")
		}
		return strings.Replace(text, "\n  individually: true\n", "\n  individually: false\n", 1)
	})
	if output, code := run(t, folder, nil, osls(t), oslsOn("package", noDatabase)...); code != 0 {
		t.Errorf("osls package ended with code %d:\n%s", code, output)
	}
	output, code := run(t, folder, nil, osls(t), oslsOn("deploy", noDatabase)...)
	if code == 0 || strings.Contains(output, noCredentials) || !strings.Contains(output, "fanmail.zip") {
		t.Errorf("osls deploy ended with code %d, want a missing fanmail.zip:\n%s", code, output)
	}
}

func TestMakeDeployAsksForWhatItNeeds(t *testing.T) {
	needPackages(t)
	for _, test := range []struct{ target, given, want string }{
		{"deploy", "REGION=eu-west-1", "STAGE is not given"},
		{"remove", "REGION=eu-west-1", "STAGE is not given"},
		{"deploy", "STAGE=test", "REGION is not given"},
		{"remove", "STAGE=test", "REGION is not given"},
	} {
		output, code := runMake(t, root, nil, test.target, test.given)
		if code == 0 || !strings.Contains(output, test.want) || strings.Count(strings.TrimSpace(output), "\n") != 0 {
			t.Errorf("make %s %s ended with code %d, want one line with %q:\n%s",
				test.target, test.given, code, test.want, output)
		}
	}
}

func TestMakeDeployBuildsNothingForBadParameters(t *testing.T) {
	needPackages(t)
	output, code := runMake(t, root, nil, "deploy", "STAGE="+stage, "REGION="+region, "PARAMS=subnetIds=none")
	if code == 0 || !strings.Contains(output, "Error:") || strings.Contains(output, "go build") {
		t.Errorf("make deploy ended with code %d, want an error before anything is built:\n%s", code, output)
	}
}

func TestMakeRemoveSaysThatItHasNoCredentials(t *testing.T) {
	needPackages(t)
	folder := serviceFolder(t, func(text string) string { return text })
	output, code := runMake(t, folder, nil, "remove", "STAGE="+stage, "REGION="+region)
	if code == 0 || !strings.Contains(output, noCredentials) {
		t.Errorf("make remove ended with code %d, want %q:\n%s", code, noCredentials, output)
	}
}

func osls(t *testing.T) string { return absolute(t, "node_modules", ".bin", "osls") }

// serviceFolder is the project as osls sees it, with a serverless.yml and a .serverless of its own, so that the test leaves
// the project's alone.
func serviceFolder(t *testing.T, change func(string) string) string {
	t.Helper()
	folder := t.TempDir()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() == ".serverless" || entry.Name() == "serverless.yml" || entry.Name() == ".env" {
			continue
		}
		if err := os.Symlink(absolute(t, entry.Name()), filepath.Join(folder, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(folder, "serverless.yml"), change(readFile(t, filepath.Join(root, "serverless.yml"))))
	return folder
}
