// Command accident repeats, on one machine, the accident that Fanmail was made against, and then mails the same list with
// Fanmail: once with naive senders (no cap on concurrency, a new database handle in every invocation, left open when it
// returns), once as Fanmail is. Both halves have a private PostgreSQL with few connections, the same local Step Functions,
// Lambda, S3 and SES, and the same list imported by the same Prepare. Ten times a second it looks at pg_stat_activity.
//
// It prints a table, writes result.json, from which the program in chart/ draws the picture, and fails if Fanmail went beyond
// its bound or if the naive half did not come to grief. docs/accident.md tells the story.
package main
