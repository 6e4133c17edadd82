// Package recipients reads recipients.csv: a header row with a column "email" and any other columns, which are the fields
// of the templates. It reads UTF-8, with or without a byte order mark, and CP949 (what Excel in Korea writes); columns
// separated by comma, semicolon or tab; quoted fields as in RFC 4180. Memory stays constant whatever the size of the file.
//
// A bad line is a Reject and reading goes on; only a file that can't be read further is an error.
package recipients
