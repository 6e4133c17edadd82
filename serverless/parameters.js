// Checks the parameters of the deployment, which serverless.yml describes, and works out what its parts need of them.
// All that is wrong is one error, before anything is deployed.
'use strict';

const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
const endpoints = ['s3', 'email', 'states', 'secretsmanager'];
// With reservedConcurrency=account: half of the 10 that a new account has.
const accountSenders = 5;

module.exports = async ({ options, resolveConfigurationProperty, resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const region = await resolveVariable('opt:region, self:provider.region');
  // functions.yml must not ask for custom.fanmail, which is the result of this function: they would wait for each
  // other.
  const functions = await resolveVariable('file(shared/deployment/functions.yml)');
  const names = Object.keys((await resolveConfigurationProperty(['params'])).default);
  const problems = [];

  // A misspelt name would leave the default in place, silently.
  const file = `file(${process.env.FANMAIL_DEPLOYMENT ?? 'deployment.yml'})`;
  const given = {
    ...(await resolveVariable(`${file}:default, null`)),
    ...(await resolveVariable(`${file}:${stage}, null`)),
  };
  const flags = (options.param ?? []).map((flag) => flag.split('=')[0]);
  for (const name of [...Object.keys(given), ...flags]) {
    if (!names.includes(name)) problems.push(`there is no parameter ${name}: serverless.yml lists them`);
  }
  const p = {};
  for (const name of names) {
    const value = name in given && !flags.includes(name) ? given[name] : await resolveVariable(`param:${name}, ''`);
    p[name] = Array.isArray(value) ? value.join(',') : String(value ?? '').trim();
  }
  const list = (name) =>
    p[name]
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean);
  const check = (ok, problem) => ok || problems.push(problem);
  const oneOf = (name, values) =>
    check(
      values.includes(p[name]),
      `${name} is "${p[name]}": write ${values.join(', ').replace(/, ([^,]*)$/, ' or $1')}`,
    );
  const each = (name, pattern, example) =>
    list(name).forEach((item) => check(pattern.test(item), `${name} has "${item}": write it like ${example}`));

  // What CloudFormation names (buckets, roles, queues) begins with fanmail-<stage>-, as the policies in docs/aws.md
  // expect. For a longer stage it would shorten that, and it writes buckets in small letters.
  check(
    /^[a-z][a-z0-9-]{0,14}$/.test(stage),
    `the stage is "${stage}": write up to 15 small letters, digits and hyphens, a letter first`,
  );
  oneOf('architecture', ['arm64', 'x86_64']);
  oneOf('databaseAuth', ['secret', 'iam', 'password']);
  oneOf('reservedConcurrency', ['functions', 'account']);
  check(
    retentions.includes(Number(p.logRetention)),
    `logRetention is "${p.logRetention}": CloudWatch keeps logs for ${retentions.join(', ')} days`,
  );
  check(
    p.alarmEmail === '' || /^[^@\s]+@[^@\s]+$/.test(p.alarmEmail),
    `alarmEmail is "${p.alarmEmail}": write one address`,
  );
  each('subnetIds', /^subnet-[0-9a-f]+$/, 'subnet-0a1b2c3d');
  each('securityGroupIds', /^sg-[0-9a-f]+$/, 'sg-0a1b2c3d');
  each('vpcId', /^vpc-[0-9a-f]+$/, 'vpc-0a1b2c3d');
  each('routeTableIds', /^rtb-[0-9a-f]+$/, 'rtb-0a1b2c3d');
  each('configurationSets', /^[A-Za-z0-9_-]{1,63}\*?$/, 'news or news-*');
  each(
    'secretKeyArns',
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/.+$/,
    'arn:aws:kms:eu-west-1:111122223333:key/...',
  );

  checkDatabase(p, check, region);
  const network = checkNetwork(p, list, check);
  const senders =
    p.senders === ''
      ? p.reservedConcurrency === 'account'
        ? accountSenders
        : functions.send.reservedConcurrency
      : Number(p.senders);
  check(
    Number.isInteger(senders) && senders >= 1 && senders <= 900,
    `senders is "${p.senders}": write a number from 1 to 900`,
  );

  // Removing a deployment, or looking at one, does not take its parameters.
  const changesNothing = ['remove', 'info', 'logs', 'metrics', 'rollback'].some((command) =>
    process.argv.includes(command),
  );
  if (problems.length > 0 && !changesNothing) {
    const error = new Error(
      `${problems.length === 1 ? 'a parameter is' : 'parameters are'} wrong: ${problems.join('; ')}`,
    );
    // osls shows the stack, which says nothing to whoever deploys.
    error.stack = error.message;
    throw error;
  }
  const others = Object.keys(functions).filter((key) => key !== 'send');
  const states = 'arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}';
  const bound = String(others.reduce((sum, key) => sum + functions[key].reservedConcurrency, senders));
  return {
    ...p,
    ...network,
    logRetention: Number(p.logRetention),
    secretKeyArns: list('secretKeyArns'),
    // Fanmail's own set, and those that a campaign.yaml may name.
    configurationSetArns: [
      '${EventsConfigurationSet}',
      ...(p.configurationSets === '' ? [`fanmail-${stage}-*`] : list('configurationSets')),
    ].map((name) => ({
      'Fn::Sub': `arn:\${AWS::Partition}:ses:\${AWS::Region}:\${AWS::AccountId}:configuration-set/${name}`,
    })),
    // Spelt out: a reference to the state machine would be a circle, as it refers to the functions.
    machineArn: `${states}:stateMachine:fanmail-${stage}-campaign`,
    executionArn: `${states}:execution:fanmail-${stage}-campaign`,
    senders,
    // One connection for each environment: the limit of the role in the database, which migrate sets.
    bound,
    databaseUser: p.databaseUser || `*/${user(p.databaseUrl)}`,
    environment: withoutEmpty({
      FANMAIL_STAGE: stage,
      DATABASE_AUTH: p.databaseAuth,
      DATABASE_URL: p.databaseUrl,
      DATABASE_SECRET_ARN: p.databaseSecretArn,
      DATABASE_CA: p.databaseCa,
    }),
    alarmSubscriptions: p.alarmEmail === '' ? [] : [{ Protocol: 'email', Endpoint: p.alarmEmail }],
    administrator: withoutEmpty({
      DATABASE_ADMIN_AUTH: p.databaseAdminSecretArn ? 'secret' : p.databaseAdminUrl ? 'password' : '',
      DATABASE_ADMIN_SECRET_ARN: p.databaseAdminSecretArn,
      DATABASE_ADMIN_URL: p.databaseAdminUrl,
    }),
  };
};

const withoutEmpty = (variables) => Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));

function url(text) {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  return parsed && /^postgres(ql)?:$/.test(parsed.protocol) && parsed.host ? parsed : null;
}

const user = (text) => decodeURIComponent(url(text)?.username ?? '');

function checkDatabase(p, check, region) {
  const way = p.databaseAuth;
  const database = url(p.databaseUrl);
  // A connection string may hold a password, so it is never shown.
  check(
    p.databaseUrl === '' || database,
    'databaseUrl is no connection string: write postgres://user@host:5432/database',
  );
  check(p.databaseUrl !== '' || way === 'secret', `databaseAuth=${way} needs databaseUrl`);
  check(
    way === 'password' || (!database?.password && !database?.searchParams.has('password')),
    `databaseUrl has a password, but databaseAuth is ${way}: take the password out, or read at databaseAuth ` +
      'what password means',
  );
  check(
    way !== 'password' || !database || database.password,
    'databaseAuth=password needs a password in databaseUrl',
  );
  check(way === 'secret' || !database || database.username, `databaseAuth=${way} needs a user in databaseUrl`);
  check(
    way !== 'secret' || p.databaseSecretArn,
    'databaseAuth=secret, which is the default, needs databaseSecretArn, in deployment.yml or as --param',
  );
  check(
    way === 'secret' || !p.databaseSecretArn,
    `databaseSecretArn is of no use with databaseAuth=${way}: take one of them out`,
  );
  check(way === 'iam' || !p.databaseUser, `databaseUser is of no use with databaseAuth=${way}: take it out`);
  check(
    /^$|^[a-z]+-[A-Z0-9]+\/[^/*]+$/.test(p.databaseUser),
    `databaseUser is "${p.databaseUser}": write <resource id>/<user>, such as cluster-ABCDEFGHIJKL/fanmail`,
  );
  check(
    !p.databaseAdminSecretArn || !p.databaseAdminUrl,
    'databaseAdminSecretArn and databaseAdminUrl are both set: take one of them out',
  );
  check(
    !p.databaseAdminUrl || url(p.databaseAdminUrl),
    'databaseAdminUrl is no connection string: write postgres://admin:password@host:5432/database',
  );
  for (const name of ['databaseSecretArn', 'databaseAdminSecretArn']) {
    // The roles name the secret by this ARN. Without its end Secrets Manager would find it, but IAM would not let them.
    const arn = /^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:[^:]+-[A-Za-z0-9]{6}$/.exec(p[name]);
    check(
      p[name] === '' || arn,
      `${name} is "${p[name]}": write the ARN of a secret of AWS Secrets Manager, with the six characters at its end`,
    );
    check(
      !arn || arn[1] === region,
      `${name} is in ${arn?.[1]}, but this deployment is in ${region}: copy the secret there, or set --region`,
    );
  }
  check(
    !p.secretKeyArns || p.databaseSecretArn || p.databaseAdminSecretArn,
    'secretKeyArns is of no use without a secret: take it out',
  );
}

// checkNetwork returns the VPC configuration of the functions, null for none, the security groups that reach the
// endpoints, and the endpoints to make.
function checkNetwork(p, list, check) {
  const inVpc = p.subnetIds !== '';
  const groups = list('securityGroupIds');
  check(
    !inVpc || groups.length > 0 || p.vpcId,
    'subnetIds needs securityGroupIds too, or vpcId to make a security group in',
  );
  check(groups.length <= 5, `securityGroupIds has ${groups.length} groups: Lambda takes 5 at most`);
  for (const name of ['securityGroupIds', 'vpcId', 'routeTableIds']) {
    check(inVpc || !p[name], `${name} is of no use without subnetIds`);
  }
  const needed = endpoints.filter(
    (name) => name !== 'secretsmanager' || p.databaseAuth === 'secret' || p.databaseAdminSecretArn,
  );
  const wanted = { yes: needed, no: [] }[p.vpcEndpoints] ?? list('vpcEndpoints');
  for (const name of wanted) {
    check(
      endpoints.includes(name),
      `vpcEndpoints has "${name}": write yes, no, or a list of ${endpoints.join(', ')}`,
    );
  }
  check(wanted.length === 0 || inVpc, 'vpcEndpoints is of no use without subnetIds');
  check(wanted.length === 0 || !inVpc || p.vpcId, 'vpcEndpoints needs vpcId');
  check(
    !wanted.includes('s3') || !inVpc || p.routeTableIds,
    'vpcEndpoints with s3 needs routeTableIds: the route tables of the subnets',
  );
  const securityGroupIds = groups.length > 0 ? groups : [{ 'Fn::GetAtt': ['FunctionsSecurityGroup', 'GroupId'] }];
  return {
    vpc: inVpc ? { subnetIds: list('subnetIds'), securityGroupIds } : null,
    makesSecurityGroup: inVpc && groups.length === 0,
    vpcEndpoints: wanted,
    routeTableIds: list('routeTableIds'),
  };
}
