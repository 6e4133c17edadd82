package deployment

// Output is an output of the deployment's stack, by which the CLI finds a part of the deployment.
type Output struct {
	// Key is its name in the stack. A test holds these keys against the compiled template.
	Key string
	// Variable is the environment variable that wins over it.
	Variable string
	// What says what it is, in a few words for an error message.
	What string
}

// The outputs of the stack that the CLI reads.
var (
	Bucket                  = Output{"Bucket", "FANMAIL_BUCKET", "the bucket of campaign folders and reports"}
	StateMachine            = Output{"StateMachineArn", "FANMAIL_STATE_MACHINE_ARN", "the state machine that sends campaigns"}
	ControlFunction         = Output{"ControlFunction", "FANMAIL_CONTROL_FUNCTION", "the function that answers the CLI"}
	MigrateFunction         = Output{"MigrateFunction", "FANMAIL_MIGRATE_FUNCTION", "the function that keeps tables and role"}
	ConfigurationSet        = Output{"ConfigurationSet", "FANMAIL_CONFIGURATION_SET", "the SES configuration set of all messages"}
	EventsQueue             = Output{"EventsQueueUrl", "FANMAIL_EVENTS_QUEUE_URL", "the queue of SES events"}
	EventsDeadLetterQueue   = Output{"EventsDeadLetterQueueUrl", "FANMAIL_EVENTS_DEAD_LETTER_QUEUE_URL", "the queue of SES events that could not be written"}
	ScheduleGroup           = Output{"ScheduleGroup", "FANMAIL_SCHEDULE_GROUP", "the group of EventBridge schedules"}
	ScheduleRole            = Output{"ScheduleRoleArn", "FANMAIL_SCHEDULE_ROLE_ARN", "the role by which a schedule starts a campaign"}
	ScheduleDeadLetterQueue = Output{"ScheduleDeadLetterQueueUrl", "FANMAIL_SCHEDULE_DEAD_LETTER_QUEUE_URL", "the queue of starts that failed"}
)

// Outputs are all outputs that the CLI reads.
var Outputs = []Output{
	Bucket, StateMachine, ControlFunction, MigrateFunction, ConfigurationSet, EventsQueue, EventsDeadLetterQueue,
	ScheduleGroup, ScheduleRole, ScheduleDeadLetterQueue,
}

// ServiceName is what the Serverless Framework calls the deployment (service in serverless.yml); its names begin with it.
const ServiceName = "fanmail"

// StackName is the name of the CloudFormation stack of a stage.
func StackName(stage string) string { return ServiceName + "-" + stage }

// FunctionName is the name that the Serverless Framework gives to the function of a key (in functions.yml).
func FunctionName(stage, key string) string { return StackName(stage) + "-" + key }
