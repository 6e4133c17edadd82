package cloud

import (
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"

	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/shared/workflow"
)

// jsonError is an error of Lambda.
func jsonError(status int, kind, message string) reply {
	return reply{status, kind, `{"Message":"` + message + `"}`}
}

const notAllowed = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: %s on resource: * because no identity-based policy allows the %s action"

// TestWhatAWSRefusesIsOneLineWithTheNextCommand has the answers as AWS gives them.
func TestWhatAWSRefusesIsOneLineWithTheNextCommand(t *testing.T) {
	deny := func(action string) string { return strings.ReplaceAll(notAllowed, "%s", action) }
	const invoke = "POST /2015-03-31/functions/control/invocations"
	stackOf := func(c *Cloud) error { _, err := c.Stack(t.Context()); return err }
	only := func(c *Cloud) error { _, err := c.onlyStack(t.Context()); return err }
	status := func(c *Cloud) error { _, err := c.Status(t.Context(), "spring-sale"); return err }
	exists := func(c *Cloud) error { _, err := c.Exists(t.Context(), "campaigns/x/campaign.yaml"); return err }
	download := func(c *Cloud) error { return c.Download(t.Context(), "reports/x", nil) }
	start := func(c *Cloud) error {
		_, err := c.StartExecution(t.Context(), "x", workflow.ExecutionInput{Campaign: "x"})
		return err
	}
	for _, c := range []struct {
		name, key string
		answer    reply
		call      func(*Cloud) error
		want      string
	}{
		{"describing", "DescribeStacks", xmlError(403, "AccessDenied", deny("cloudformation:DescribeStacks")), stackOf,
			"asking for the stack fanmail-prod: AccessDenied: " + deny("cloudformation:DescribeStacks") + ": cloudformation:DescribeStacks is not allowed: docs/aws.md has the IAM policy of an operator"},
		{"invoking", invoke, jsonError(403, "AccessDeniedException", deny("lambda:InvokeFunction")), status,
			": lambda:InvokeFunction is not allowed: docs/aws.md"},
		{"HEAD, which has no body", "HEAD /bucket/campaigns/x/campaign.yaml", reply{status: 403}, exists,
			"looking for s3://bucket/campaigns/x/campaign.yaml: Forbidden: s3:GetObject or s3:ListBucket is not allowed: docs/aws.md"},
		{"GET", "GET /bucket/reports/x", reply{403, "", "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"}, download,
			"downloading s3://bucket/reports/x: AccessDenied: Access Denied: s3:GetObject or s3:ListBucket is not allowed: docs/aws.md"},
		{"starting", "POST /", reply{400, "", `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"` + deny("states:StartExecution") + `"}`}, start,
			"starting the execution x: AccessDeniedException: " + deny("states:StartExecution") + ": states:StartExecution is not allowed: docs/aws.md"},
		{"an ended session", "DescribeStacks", xmlError(403, "ExpiredToken", "The security token included in the request is expired"), stackOf,
			"ExpiredToken: The security token included in the request is expired: sign in again with `aws sso login --profile mail`, or renew AWS_SESSION_TOKEN"},
		{"an ended session at Lambda", invoke, jsonError(403, "ExpiredTokenException", "The security token included in the request is expired"), status,
			": sign in again with `aws sso login --profile mail`"},
		{"an unknown key, or a region that is not enabled", "DescribeStacks", xmlError(403, "InvalidClientTokenId", "The security token included in the request is invalid."), stackOf,
			": the access key is wrong or deleted, or the account has not enabled the region eu-west-1: look at `aws configure list`"},
		{"an unknown key at Lambda", invoke, jsonError(403, "UnrecognizedClientException", "The security token included in the request is invalid."), status, ": the access key is wrong or deleted"},
		{"a wrong secret", "DescribeStacks", xmlError(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."), stackOf, ": the access key is wrong"},
		{"a wrong clock", "DescribeStacks", xmlError(403, "SignatureDoesNotMatch", "Signature expired: 20261126T080000Z is now earlier than 20261126T081500Z (20261126T082000Z - 5 min.)"), stackOf, ": set the clock of this machine"},
		{"a bucket elsewhere", "GET /bucket/reports/x", reply{301, "", "<Error><Code>PermanentRedirect</Code><Message>The bucket must be addressed using the specified endpoint.</Message></Error>"}, download,
			": the bucket is not in the region eu-west-1: name the deployment's with --region"},
		{"listing", "DescribeStacks", xmlError(403, "AccessDenied", deny("cloudformation:ListStacks")), only,
			"looking for the stack of Fanmail: AccessDenied: " + deny("cloudformation:ListStacks") + ": cloudformation:ListStacks is not allowed: docs/aws.md has the IAM policy of an operator; with --stage it is asked for that one stack only"},
		{"too many calls", "DescribeStacks", xmlError(400, "Throttling", "Rate exceeded"), stackOf, "asking for the stack fanmail-prod: Throttling: Rate exceeded: run it again in a minute"},
		{"trouble at AWS", invoke, jsonError(500, "ServiceException", "An internal error occurred."), status, "ServiceException: An internal error occurred.: run it again in a minute"},
		{"a page of a proxy that has trouble", "DescribeStacks", reply{502, "", "<html>Bad Gateway</html>"}, stackOf, ": run it again in a minute"},
		{"a login page", "DescribeStacks", reply{200, "", "<html>Welcome to the hotel</html>"}, stackOf, "gave an answer that AWS does not give: is a proxy or a login page in between?"},
		{"a login page for JSON", "POST /", reply{200, "", "<html>Welcome to the hotel</html>"}, start, "starting the execution x: AWS_ENDPOINT_URL=http://127.0.0.1:"},
		{"a function that is gone", invoke, jsonError(404, "ResourceNotFoundException", "Function not found"), status,
			": this part of the deployment is gone, or another one is meant: look at `fanmail whoami`"},
		{"anything else", "DescribeStacks", xmlError(400, "ValidationError", "no"), stackOf, "asking for the stack fanmail-prod: ValidationError: no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			choice := deployments.Choice{Stage: deployments.Setting{Value: "prod", From: "FANMAIL_STAGE"}, Profile: deployments.Setting{Value: "mail", From: "AWS_PROFILE"}}
			env := map[string]string{"AWS_PROFILE": "mail", "FANMAIL_BUCKET": "bucket", "FANMAIL_CONTROL_FUNCTION": "control", "FANMAIL_STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:123456789012:stateMachine:x"}
			cloud := opened(t, &fake{answers: map[string][]reply{c.key: {c.answer}}}, choice, env)
			wantError(t, c.call(cloud), c.want)
		})
	}
}

// configured writes an AWS configuration of one profile, and a HOME for the sessions of SSO.
func configured(t *testing.T, text string) {
	t.Helper()
	isolate(t)
	home := t.TempDir()
	path := filepath.Join(home, "config")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"HOME": home, "USERPROFILE": home, "AWS_CONFIG_FILE": path, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_REGION": ""} {
		t.Setenv(name, value)
	}
}

func openChosen(t *testing.T, choice deployments.Choice) (*Cloud, error) {
	return Open(t.Context(), choice, func(string) string { return "" }, func(string) {})
}

// openMail opens the deployment of the profile mail.
func openMail(t *testing.T) *Cloud {
	t.Helper()
	c, err := openChosen(t, deployments.Choice{Profile: deployments.Setting{Value: "mail", From: "--profile"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAMissingOrEndedSSOSessionSaysHowToSignIn(t *testing.T) {
	for _, profile := range []string{
		"sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = ops\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://example.com/start\n",
		"sso_region = eu-west-1\nsso_start_url = https://example.com/start\nsso_account_id = 123456789012\nsso_role_name = ops\n",
	} {
		configured(t, "[profile mail]\nregion = eu-west-1\n"+profile)
		for _, key := range []string{"", "corp", "https://example.com/start"} {
			if key != "" {
				cacheToken(t, key, time.Now().Add(-time.Hour))
			}
			_, err := openMail(t).Caller(t.Context())
			wantError(t, err, "asking who calls: there is no AWS session, or it has ended: sign in again with `aws sso login --profile mail`")
		}
	}
}

// cacheToken writes a session of SSO as the AWS CLI does, under the name of the session or the start URL.
func cacheToken(t *testing.T, key string, until time.Time) {
	t.Helper()
	path, err := ssocreds.StandardCachedTokenFilepath(key)
	if err != nil || !strings.HasPrefix(path, os.Getenv("HOME")) {
		t.Fatal(path, err)
	}
	token := `{"accessToken":"x","expiresAt":"` + until.UTC().Format(time.RFC3339) + `"}`
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(token), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestASessionThatSSORefusesSaysHowToSignIn has a session on this machine that looks good, which SSO has ended.
func TestASessionThatSSORefusesSaysHowToSignIn(t *testing.T) {
	configured(t, "[profile mail]\nregion = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = ops\nsso_region = eu-west-1\nsso_start_url = https://example.com/start\n")
	aws := &fake{answers: map[string][]reply{"GET /federation/credentials": {jsonError(401, "UnauthorizedException", "Session token not found or invalid")}}}
	server := httptest.NewServer(aws)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_SSO", server.URL)
	cacheToken(t, "https://example.com/start", time.Now().Add(time.Hour))
	_, err := openMail(t).Caller(t.Context())
	wantError(t, err, "asking who calls: UnauthorizedException: Session token not found or invalid: sign in again with `aws sso login --profile mail`")
}

func TestCredentialsThatCanNotBeGotSayWhy(t *testing.T) {
	configured(t, "[profile mail]\nregion = eu-west-1\ncredential_process = /nonexistent/program\n")
	_, err := openMail(t).Caller(t.Context())
	wantError(t, err, "asking who calls: getting AWS credentials: failed to refresh cached credentials, process provider error: error in credential_process: exit status")
}

func TestAProfileThatWantsACodeSaysHowToGetASession(t *testing.T) {
	configured(t, "[profile mail]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n"+
		"mfa_serial = arn:aws:iam::123456789012:mfa/ann\n[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n")
	_, err := openChosen(t, deployments.Choice{Profile: deployments.Setting{Value: "mail", From: "--profile"}})
	wantError(t, err, "the AWS profile mail wants a code of an MFA device, for which fanmail does not ask: "+
		"`eval \"$(aws configure export-credentials --profile mail --format env)\"` asks, and gives a session")
}

func TestNoCredentialsNoRegionAndNoProfileAreOneLine(t *testing.T) {
	configured(t, "[profile mail]\nregion = eu-west-1\n")
	_, err := openMail(t).Caller(t.Context())
	wantError(t, err, "asking who calls: no AWS credentials: name a profile with --profile or AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	_, err = openChosen(t, deployments.Choice{})
	wantError(t, err, "no region is given: name one with --region, as in --region eu-west-1, or AWS_REGION, or in the AWS profile")
	_, err = openChosen(t, deployments.Choice{Profile: deployments.Setting{Value: "nope", From: "deployment prod, /c/config.yaml"}})
	wantError(t, err, "there is no AWS profile nope (deployment prod, /c/config.yaml): `aws configure list-profiles` lists them")
}

func TestTheRegionAndTheProfileOfTheChoiceAreThoseOfTheSDK(t *testing.T) {
	configured(t, "[profile mail]\nregion = eu-west-1\naws_access_key_id = AKIAMAIL\naws_secret_access_key = x\n")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	c, err := openChosen(t, deployments.Choice{
		Profile: deployments.Setting{Value: "mail", From: "--profile"}, Region: deployments.Setting{Value: "ap-south-1", From: "--region"},
	})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := c.credentials.Retrieve(t.Context())
	if err != nil || keys.AccessKeyID != "AKIAMAIL" || c.region != "ap-south-1" {
		t.Errorf("%s in %s, %v", keys.AccessKeyID, c.region, err)
	}
}

func TestARegionThatThereIsNotIsOneLine(t *testing.T) {
	c := &Cloud{region: "eu-wst-1"}
	err := c.explain(t.Context(), "asking who calls", &net.OpError{Op: "dial", Err: &net.DNSError{Name: "sts.eu-wst-1.amazonaws.com", IsNotFound: true}})
	wantError(t, err, "asking who calls: the address sts.eu-wst-1.amazonaws.com is not found: is there a region eu-wst-1 (--region), and a network?")
}

func TestTheErrorOfAFunctionIsItsMessage(t *testing.T) {
	aws := &fake{answers: map[string][]reply{"POST /2015-03-31/functions/control/invocations": {{200, "", `{"campaign":`}}}}
	c := opened(t, aws, deployments.Choice{}, map[string]string{"FANMAIL_CONTROL_FUNCTION": "control"})
	_, err := c.Control(t.Context(), workflow.ControlInput{Action: workflow.ActionStatus, Campaign: "x"})
	wantError(t, err, "asking for the status of x: control answered something else than it should")
}
