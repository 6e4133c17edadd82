package local

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/deployment"
)

func TestEveryOutputOfTheDeploymentIsAVariableAndInTheStack(t *testing.T) {
	r := start(t, Options{LambdaBinaries: binaries(t), DatabaseURL: postgrestest.New(t)})
	config := ClientConfig(r.Endpoint())
	described, err := cloudformation.NewFromConfig(config).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("fanmail-local")})
	if err != nil {
		t.Fatal(err)
	}
	inStack, variables := map[string]string{}, map[string]string{}
	for _, o := range described.Stacks[0].Outputs {
		inStack[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	for _, v := range r.Environment() {
		variables[v.Name] = v.Value
	}
	for _, o := range deployment.Outputs {
		value := variables[o.Variable]
		if value != inStack[o.Key] {
			t.Errorf("%s is %q, the output %s %q", o.Variable, value, o.Key, inStack[o.Key])
		}
		if value == "" {
			t.Errorf("%s has no value", o.Key)
		}
	}
	if variables["FANMAIL_STAGE"] != "local" {
		t.Errorf("FANMAIL_STAGE is %q", variables["FANMAIL_STAGE"])
	}

	// They name what is there.
	if _, err := awss3.NewFromConfig(config).HeadBucket(t.Context(), &awss3.HeadBucketInput{Bucket: aws.String(inStack["Bucket"])}); err != nil {
		t.Error(err)
	}
	if _, err := sfn.NewFromConfig(config).DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: aws.String(inStack["StateMachineArn"])}); err != nil {
		t.Error(err)
	}
	for _, o := range []deployment.Output{deployment.ControlFunction, deployment.MigrateFunction} {
		if _, err := awslambda.NewFromConfig(config).GetFunction(t.Context(), &awslambda.GetFunctionInput{FunctionName: aws.String(inStack[o.Key])}); err != nil {
			t.Error(err)
		}
	}
	for _, o := range []deployment.Output{deployment.EventsQueue, deployment.EventsDeadLetterQueue} {
		if _, err := awssqs.NewFromConfig(config).GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{QueueUrl: aws.String(inStack[o.Key])}); err != nil {
			t.Errorf("%s: %v", o.Key, err)
		}
	}
}
