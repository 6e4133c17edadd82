// One role for each function: the calls that its code makes, on the resources that it needs. `make package` holds them
// against the calls that the code can reach.
'use strict';

const arn = (rest) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:${rest}` });
const inRegion = (service, rest) => arn(`${service}:\${AWS::Region}:\${AWS::AccountId}:${rest}`);
const allow = (actions, resources, condition) => ({
  Effect: 'Allow',
  Action: actions,
  Resource: resources,
  ...(condition && { Condition: condition }),
});

// The folders of the bucket, as shared/storage/layout.go names them.
const objects = (...folders) => folders.map((folder) => ({ 'Fn::Sub': `\${CampaignBucket.Arn}/${folder}/*` }));
const read = (...folders) => allow(['s3:GetObject'], objects(...folders));
// Of the calls of an upload in parts, only taking it back is a permission of its own.
const write = (...folders) => allow(['s3:PutObject', 's3:AbortMultipartUpload'], objects(...folders));
const bucket = { 'Fn::GetAtt': ['CampaignBucket', 'Arn'] };
const list = (folder) => allow(['s3:ListBucket'], [bucket], { StringLike: { 's3:prefix': [`${folder}/*`] } });

const queue = (name) => ({ 'Fn::GetAtt': [name, 'Arn'] });

// The statements of each function beside those that all have.
const statements = (fanmail) => ({
  migrate: [],
  prepare: [
    read('campaigns', 'frozen'),
    // The run of a recurring schedule is a campaign of its own: its folder is a copy.
    write('campaigns', 'work', 'reports'),
    // So that a missing file is NoSuchKey and not AccessDenied: a condition on the prefix would not hold for
    // GetObject.
    allow(['s3:ListBucket'], [bucket]),
    // Whether the execution that holds a campaign still runs.
    allow(['states:DescribeExecution'], [{ 'Fn::Sub': `${fanmail.executionArn}:*` }]),
  ],
  plan: [
    read('work'),
    write('work'),
    list('work'),
    sendEmail(fanmail),
    // GetAccount knows no resource.
    allow(['ses:GetAccount'], ['*']),
  ],
  send: [read('work'), sendEmail(fanmail)],
  finish: [write('reports')],
  control: [],
  events: [
    // The calls of Lambda's pollers, which have the function's role.
    allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [queue('EventsQueue')]),
  ],
});

// SES checks both the identity and the configuration set. The From address is in campaign.yaml, so no identity can be
// named; in the sandbox SES asks for the recipient's identity as well. AWS does not say whether a message with attachments
// needs SendRawEmail too: with both it is sent either way.
const sendEmail = ({ configurationSetArns }) =>
  allow(['ses:SendEmail', 'ses:SendRawEmail'], [inRegion('ses', 'identity/*'), ...configurationSetArns]);

// The way to log in; migrate has a second one, as administrator.
const login = (key, fanmail) => {
  const secrets = [
    fanmail.databaseAuth === 'secret' && fanmail.databaseSecretArn,
    key === 'migrate' && fanmail.databaseAdminSecretArn,
  ].filter(Boolean);
  const viaSecrets = {
    StringEquals: { 'kms:ViaService': { 'Fn::Sub': 'secretsmanager.${AWS::Region}.amazonaws.com' } },
  };
  return [
    fanmail.databaseAuth === 'iam' &&
      allow(['rds-db:connect'], [inRegion('rds-db', `dbuser:${fanmail.databaseUser}`)]),
    secrets.length > 0 && allow(['secretsmanager:GetSecretValue'], secrets),
    secrets.length > 0 &&
      fanmail.secretKeyArns.length > 0 &&
      allow(['kms:Decrypt'], fanmail.secretKeyArns, viaSecrets),
  ].filter(Boolean);
};

const interfaces = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

// Lambda itself makes the network interfaces of a function, with the function's role, and asks for '*' here: the
// interfaces have no name in advance, and Describe knows no resource. The function's own code may not: that is the
// second statement.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
const network = (functionName) => [
  allow(interfaces, ['*']),
  {
    Effect: 'Deny',
    Action: interfaces,
    Resource: ['*'],
    Condition: { ArnEquals: { 'lambda:SourceFunctionArn': inRegion('lambda', `function:${functionName}`) } },
  },
];

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const fanmail = await resolveVariable('self:custom.fanmail');
  const Resources = {};
  for (const [key, own] of Object.entries(statements(fanmail))) {
    const functionName = `fanmail-${stage}-${key}`;
    Resources[`${key[0].toUpperCase()}${key.slice(1)}Role`] = {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
        },
        Policies: [
          {
            PolicyName: key,
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                ...own,
                ...login(key, fanmail),
                // The stack makes the log group.
                allow(
                  ['logs:CreateLogStream', 'logs:PutLogEvents'],
                  [inRegion('logs', `log-group:/aws/lambda/${functionName}:*`)],
                ),
                // X-Ray knows no resource here.
                allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*']),
                ...(fanmail.vpc ? network(functionName) : []),
              ],
            },
          },
        ],
      },
    };
  }
  return { Resources };
};
