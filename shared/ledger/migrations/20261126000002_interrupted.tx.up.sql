-- Whoever wants the table waits behind this. An import under way holds it for minutes: then give up, to be run again.
set local lock_timeout = '5s';

alter table fanmail.campaign
  drop constraint campaign_state_check,
  add constraint campaign_state_check check (state in
    ('importing', 'running', 'paused', 'halted', 'cancelled', 'failed', 'interrupted', 'finished'));
