package serverless

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	aSecret   = "databaseSecretArn=arn:aws:secretsmanager:us-east-1:111122223333:secret:fanmail-AbCdEf"
	aDatabase = "databaseUrl=postgres://fanmail@db.example.com/app"
	someNets  = "subnetIds=subnet-0a1b2c3d"
	aGroup    = "securityGroupIds=sg-0a1b2c3d"
	aVPC      = "vpcId=vpc-0a1b2c3d"
)

// asked calls parameters.js as osls does, for each list of parameters on its standard input, and prints what it says.
const asked = `
const parameters = require('./parameters.js');
const { defaults, cases } = JSON.parse(require('fs').readFileSync(0));
(async () => {
  const said = [];
  for (let param of cases) {
    const cli = Object.fromEntries(param.map((p) => [p.slice(0, p.indexOf('=')), p.slice(p.indexOf('=') + 1)]));
    param = param.filter((p) => !p.startsWith('stage='));
    const variables = {
      'sls:stage': cli.stage ?? 'dev', 'opt:region, self:provider.region': 'us-east-1',
      'file(shared/deployment/functions.yml)': { send: { reservedConcurrency: 10 }, plan: { reservedConcurrency: 2 } },
    };
    const resolveVariable = async (address) => {
      const name = /^param:(\w+), ''$/.exec(address)?.[1];
      return name ? cli[name] ?? defaults[name] : variables[address] ?? null;
    };
    const resolveConfigurationProperty = async () => ({ default: defaults });
    try {
      await parameters({ options: { param }, resolveConfigurationProperty, resolveVariable });
      said.push('');
    } catch (error) {
      said.push(error.stack);
    }
  }
  console.log(JSON.stringify(said));
})();
`

// TestWrongParametersAreSaid hands in wrong and half sets of parameters.
func TestWrongParametersAreSaid(t *testing.T) {
	defaults := map[string]any{}
	for line := range strings.Lines(readFile(t, "../serverless.yml")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && strings.HasPrefix(line, "    ") && !strings.HasPrefix(line, "     ") {
			if strings.HasPrefix(value, "${env:") {
				_, value, _ = strings.Cut(strings.TrimSuffix(value, "}"), ", ")
			}
			defaults[name] = strings.Trim(value, "'")
		}
	}
	tests := []struct {
		parameters []string
		want       string
	}{
		{[]string{aSecret}, ""},
		{[]string{"databaseAuth=iam", aDatabase}, ""},
		{[]string{"databaseAuth=password", "databaseUrl=postgres://u:p@h/d"}, ""},
		{[]string{aSecret, someNets, aGroup}, ""},
		{[]string{aSecret, someNets, aVPC, "vpcEndpoints=yes", "routeTableIds=rtb-0a"}, ""},
		{[]string{aSecret, someNets, aVPC, "vpcEndpoints=email,states"}, ""},
		{nil, "databaseAuth=secret, which is the default, needs databaseSecretArn, in deployment.yml or as --param"},
		{[]string{aSecret, "databaseAuth=ldap"}, `databaseAuth is "ldap": write secret, iam or password`},
		{[]string{aSecret, "databaseauth=iam"}, "there is no parameter databaseauth"},
		{[]string{"databaseSecretArn=mine"}, `databaseSecretArn is "mine": write the ARN of a secret`},
		{[]string{strings.TrimSuffix(aSecret, "-AbCdEf")}, "write the ARN of a secret of AWS Secrets Manager, with the six characters at its end"},
		{[]string{aSecret + ":password::"}, "with the six characters at its end"},
		{[]string{aSecret, "stage=prod-2"}, ""},
		{[]string{aSecret, "stage=Prod"}, `the stage is "Prod": write up to 15 small letters`},
		{[]string{aSecret, "stage=production-europe"}, `the stage is "production-europe"`},
		{[]string{strings.Replace(aSecret, "us-east-1", "eu-west-1", 1)}, "databaseSecretArn is in eu-west-1, but this deployment is in us-east-1"},
		{[]string{aSecret, "databaseUrl=host=db"}, "databaseUrl is no connection string"},
		{[]string{aSecret, "databaseUrl=postgres://u:hunter2@h/d"}, "databaseUrl has a password, but databaseAuth is secret"},
		{[]string{aSecret, "databaseUrl=postgres://u@h/d?password=hunter2"}, "databaseUrl has a password, but databaseAuth is secret"},
		{[]string{"databaseAuth=iam"}, "databaseAuth=iam needs databaseUrl"},
		{[]string{"databaseAuth=iam", "databaseUrl=postgres://h/d"}, "databaseAuth=iam needs a user in databaseUrl"},
		{[]string{"databaseAuth=iam", aDatabase, aSecret}, "databaseSecretArn is of no use with databaseAuth=iam"},
		{[]string{"databaseAuth=iam", aDatabase, "databaseUser=fanmail"}, `databaseUser is "fanmail": write <resource id>/<user>`},
		{[]string{aSecret, "databaseUser=db-A/fanmail"}, "databaseUser is of no use with databaseAuth=secret"},
		{[]string{"databaseAuth=password", aDatabase}, "databaseAuth=password needs a password in databaseUrl"},
		{[]string{aSecret, "databaseAdminUrl=postgres://a:b@h/d", strings.Replace(aSecret, "S", "AdminS", 1)}, "are both set"},
		{[]string{aSecret, "databaseAdminUrl=h"}, "databaseAdminUrl is no connection string"},
		{[]string{"databaseAuth=iam", aDatabase, "secretKeyArns=arn:aws:kms:us-east-1:111122223333:key/a"}, "secretKeyArns is of no use without a secret"},
		{[]string{aSecret, "secretKeyArns=key"}, `secretKeyArns has "key"`},
		{[]string{aSecret, someNets}, "subnetIds needs securityGroupIds too, or vpcId"},
		{[]string{aSecret, aGroup}, "securityGroupIds is of no use without subnetIds"},
		{[]string{aSecret, aVPC}, "vpcId is of no use without subnetIds"},
		{[]string{aSecret, "vpcEndpoints=yes"}, "vpcEndpoints is of no use without subnetIds"},
		{[]string{aSecret, someNets, aGroup, "vpcEndpoints=yes"}, "vpcEndpoints needs vpcId"},
		{[]string{aSecret, someNets, aVPC, "vpcEndpoints=yes"}, "vpcEndpoints with s3 needs routeTableIds"},
		{[]string{aSecret, someNets, aVPC, "vpcEndpoints=ses"}, `vpcEndpoints has "ses": write yes, no, or a list`},
		{[]string{aSecret, "subnetIds=net-1", aGroup}, `subnetIds has "net-1": write it like subnet-0a1b2c3d`},
		{[]string{aSecret, someNets, "securityGroupIds=sg-1,sg-2,sg-3,sg-4,sg-5,sg-6"}, "securityGroupIds has 6 groups"},
		{[]string{aSecret, someNets, aGroup, "routeTableIds=1"}, `routeTableIds has "1"`},
		{[]string{aSecret, "reservedConcurrency=none"}, `reservedConcurrency is "none": write functions or account`},
		{[]string{aSecret, "senders=many"}, `senders is "many": write a number from 1 to 900`},
		{[]string{aSecret, "senders=0"}, `senders is "0"`},
		{[]string{aSecret, "configurationSets=a b"}, `configurationSets has "a b"`},
		{[]string{aSecret, "alarmEmail=me"}, `alarmEmail is "me"`},
		{[]string{aSecret, "logRetention=4"}, `logRetention is "4"`},
		{[]string{aSecret, "architecture=arm"}, `architecture is "arm": write arm64 or x86_64`},
	}
	cases := make([][]string, len(tests))
	for i, test := range tests {
		cases[i] = append([]string{}, test.parameters...)
	}
	if len(defaults) < 15 {
		t.Fatalf("serverless.yml has the parameters %v", sortedKeys(defaults))
	}
	input, err := json.Marshal(map[string]any{"defaults": defaults, "cases": cases})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	if err := json.Unmarshal(run(t, ".", input, "node", "-e", asked), &said); err != nil {
		t.Fatal(err)
	}
	for i, test := range tests {
		if got := said[i]; strings.Contains(got, "\n") || strings.Contains(got, "hunter2") || (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%v:\n\tgot  %s\n\twant %s", test.parameters, got, test.want)
		}
	}
}

// parameters.js reads functions.yml: where that asked for the result of parameters.js, osls would wait for ever.
func TestFunctionsDoNotWaitForTheParameters(t *testing.T) {
	if strings.Contains(readFile(t, "../shared/deployment/functions.yml"), "${self:custom") {
		t.Error("functions.yml asks for custom.fanmail: let serverless/functions.js add what depends on parameters")
	}
}

// run needs a program that a bare machine may not have, so it runs only where make package has just used it.
// Node.js must succeed, and osls fail, as it has no credentials.
func run(t *testing.T, folder string, input []byte, program string, arguments ...string) []byte {
	t.Helper()
	if os.Getenv("FANMAIL_VARIANTS") == "" {
		t.Skip("make package runs this test: it needs Node.js")
	}
	command := exec.Command(program, arguments...)
	command.Dir, command.Stdin = folder, bytes.NewReader(input)
	output, err := command.CombinedOutput()
	if fails := program != "node"; (err != nil) != fails {
		t.Fatalf("%s %v: it fails: %v, want %v: %s", program, arguments, err != nil, fails, output)
	}
	return output
}

// TestADeploymentWithWrongParametersDoesNotBegin asks osls itself what a user sees of it: all problems in one
// line. A file deployment.yml counts as much as --param, and a removal takes no parameters.
func TestADeploymentWithWrongParametersDoesNotBegin(t *testing.T) {
	folder, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "deployment.yml")
	written := "default:\n  alarmEmail: nobody\nprod:\n  subnetIds: [subnet-0a, subnet-0b]\n  databaseAuth: ldap\n"
	if err := os.WriteFile(file, []byte(written), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FANMAIL_DEPLOYMENT", file)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	osls := func(arguments ...string) []string {
		return strings.Split(string(run(t, folder, nil, "node_modules/.bin/osls", arguments...)), "\n")
	}
	said := osls("deploy", "--stage", "prod", "--param", "databaseAuth=iam")
	const want = `parameters are wrong: alarmEmail is "nobody": write one address; databaseAuth=iam needs databaseUrl; ` +
		"subnetIds needs securityGroupIds too, or vpcId to make a security group in"
	if !slices.ContainsFunc(said, func(line string) bool { return strings.HasSuffix(line, want) }) {
		t.Errorf("osls said\n\t%s\nwant a line that ends with\n\t%s", strings.Join(said, "\n\t"), want)
	}
	if said := osls("remove", "--stage", "prod"); slices.ContainsFunc(said, func(line string) bool { return strings.Contains(line, "wrong") }) {
		t.Errorf("osls remove said\n\t%s", strings.Join(said, "\n\t"))
	}
}
