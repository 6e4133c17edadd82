-- The messages of `fanmail doctor` whose event has arrived: they prove the way of SES events into this ledger.
create table fanmail.proof (
  id          uuid primary key,
  accepted_at timestamptz not null,
  arrived_at  timestamptz not null default fanmail.clock()
);
