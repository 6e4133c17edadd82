// Command chaos mails a campaign while everything dies that can: senders are killed several times a second, SES throttles,
// fails and loses its answers, database sessions are ended, SES events come twice and out of order, and if asked for, the whole
// local runtime is killed, PostgreSQL and Step Functions with it, and started again. What stops the campaign is answered as a
// user would: it is started again.
//
// Then it compares from the outside: who is in the list that it wrote, who is in SES's mailbox, what the ledger says of each,
// and whether every change of a recipient's state is an arrow of the diagram in docs/guarantees.md.
//
// It prints a table, writes result.json, and fails if anybody was lost or mailed twice, if anything disagrees, if the faults
// did not happen as they were asked for, or if nobody was in doubt.
package main
