// Command rate shows that the account's rate is kept exactly: two campaigns are started at the same moment, 20 senders mail them
// at SES's limit of 200 recipients per second, and then SES's own log is counted in every window of one second.
//
// Plan starts no more senders than the rate needs, which is 4 per campaign; the others are invoked beside the state machine, over
// the whole list. A small campaign before them starts their processes. Then a third campaign is mailed while SES's limit is halved and
// raised again, to see how senders follow.
//
// It prints a table, writes result.json, and fails if SES counted more than its limit in any window of one second, if it throttled
// a message, if the rate while both campaigns were sending is more than 3 % off the limit or that was too short, if fewer senders
// mailed them than should, or if anybody was not mailed once.
package main
