package local

import (
	"maps"
	"strconv"

	"fanmail/local/stack"
	"fanmail/shared/deployment"
)

// accessKey is both halves of the credentials: nothing here checks a signature, but SDKs do not call without one.
const accessKey = "local"

// configurationSet is that of the deployment: SES publishes the events of messages that name one.
const configurationSet = "fanmail-local"

// EnvVar is an environment variable.
type EnvVar struct {
	Name, Value string
}

// stage is that of the one deployment.
const stage = "local"

// outputs are the outputs of the deployment's stack. The runtime prints them as variables, and
// CloudFormation answers with them.
func (r *Runtime) outputs() map[deployment.Output]string {
	return map[deployment.Output]string{
		deployment.Bucket:                  BucketName,
		deployment.StateMachine:            r.machineARN,
		deployment.ControlFunction:         functionName + controlKey,
		deployment.MigrateFunction:         functionName + migrateKey,
		deployment.ConfigurationSet:        configurationSet,
		deployment.EventsQueue:             r.sqs.URL("EventsQueue"),
		deployment.EventsDeadLetterQueue:   r.sqs.URL("EventsDeadLetterQueue"),
		deployment.ScheduleGroup:           scheduleGroup,
		deployment.ScheduleRole:            "arn:aws:iam::" + Account + ":role/local-scheduler",
		deployment.ScheduleDeadLetterQueue: r.sqs.URL("ScheduleDeadLetterQueue"),
	}
}

// stack is CloudFormation and STS.
func (r *Runtime) stack() *stack.Service {
	var outputs []stack.Output
	values := r.outputs()
	for _, o := range deployment.Outputs {
		if values[o] != "" {
			outputs = append(outputs, stack.Output{Key: o.Key, Value: values[o], Description: o.What})
		}
	}
	return stack.New(stack.Config{Region: Region, Account: Account, Name: deployment.StackName(stage), Outputs: outputs})
}

// Environment are the variables that make the AWS CLI, the SDKs and fanmail talk to the runtime, always in the same
// order. With the stage, a deployment that the user has named for another stage is not looked for here.
func (r *Runtime) Environment() []EnvVar {
	variables := append(awsEnvironment(r.endpoint), EnvVar{"FANMAIL_STAGE", stage})
	values := r.outputs()
	for _, o := range deployment.Outputs {
		if values[o] != "" {
			variables = append(variables, EnvVar{o.Variable, values[o]})
		}
	}
	return variables
}

func awsEnvironment(endpoint string) []EnvVar {
	return []EnvVar{
		{"AWS_ENDPOINT_URL", endpoint},
		{"AWS_REGION", Region},
		{"AWS_DEFAULT_REGION", Region},
		{"AWS_ACCESS_KEY_ID", accessKey},
		{"AWS_SECRET_ACCESS_KEY", accessKey},
	}
}

// functionEnvironment is what serverless.yml gives to a function, and what on AWS the service itself adds.
func (r *Runtime) functionEnvironment(f deployment.Function) map[string]string {
	environment := map[string]string{
		"DATABASE_URL":   r.role.url,
		"FANMAIL_BUCKET": BucketName,
		"FANMAIL_STAGE":  stage,
	}
	if f.Key == migrateKey || f.Key == controlKey {
		environment["FANMAIL_CONNECTION_LIMIT"] = strconv.Itoa(r.ConnectionBound())
	}
	if f.Key == migrateKey && r.role.ours {
		environment["DATABASE_ADMIN_URL"] = r.databaseURL
	}
	if f.Key == senderKey || f.Key == planKey {
		environment["FANMAIL_CONFIGURATION_SET"] = configurationSet
	}
	for _, v := range awsEnvironment(r.endpoint) {
		environment[v.Name] = v.Value
	}
	maps.Copy(environment, f.Environment)
	maps.Copy(environment, r.options.FunctionEnvironment)
	return environment
}
