// The alarms. Each one's description says what to do first; docs/operations.md has the rest. All go to one SNS topic.
'use strict';

const minute = 60;
const hour = 60 * minute;

// A metric of one resource of AWS, or of Fanmail's own (shared/metrics/names.go has their names).
const metric = (Namespace, MetricName, Dimensions) => ({
  Namespace,
  MetricName,
  Dimensions: Object.entries(Dimensions).map(([Name, Value]) => ({ Name, Value })),
});
const ref = (name) => ({ Ref: name });
const queueName = (name) => ({ 'Fn::GetAtt': [name, 'QueueName'] });

// math is an alarm on an expression over metrics.
const math = (expression, Period, metrics) => ({
  Metrics: [
    { Id: 'value', Expression: expression, ReturnData: true },
    ...Object.entries(metrics).map(([Id, [Metric, Stat]]) => ({
      Id,
      MetricStat: { Metric, Period, Stat },
      ReturnData: false,
    })),
  ],
});

// Where nothing is measured, nothing happened: most of these metrics are silent when no campaign runs.
const silenceIsGood = { TreatMissingData: 'notBreaching' };
// SES measures only while mail is sent. A bad rate stays bad when sending stops.
const silenceKeepsTheState = { TreatMissingData: 'ignore' };

// The functions that nobody waits for at a terminal. control and migrate answer the command, which tries again by
// itself and says what is wrong: two people who follow a campaign are no reason to ring.
const unattended = (keys) => keys.filter((key) => !['control', 'migrate'].includes(key));

const alarms = ({ stage, machineArn, bound, keys }) => {
  const machine = {
    StateMachineArn: { 'Fn::Sub': machineArn },
  };
  const own = (name) => metric('Fanmail', name, { Stage: stage });
  const execution = (name) => ({
    ...metric('AWS/States', name, machine),
    Statistic: 'Sum',
    Period: minute,
    Threshold: 1,
    ...silenceIsGood,
  });
  const notEmpty = (queue) => ({
    ...metric('AWS/SQS', 'ApproximateNumberOfMessagesVisible', { QueueName: queueName(queue) }),
    Statistic: 'Maximum',
    Period: minute,
    Threshold: 1,
    ...silenceIsGood,
  });
  const functionName = (key) => ref(`${key[0].toUpperCase()}${key.slice(1)}LambdaFunction`);
  return {
    ExecutionFailedAlarm: {
      ...execution('ExecutionsFailed'),
      AlarmDescription:
        'A campaign failed. Run `fanmail status` on it for the reason, fix that, and start it again: it ' +
        'goes on where it stood.',
    },
    ExecutionTimedOutAlarm: {
      ...execution('ExecutionsTimedOut'),
      AlarmDescription: 'The execution of a campaign timed out. Start it again: it goes on where it stood.',
    },
    ExecutionAbortedAlarm: {
      ...execution('ExecutionsAborted'),
      AlarmDescription:
        'Somebody stopped the execution of a campaign. If that was not meant, start it again: it goes on ' +
        'where it stood.',
    },
    EventsDeadLetterAlarm: {
      ...notEmpty('EventsDeadLetterQueue'),
      AlarmDescription:
        'SES events could not be written into the ledger. Read the log of the function events, fix the ' +
        'cause, and move the messages back.',
    },
    ScheduleDeadLetterAlarm: {
      ...notEmpty('ScheduleDeadLetterQueue'),
      AlarmDescription:
        'A schedule could not start its campaign. The message in the queue has the reason; start the ' +
        'campaign by hand.',
    },
    // A sender that died is settled 15 minutes later (FANMAIL_GRACE) by what the events say: they must not be later
    // than that.
    EventsLateAlarm: {
      ...metric('AWS/SQS', 'ApproximateAgeOfOldestMessage', { QueueName: queueName('EventsQueue') }),
      Statistic: 'Maximum',
      Period: minute,
      EvaluationPeriods: 3,
      Threshold: 5 * minute,
      ...silenceIsGood,
      AlarmDescription:
        'SES events wait for more than 5 minutes. Is the database reachable? Read the log of the function ' +
        'events. Bounces and complaints are counted late.',
    },
    // A sender says at its end how many connections there are, so this is known every few minutes only.
    ConnectionsAlarm: {
      ...own('Connections'),
      Statistic: 'Maximum',
      Period: 5 * minute,
      EvaluationPeriods: 2,
      Threshold: Math.ceil(0.98 * bound),
      ...silenceIsGood,
      AlarmDescription:
        'Fanmail holds 98 % of the connections that it may have, for 10 minutes. `fanmail doctor` shows the ' +
        'bound; more than the bound PostgreSQL refuses.',
    },
    // EventBridge hands the end of an execution over to Lambda's own queue. There finish has three tries within some
    // three minutes, and then Lambda drops it without a word.
    InterruptionLostAlarm: {
      ...metric('AWS/Lambda', 'AsyncEventsDropped', { FunctionName: functionName('finish') }),
      Statistic: 'Sum',
      Period: 5 * minute,
      Threshold: 1,
      ...silenceIsGood,
      AlarmDescription:
        'An execution ended before its time, and the ledger does not know: `fanmail status` still says running. ' +
        'Is the database reachable? Start the campaign again: it goes on where it stood.',
    },
    // A second campaign makes senders wait for each other for a moment. Only throttles that go on are worth a look.
    ThrottlesAlarm: {
      ...math(
        // A function that is not invoked measures nothing.
        'SUM(FILL(METRICS(), 0))',
        5 * minute,
        Object.fromEntries(
          unattended(keys).map((key) => [key, [metric('AWS/Lambda', 'Throttles', { FunctionName: functionName(key) }), 'Sum']]),
        ),
      ),
      EvaluationPeriods: 3,
      Threshold: 10,
      ...silenceIsGood,
      AlarmDescription:
        'Lambda has refused invocations for 15 minutes. `fanmail budget --account` shows whether the ' +
        'account has concurrency enough; campaigns are slower meanwhile.',
    },
    SesThrottlesAlarm: {
      ...math('100 * FILL(throttled, 0) / (FILL(accepted, 0) + FILL(throttled, 0))', 5 * minute, {
        throttled: [own('Throttled'), 'Sum'],
        accepted: [own('Accepted'), 'Sum'],
      }),
      EvaluationPeriods: 3,
      Threshold: 10,
      ...silenceIsGood,
      AlarmDescription:
        'SES has refused one send of ten for 15 minutes, because the account sends too fast. Who else sends ' +
        'by this account? Fanmail has slowed down.',
    },
    // SES's own rates, over the whole account. It reviews an account from 5 % bounces or 0.1 % complaints on, and may
    // pause it.
    // https://docs.aws.amazon.com/ses/latest/dg/reputation-dashboard-dg.html
    BounceRateAlarm: {
      ...metric('AWS/SES', 'Reputation.BounceRate', {}),
      Statistic: 'Maximum',
      Period: hour,
      Threshold: 0.05,
      ...silenceKeepsTheState,
      AlarmDescription:
        'The bounce rate of the SES account is 5 % or more: AWS may stop the account. Stop the executions of ' +
        'campaigns and clean their lists.',
    },
    ComplaintRateAlarm: {
      ...metric('AWS/SES', 'Reputation.ComplaintRate', {}),
      Statistic: 'Maximum',
      Period: hour,
      Threshold: 0.001,
      ...silenceKeepsTheState,
      AlarmDescription:
        'The complaint rate of the SES account is 0.1 % or more: AWS may stop the account. Stop the executions ' +
        'of campaigns: who did not ask for this mail?',
    },
    // SES's rates are slow: they are over thousands of messages of many days. These see a bad list while it is being
    // mailed. A handful of test mails must not ring.
    CampaignBouncesAlarm: {
      ...math(
        'IF(FILL(bounced, 0) + FILL(delivered, 0) >= 500, ' +
          '100 * FILL(bounced, 0) / (FILL(bounced, 0) + FILL(delivered, 0)), 0)',
        15 * minute,
        { bounced: [own('Bounced'), 'Sum'], delivered: [own('Delivered'), 'Sum'] },
      ),
      Threshold: 5,
      ...silenceIsGood,
      AlarmDescription:
        'Of the messages of the last 15 minutes 5 % bounced. `fanmail status` shows which campaign; stop its ' +
        'execution and clean its list.',
    },
    CampaignComplaintsAlarm: {
      ...math('IF(FILL(delivered, 0) >= 1000, 100 * FILL(complained, 0) / FILL(delivered, 0), 0)', 24 * hour, {
        complained: [own('Complained'), 'Sum'],
        delivered: [own('Delivered'), 'Sum'],
      }),
      Threshold: 0.1,
      ...silenceIsGood,
      AlarmDescription:
        'Of the messages of the last 24 hours 0.1 % were reported as spam. `fanmail status` shows which ' +
        'campaign; stop its execution: who did not ask for this mail?',
    },
  };
};

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const { alarmSubscriptions, machineArn, bound } = await resolveVariable('self:custom.fanmail');
  const keys = Object.keys(await resolveVariable('file(shared/deployment/functions.yml)'));
  const Resources = {
    AlarmTopic: {
      Type: 'AWS::SNS::Topic',
      Properties: {
        DisplayName: `Fanmail ${stage}`,
        KmsMasterKeyId: ref('TopicKey'),
        ...(alarmSubscriptions.length > 0 && { Subscription: alarmSubscriptions }),
      },
    },
  };
  for (const [name, alarm] of Object.entries(alarms({ stage, machineArn, bound, keys }))) {
    Resources[name] = {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: `fanmail-${stage}-${name.replace(/Alarm$/, '')}`,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        EvaluationPeriods: 1,
        AlarmActions: [ref('AlarmTopic')],
        OKActions: [ref('AlarmTopic')],
        ...alarm,
        AlarmDescription: `${alarm.AlarmDescription} More: docs/operations.md, ${name}.`,
      },
    };
  }
  return { Resources };
};
