package stack

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func clients(t *testing.T) (*cloudformation.Client, *sts.Client) {
	t.Helper()
	server := httptest.NewServer(New(Config{
		Region: "us-east-1", Account: "000000000000", Name: "fanmail-local",
		Outputs: []Output{{"Bucket", "b & <c>", "the bucket"}, {"Queue", "q", ""}},
	}))
	t.Cleanup(server.Close)
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}
	return cloudformation.NewFromConfig(config), sts.NewFromConfig(config)
}

func TestTheStackIsDescribedByNameByARNAndAmongAll(t *testing.T) {
	formation, _ := clients(t)
	for _, name := range []*string{nil, aws.String("fanmail-local"), aws.String("arn:aws:cloudformation:us-east-1:000000000000:stack/fanmail-local/local")} {
		out, err := formation.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: name})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Stacks) != 1 || out.NextToken != nil {
			t.Fatalf("%+v", out)
		}
		s := out.Stacks[0]
		if aws.ToString(s.StackName) != "fanmail-local" || s.StackStatus != "CREATE_COMPLETE" || s.CreationTime == nil || len(s.Outputs) != 2 ||
			aws.ToString(s.Outputs[0].OutputKey) != "Bucket" || aws.ToString(s.Outputs[0].OutputValue) != "b & <c>" || aws.ToString(s.Outputs[1].OutputValue) != "q" {
			t.Errorf("%+v", s)
		}
	}
}

func TestTheCallerIsTheAccount(t *testing.T) {
	_, tokens := clients(t)
	out, err := tokens.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || aws.ToString(out.Account) != "000000000000" || aws.ToString(out.Arn) != "arn:aws:iam::000000000000:user/local" {
		t.Errorf("%+v %v", out, err)
	}
}

func TestEverythingElseIsRefusedByName(t *testing.T) {
	formation, tokens := clients(t)
	_, unknown := formation.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("fanmail-prod")})
	_, token := formation.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{NextToken: aws.String("x")})
	_, list := formation.ListStacks(t.Context(), &cloudformation.ListStacksInput{})
	_, session := tokens.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	for want, err := range map[string]error{
		"ValidationError: Stack with id fanmail-prod does not exist":                unknown,
		"ValidationError: NextToken x is invalid.":                                  token,
		"InvalidAction: The local runtime has DescribeStacks of CloudFormation and": list,
		"it does not have sts:GetSessionToken.":                                     session,
	} {
		api, ok := errors.AsType[smithy.APIError](err)
		if !ok || !strings.Contains(api.ErrorCode()+": "+api.ErrorMessage(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
