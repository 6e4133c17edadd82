// The CloudWatch dashboard fanmail-<stage>-<region>: how a campaign goes, and how near each limit is.
'use strict';

const title = (key) => `${key[0].toUpperCase()}${key.slice(1)}`;

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const keys = Object.keys(await resolveVariable('file(shared/deployment/functions.yml)'));
  const { machineArn } = await resolveVariable('self:custom.fanmail');
  const own = (name, stat, options) => ['Fanmail', name, 'Stage', stage, { stat, ...options }];
  // plan writes the limits before each wave, so they hold until it writes them again.
  const limit = (name, label) => [
    own(name, 'Maximum', { id: name.toLowerCase(), visible: false }),
    [{ expression: `FILL(${name.toLowerCase()}, REPEAT)`, label }],
  ];
  const queue = (name, metric) => [
    'AWS/SQS',
    metric,
    'QueueName',
    `\${${name}.QueueName}`,
    { stat: 'Maximum', label: name },
  ];

  const graphs = {
    'Accepted a second, against the rate of the account': [
      own('Accepted', 'Sum', { id: 'accepted', visible: false }),
      [{ expression: 'accepted / PERIOD(accepted)', label: 'accepted a second' }],
      ...limit('AccountRate', 'rate of the account'),
    ],
    'Connections, against the bound': [own('Connections', 'Maximum'), ...limit('ConnectionBound', 'bound')],
    'Environments at work': keys.map((key) => [
      'AWS/Lambda',
      'ConcurrentExecutions',
      'FunctionName',
      `\${${title(key)}LambdaFunction}`,
      { stat: 'Maximum', label: key },
    ]),
    'Throttled and failed': [
      own('Throttled', 'Sum', { label: 'throttled by SES' }),
      own('Failed', 'Sum', { label: 'refused by SES' }),
      ...keys.map((key) => [
        'AWS/Lambda',
        'Throttles',
        'FunctionName',
        `\${${title(key)}LambdaFunction}`,
        { stat: 'Sum', label: `throttled: ${key}` },
      ]),
    ],
    'What became of the messages': [own('Delivered', 'Sum'), own('Bounced', 'Sum'), own('Complained', 'Sum')],
    'Bounce and complaint rate of the account (reviewed from 0.05 and 0.001 on)': [
      ['AWS/SES', 'Reputation.BounceRate', { stat: 'Maximum', period: 3600 }],
      ['AWS/SES', 'Reputation.ComplaintRate', { stat: 'Maximum', period: 3600 }],
    ],
    'Events behind, in seconds': [queue('EventsQueue', 'ApproximateAgeOfOldestMessage')],
    'Dead-letter queues, which must be empty': ['EventsDeadLetterQueue', 'ScheduleDeadLetterQueue'].map((name) =>
      queue(name, 'ApproximateNumberOfMessagesVisible'),
    ),
    Executions: [
      'ExecutionsStarted',
      'ExecutionsSucceeded',
      'ExecutionsFailed',
      'ExecutionsTimedOut',
      'ExecutionsAborted',
    ].map((name) => ['AWS/States', name, 'StateMachineArn', machineArn, { stat: 'Sum' }]),
  };
  // Two in a row, on a grid of 24 columns.
  const widgets = Object.entries(graphs).map(([name, metrics], i) => ({
    type: 'metric',
    x: (i % 2) * 12,
    y: Math.floor(i / 2) * 6,
    width: 12,
    height: 6,
    properties: {
      title: name,
      region: '${AWS::Region}',
      view: 'timeSeries',
      // A sender writes its metrics when it ends, after up to 5 minutes.
      period: 300,
      yAxis: { left: { min: 0 } },
      metrics,
    },
  }));
  return {
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        Properties: {
          // Dashboards belong to the account and to no Region: without it, the same stage in two Regions would be one.
          DashboardName: { 'Fn::Sub': `fanmail-${stage}-\${AWS::Region}` },
          DashboardBody: { 'Fn::Sub': JSON.stringify({ widgets }) },
        },
      },
    },
  };
};
