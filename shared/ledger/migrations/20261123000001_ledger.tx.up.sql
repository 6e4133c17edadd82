-- The clock of the ledger. Everything that compares times asks it and no other; the local runtime moves it.
create function fanmail.clock() returns timestamptz language sql volatile as 'select clock_timestamp()';

-- A campaign: one mailing. Its name is its identity: starting it again resumes it.
create table fanmail.campaign (
  id             bigint generated always as identity primary key,
  name           text not null unique,
  -- Every message carries it, so that SES events of a campaign with the same name in another ledger are told apart.
  tag            uuid not null default gen_random_uuid(),
  state          text not null check (state in
                   ('importing', 'running', 'paused', 'halted', 'cancelled', 'failed', 'finished')),
  reason         text not null default '',
  -- The execution that owns the campaign. It fences claims: an execution that lost the campaign claims nothing more.
  execution      text not null,
  settings       jsonb not null,
  -- The SHA-256 of the recipients file that was imported.
  recipients_tag text not null,
  recipients     bigint not null default 0,
  rejected       jsonb not null default '{}',
  waves          int not null default 0,
  batches        bigint not null default 0,
  -- The last wave that was ended early claims nothing more: by 'quota' (the daily quota is used up) or by 'trouble'
  -- (SES answers nothing that settles anybody). wave_ended_at is null when that is of no concern any more.
  ended_wave     int not null default 0,
  ended_by       text not null default '' check (ended_by in ('', 'quota', 'trouble')),
  wave_ended_at  timestamptz,
  -- Nothing is claimed later.
  wave_until     timestamptz not null default 'epoch',
  -- When SES accepted the latest message of the campaign of which an event has arrived.
  witnessed_at   timestamptz not null default 'epoch',
  -- What witnessed_at was at witness_at, some time ago: events that came with that one have been counted since.
  witness        timestamptz not null default 'epoch',
  witness_at     timestamptz not null default 'epoch',
  -- Since when only what is in doubt keeps the campaign open; null when that is not so.
  doubted_at     timestamptz,
  -- Recipients settled when this execution planned its last wave (-1: none yet), and how many waves in a row settled none.
  settled_before bigint not null default -1,
  fruitless      int not null default 0,
  created_at     timestamptz not null default now(),
  started_at     timestamptz not null default now(),
  ended_at       timestamptz
);

-- The ledger: the only truth about who was mailed. No index covers a column that changes, so that every update is
-- heap-only; the fill factor leaves the room for it.
create table fanmail.recipient (
  campaign_id   bigint not null,
  seq           bigint not null,
  line          bigint not null,
  address       text not null,
  fields        jsonb not null,
  state         text not null default 'pending' check (state in
                  ('pending', 'claimed', 'sent', 'failed', 'suppressed', 'skipped')),
  reason        text,
  claim         uuid,
  -- Until then the sender that holds the claim may still call SES; afterwards the recipient is in doubt.
  claimed_until timestamptz,
  message_id    text,
  settled_at    timestamptz,
  -- What SES events say of the message, each the earliest time: when SES accepted it (by its Send event), and what became
  -- of it.
  confirmed_at  timestamptz,
  delivered_at  timestamptz,
  bounced_at    timestamptz,
  -- SES's bounceType/bounceSubType.
  bounce        text,
  complained_at timestamptz,
  opened_at     timestamptz,
  clicked_at    timestamptz,
  primary key (campaign_id, seq),
  check (state not in ('claimed', 'sent') or claim is not null),
  check (state <> 'claimed' or claimed_until is not null)
) with (fillfactor = 60);

create unique index recipient_address on fanmail.recipient (campaign_id, address);

-- When SES accepted the probes of which an event has arrived.
create table fanmail.probe (
  campaign_id bigint not null,
  accepted_at timestamptz not null,
  primary key (campaign_id, accepted_at)
);

-- Where COPY puts the lines of a recipients.csv before they are numbered. Unlogged: an import that was interrupted
-- starts again from the file.
create unlogged table fanmail.recipient_import (
  campaign_id bigint not null,
  line        bigint not null,
  address     text not null,
  fields      jsonb not null
);

-- Addresses that are never mailed, whatever the campaign.
create table fanmail.suppression (
  address    text primary key,
  reason     text not null,
  created_at timestamptz not null default now()
);

-- The rate: one row hands out the time slots of the SES account to all senders of all campaigns ('account'), and one
-- for each campaign that is slower than the account ('campaign/<id>').
create table fanmail.pace (
  key     text primary key,
  -- Recipients per second: what is allowed, and what is handed out, which is less after SES has throttled.
  allowed double precision not null check (allowed > 0),
  rate    double precision not null check (rate > 0 and rate <= allowed),
  next_at timestamptz not null default 'epoch'
);

-- Only the owner of a table may analyse it; the functions connect with a role that owns nothing.
create function fanmail.analyze_recipient() returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
  analyze fanmail.recipient;
end $$;
