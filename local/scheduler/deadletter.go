package scheduler

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// bury puts an invocation that failed for good into the dead-letter queue: the input of the target, and in attributes
// why. condition is the bound of the retry policy that ended it, or empty.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
func (s *Service) bury(ctx context.Context, e *entry, i *invocation, condition string, why error) {
	code, message := "EventTooOld", why.Error()
	if api, ok := errors.AsType[smithy.APIError](why); ok {
		code, message = api.ErrorCode(), api.ErrorMessage()
	} else if condition != "MaximumEventAgeInSeconds" {
		code = "TargetUnreachable"
	}
	log := s.log.With("schedule", e.Name, "due", i.Due, "condition", condition, "code", code, "message", message)
	if e.Definition.Target.DeadLetterConfig == nil {
		log.Warn("a schedule was not delivered, and has no dead-letter queue")
		return
	}
	attributes := map[string]string{
		"ERROR_CODE": code, "ERROR_MESSAGE": message, "EXECUTION_ID": i.ID, "IS_PAYLOAD_TRUNCATED": "false",
		"RETRY_ATTEMPTS": strconv.Itoa(i.Attempts), "SCHEDULED_TIME": i.Due.UTC().Format(time.RFC3339),
		"SCHEDULE_ARN": s.arn(e.Name), "TARGET_ARN": e.Definition.Target.Arn,
	}
	if condition != "" {
		attributes["EXHAUSTED_RETRY_CONDITION"] = condition
	}
	values := map[string]types.MessageAttributeValue{}
	for name, value := range attributes {
		values[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	name := queueARN.FindStringSubmatch(e.Definition.Target.DeadLetterConfig.Arn)[1]
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := s.config.Queues.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl:    aws.String(s.config.Endpoint + "/" + s.config.Account + "/" + name),
		MessageBody: aws.String(i.fill(s.arn(e.Name), e.Definition.Target.Input)), MessageAttributes: values,
	})
	if err != nil {
		log.Error("a schedule was not delivered, and its dead-letter queue does not take it",
			"queue", name, "error", err)
		return
	}
	log.Warn("a schedule was not delivered; it is in its dead-letter queue", "queue", name)
}
