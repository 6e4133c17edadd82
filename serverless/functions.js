// The functions of shared/deployment/functions.yml, with what depends on the parameters: each one's role and network,
// its concurrency, and the administrator whom migrate works as.
'use strict';

module.exports = async ({ resolveVariable }) => {
  const fanmail = await resolveVariable('self:custom.fanmail');
  const functions = await resolveVariable('file(shared/deployment/functions.yml)');
  functions.send.reservedConcurrency = fanmail.senders;
  functions.plan.environment.FANMAIL_SENDERS = fanmail.senders;
  // migrate sets the limit of the role in the database, and control compares the two.
  const limit = { FANMAIL_CONNECTION_LIMIT: fanmail.bound };
  functions.migrate.environment = { ...functions.migrate.environment, ...fanmail.administrator, ...limit };
  functions.control.environment = { ...functions.control.environment, ...limit };
  for (const [key, f] of Object.entries(functions)) {
    f.role = `${key[0].toUpperCase()}${key.slice(1)}Role`;
    if (fanmail.vpc) f.vpc = fanmail.vpc;
    // Then MaxConcurrency of the Map, maximumConcurrency of the queue and the limit of the role in the database are
    // what keeps the number of connections.
    if (fanmail.reservedConcurrency === 'account') delete f.reservedConcurrency;
  }
  return functions;
};
