package deploytest

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// deployerPolicy is the policy of whoever deploys, in docs/aws.md.
var deployerPolicy = regexp.MustCompile("(?s)<!-- deployer -->\n```json\n(.*?)\n```")

// TestTheDeployerMayDoWhatCloudFormationDoes holds the policy against AWS's schemas of the deployed resources.
func TestTheDeployerMayDoWhatCloudFormationDoes(t *testing.T) {
	program := python(t, "python")
	match := deployerPolicy.FindStringSubmatch(readFile(t, filepath.Join(root, "docs", "aws.md")))
	if match == nil {
		t.Fatal("docs/aws.md has no policy of the deployer")
	}
	missing := func(policy string) string {
		file := filepath.Join(t.TempDir(), "policy.json")
		writeFile(t, file, policy)
		output, code := run(t, ".", nil, program, append([]string{"permissions.py", file}, templates(t)...)...)
		if code != 0 {
			t.Fatalf("permissions.py ended with code %d:\n%s", code, output)
		}
		return output
	}
	if output := missing(match[1]); output != "" {
		t.Errorf("the deployer's policy in docs/aws.md does not let CloudFormation work:\n%s", output)
	}
	const action, want = `"ses:TagResource", `, "AWS::SES::ConfigurationSet needs ses:TagResource\n"
	if output := missing(strings.Replace(match[1], action, "", 1)); output != want {
		t.Errorf("without %s the policy lacks %q, want %q", action, output, want)
	}
}
