package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/local"
	"fanmail/local/stack"
	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

func TestStatusFindsTheDeploymentByItsStack(t *testing.T) {
	aws := &fakeAWS{status: finished()}
	env := newFakeAWS(t, aws)
	deployed(env, aws, "prod")
	for _, args := range [][]string{{"status", "spring-sale"}, {"status", "spring-sale", "--stage", "prod"}, {"--stage=prod", "status", "spring-sale"}} {
		if got := fanmail(t, env, args...); got.code != exitOK || got.stderr != "" || aws.controlled.Campaign != "spring-sale" {
			t.Errorf("%q: exit code %d, %s", args, got.code, got.stderr)
		}
	}
	env["FANMAIL_STAGE"] = "dev"
	got := fanmail(t, env, "status", "spring-sale")
	wantLines(t, got.stderr, "there is no stack fanmail-dev (stage from FANMAIL_STAGE) in the region us-east-1 (AWS_REGION) of the account 000000000000 at AWS_ENDPOINT_URL=")
	if got.code != exitFailed {
		t.Errorf("exit code %d", got.code)
	}
}

func TestANamedDeploymentIsMadeUsedChangedAndRemoved(t *testing.T) {
	aws := &fakeAWS{status: finished()}
	env := newFakeAWS(t, aws)
	deployed(env, aws, "prod")
	ok := func(want string, args ...string) {
		t.Helper()
		if got := fanmail(t, env, args...); got.code != exitOK || got.stderr != "" || !strings.Contains(got.stdout, want) {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q; want %q", args, got.code, got.stdout, got.stderr, want)
		}
	}
	ok("No deployment is named yet", "use")
	wantLines(t, fanmail(t, env, "use", "prod").stderr, "there is no deployment prod yet: `fanmail use prod --stage STAGE --region REGION` makes it")
	ok("dev is in use: stage dev, region us-east-1, profile -\n", "use", "dev", "--stage", "dev", "--region", "us-east-1")
	wantLines(t, fanmail(t, env, "status", "spring-sale").stderr, "there is no stack fanmail-dev (stage from deployment dev, "+env["FANMAIL_CONFIG_FILE"]+")")
	ok("prod is in use: stage prod, region -, profile -", "use", "prod", "--stage", "prod")
	ok("spring-sale", "status", "spring-sale")
	ok("*  prod  prod   -", "use")
	wantLines(t, fanmail(t, env, "status", "spring-sale", "--deployment", "dev").stderr, "there is no stack fanmail-dev (stage from --deployment dev)")
	wantLines(t, fanmail(t, env, "status", "spring-sale", "--deployment", "test").stderr, `there is no deployment "test" (--deployment) in `)
	wantLines(t, fanmail(t, env, "use", "test").stderr, "there is no deployment test, only dev, prod: ")
	ok("region -, profile -", "use", "dev", "--region=")
	ok("dev is taken out", "use", "--remove", "dev")
	wantLines(t, fanmail(t, env, "use", "--remove", "dev").stderr, "there is no deployment dev, only prod")
	ok(`{"file":"`+env["FANMAIL_CONFIG_FILE"]+`","current":"","deployments":{"prod":{"stage":"prod"}}}`, "use", "--json")

	// What wins over it is said.
	env["AWS_REGION"], env["AWS_ACCESS_KEY_ID"] = "us-east-1", "a"
	got := fanmail(t, env, "use", "prod", "--region", "eu-west-1", "--profile", "mail")
	wantLines(t, got.stderr, "note: AWS_REGION=us-east-1 is set, and wins over eu-west-1", "note: the environment has AWS credentials, which win over the profile mail")
	env["FANMAIL_DEPLOYMENT"] = "other"
	if got := fanmail(t, env, "use", "prod"); got.code != exitOK || !strings.HasPrefix(got.stderr, "fanmail: note: there is no deployment \"other\" (FANMAIL_DEPLOYMENT)") {
		t.Errorf("an unknown deployment in the environment: exit code %d, %s", got.code, got.stderr)
	}
}

func TestABrokenFileOfDeploymentsStopsEveryVerbThatNeedsIt(t *testing.T) {
	env := setAWS(t, "http://127.0.0.1:1")
	path := env["FANMAIL_CONFIG_FILE"]
	if err := os.WriteFile(path, []byte("deployments:\n  prod:\n    regio: x\n  dev: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"status", "x"}, {"whoami"}, {"use"}, {"use", "prod"}} {
		got := fanmail(t, env, args...)
		wantLines(t, got.stderr, path+":3: deployments.prod.regio: unknown field", path+":4: deployments.dev: must be names")
		if got.code != exitFailed {
			t.Errorf("%q: exit code %d", args, got.code)
		}
	}
	if got := fanmail(t, env, "check", write(t, nil)); got.code != exitOK {
		t.Errorf("check needs no deployment: %s", got.stderr)
	}
}

func TestADemoNeverReachesARealAccount(t *testing.T) {
	// The user's own environment and file name another deployment; what the runtime gives out is all that counts.
	reached := &fakeAWS{status: finished(), concurrency: 1000}
	env := newFakeAWS(t, reached)
	deployed(env, reached, "prod")
	if got := fanmail(t, env, "use", "prod", "--stage", "prod"); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	runtime := &fakeAWS{status: finished()}
	values := newFakeAWS(t, runtime)
	t.Setenv("AWS_ENDPOINT_URL", env["AWS_ENDPOINT_URL"])
	t.Setenv("AWS_ENDPOINT_URL_LAMBDA", env["AWS_ENDPOINT_URL"])
	t.Setenv("FANMAIL_CONFIG_FILE", env["FANMAIL_CONFIG_FILE"])
	if _, err := cloud.OpenLocal(values).Status(t.Context(), "spring-sale"); err != nil {
		t.Error(err)
	}
	if runtime.controlled.Campaign == "" || reached.controlled.Campaign != "" {
		t.Errorf("the runtime was asked for %+v, the account for %+v", runtime.controlled, reached.controlled)
	}
}

func TestWhoami(t *testing.T) {
	aws := &fakeAWS{}
	env := newFakeAWS(t, aws)
	deployed(env, aws, "prod")
	env["FANMAIL_BUCKET"] = "mine"
	got := fanmail(t, env, "whoami")
	for _, want := range []string{"arn:aws:iam::000000000000:user/local", "us-east-1", "AWS_REGION", "the only stack", "fanmail-prod", "CREATE_COMPLETE",
		"mine", "FANMAIL_BUCKET", "migratefunction", "stack output", env["AWS_ENDPOINT_URL"]} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("it lacks %q:\n%s", want, got.stdout)
		}
	}
	if got.code != exitOK || got.stderr != "" {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
	var found cloud.Found
	if err := json.Unmarshal([]byte(fanmail(t, env, "whoami", "--json").stdout), &found); err != nil {
		t.Fatal(err)
	}
	if found.Account != "000000000000" || found.Outputs["Bucket"].From != "FANMAIL_BUCKET" || found.Stack.Status != "CREATE_COMPLETE" || len(found.Outputs) != len(deployment.Outputs) {
		t.Errorf("%+v", found)
	}
	// With the stage on the command line the contradiction is an error, after all that is known.
	got = fanmail(t, env, "whoami", "--stage", "prod")
	wantLines(t, got.stderr, "FANMAIL_BUCKET is mine, but Bucket of the stack fanmail-prod (--stage) is bucket: unset the variable, or leave out --stage")
	if got.code != exitFailed || !strings.Contains(got.stdout, "migratefunction") {
		t.Errorf("exit code %d:\n%s", got.code, got.stdout)
	}
}

func TestMigrate(t *testing.T) {
	aws := &fakeAWS{}
	env := newFakeAWS(t, aws)
	deployed(env, aws, "prod")
	const sql = "-- DATABASE_ADMIN_URL is not set\nALTER ROLE \"fanmail\" CONNECTION LIMIT 20;\nALTER ROLE \"fanmail\" SET idle_session_timeout = '90s';\n"
	left := workflow.MigrateOutput{Applied: []string{}, Statements: []string{`ALTER ROLE "fanmail" CONNECTION LIMIT 20`, `ALTER ROLE "fanmail" SET idle_session_timeout = '90s';`}, Reason: "DATABASE_ADMIN_URL\nis not set"}
	const stderr = "migrating (up to some minutes)\n"
	for _, c := range []struct {
		name           string
		answer         workflow.MigrateOutput
		args           []string
		code           int
		stdout, stderr string
	}{
		{"applied", workflow.MigrateOutput{Applied: []string{"1_a", "2_b"}}, nil, exitOK, "2 migrations were applied: 1_a, 2_b\n", ""},
		{"nothing to do", workflow.MigrateOutput{Applied: []string{}}, nil, exitOK, "The tables were up to date.\n", ""},
		{"nothing to do, as SQL", workflow.MigrateOutput{Applied: []string{"1_a"}}, []string{"--statements"}, exitOK, "", ""},
		{"a warning", workflow.MigrateOutput{Applied: []string{"1_a"}, Warning: "the server is small"}, nil, exitOK, "1 migration was applied: 1_a\n", "fanmail: note: the server is small\n"},
		{"statements", left, nil, exitFailed, "The tables were up to date.\n" + sql,
			"fanmail: 2 statements are left for an administrator of the database (DATABASE_ADMIN_URL is not set): `fanmail migrate --statements | psql ...` runs them; then run `fanmail migrate` again\n"},
		{"statements as SQL", left, []string{"--statements"}, exitOK, sql, ""},
	} {
		aws.migrated = c.answer
		got := fanmail(t, env, append([]string{"migrate"}, c.args...)...)
		if got.code != c.code || got.stdout != c.stdout || got.stderr != stderr+c.stderr {
			t.Errorf("%s: exit code %d\nstdout %s\nstderr %s", c.name, got.code, got.stdout, got.stderr)
		}
	}
	aws.migrated = left
	got := fanmail(t, env, "migrate", "--json")
	var answer workflow.MigrateOutput
	if err := json.Unmarshal([]byte(got.stdout), &answer); err != nil || len(answer.Statements) != 2 || got.code != exitFailed {
		t.Errorf("%v, exit code %d, %s", err, got.code, got.stdout)
	}
}

func TestBudgetAsksTheAccount(t *testing.T) {
	aws := &fakeAWS{concurrency: 1000}
	env := newFakeAWS(t, aws)
	aws.stack = stack.New(stack.Config{Account: local.Account, Name: "website"})
	got := fanmail(t, env, "budget", "--account")
	if got.code != exitOK || got.stderr != "" || !strings.Contains(got.stdout, "900  (the account's 1000, less 100 that must stay unreserved, 0 reserved by other functions; no earlier deployment)") {
		t.Errorf("exit code %d, %s%s", got.code, got.stdout, got.stderr)
	}
	aws.concurrency = 10
	got = fanmail(t, env, "budget", "--account", "--stage", "prod")
	functions, err := deployment.Functions()
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, got.stderr, fmt.Sprintf("the functions reserve %d of the account's Lambda concurrency, but only 0 of its 10 can be reserved (100 must stay unreserved): ", deployment.Bound(functions))+
		"lower reservedConcurrency in functions.yml, deploy with --param reservedConcurrency=account, or ask AWS for a higher quota \"Concurrent executions\" of Lambda (L-B99A9384)")
	if got.code != exitFailed || !strings.Contains(got.stdout, "0 reserved by stage prod already") {
		t.Errorf("exit code %d, %s", got.code, got.stdout)
	}
}

// TestCallsNameVerbs holds the verbs of the list of calls against the commands: each verb that opens the deployment
// is in it.
func TestCallsNameVerbs(t *testing.T) {
	root, _ := new(program).root()
	verbs := map[string]bool{"use": true} // which calls nobody
	for _, call := range cloud.Calls {
		for _, verb := range call.Verbs {
			verbs[verb] = true
			if c, _, err := root.Find(strings.Fields(verb)); err != nil || c == root {
				t.Errorf("%s: there is no command %s", call.Operation, verb)
			}
		}
	}
	for _, name := range onThisMachine {
		verbs[name] = true
	}
	for _, c := range root.Commands() {
		if !verbs[c.Name()] {
			t.Errorf("%s is in no call, and not one of those that run on this machine", c.Name())
		}
	}
}
