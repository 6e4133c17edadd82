package database

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"fanmail/shared/workflow"
)

// SQLSTATE codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	tooManyConnections = "53300"
	diskFull           = "53100"
	undefinedTable     = "42P01"
	invalidSchema      = "3F000"
	invalidPassword    = "28P01"
	invalidAuth        = "28000"
	noSuchDatabase     = "3D000"
	noPrivilege        = "42501"
)

// passing are the SQLSTATEs of failures that pass by themselves, such as a failover: a session that was ended, a server
// that starts or stops, a deadlock. Class 08 is the same.
var passing = []string{"25P03", "57P01", "57P02", "57P03", "57P05", "40001", "40P01", "55P03"}

// Explain turns an error of PostgreSQL, or of the way to it, into the named error that the state machine knows: one line
// that says what was being done (the text of err), what is wrong, and how to mend it. Any other error comes back as it is.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	if workflow.Named(err) != nil {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		if pg.Code == tooManyConnections {
			return &workflow.DatabaseBusy{Message: busy(pg)}
		}
		message := fmt.Sprintf("%s: %s", doing(err, pg), mend(pg))
		if slices.Contains(passing, pg.Code) || strings.HasPrefix(pg.Code, "08") {
			return &workflow.Interrupted{Message: message}
		}
		return &workflow.DatabaseFailed{Message: message}
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		where := net.JoinHostPort(connect.Config.Host, fmt.Sprint(connect.Config.Port))
		if message := untrusted(where, connect); message != "" {
			return &workflow.DatabaseFailed{Message: message}
		}
		message := fmt.Sprintf("PostgreSQL can't be reached at %s: %s; check the host, the port and the network path in DATABASE_URL", where, oneLine(rootCause(connect)))
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			return &workflow.DatabaseFailed{Message: message}
		}
		// A server that fails over refuses connections for a while.
		return &workflow.Interrupted{Message: message}
	}
	if broken(err) {
		return &workflow.Interrupted{Message: "the connection to PostgreSQL broke: " + oneLine(err)}
	}
	return err
}

// busy says which of the server's limits is reached: that of the role, of the database, or of the server as a whole.
func busy(pg *pgconn.PgError) string {
	message := "PostgreSQL has no connection slot free: " + pg.Message
	if strings.Contains(pg.Message, "for role") {
		message += " (sessions of environments that are gone end by themselves; if the bound was raised, run migrate)"
	}
	return message
}

// untrusted says what to do about a TLS handshake that failed for good; "" when TLS is not the matter.
func untrusted(where string, err error) string {
	var host x509.HostnameError
	if errors.As(err, &host) {
		return fmt.Sprintf("the TLS certificate of PostgreSQL at %s is not trusted: %s; write a host name of the certificate in DATABASE_URL", where, oneLine(host))
	}
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid):
		return fmt.Sprintf("the TLS certificate of PostgreSQL at %s is not trusted: %s; renew it, or set DATABASE_CA to a PEM file of the authority that signed it", where, oneLine(invalid))
	case errors.As(err, &authority):
		return fmt.Sprintf("the TLS certificate of PostgreSQL at %s is not trusted: %s; set DATABASE_CA to a PEM file of the authority that signed it", where, oneLine(authority))
	case errors.As(err, &verification):
		return fmt.Sprintf("the TLS certificate of PostgreSQL at %s is not trusted: %s; set DATABASE_CA to a PEM file of the authority that signed it", where, oneLine(verification))
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return fmt.Sprintf("PostgreSQL at %s does not speak TLS: turn ssl on there, or write sslmode=disable in DATABASE_URL if the network is trusted", where)
	}
	return ""
}

// broken tells whether err is pgx's about a connection that ended or went silent in the middle of a statement.
func broken(err error) bool {
	var op *net.OpError
	return errors.Is(err, driver.ErrBadConn) || pgconn.Timeout(err) || strings.HasSuffix(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "failed to receive message") || strings.Contains(err.Error(), "failed to write") ||
		errors.As(err, &op)
}

func mend(pg *pgconn.PgError) string {
	text := pg.Message
	if pg.Detail != "" {
		text += " (" + pg.Detail + ")"
	}
	switch pg.Code {
	case invalidPassword, invalidAuth:
		return text + "; check the user and the password in DATABASE_URL"
	case noSuchDatabase:
		return text + "; create it, or mend the name in DATABASE_URL"
	case undefinedTable, invalidSchema:
		return text + "; run the migrate function first"
	case noPrivilege:
		return text + "; the role of DATABASE_URL lacks rights: run the migrate function with DATABASE_ADMIN_URL, or the statements that it lists"
	case diskFull:
		return text + "; free or add disk space on the database server, then start the campaign again"
	}
	return fmt.Sprintf("%s (SQLSTATE %s)", text, pg.Code)
}

// doing is the part of err's text that stands before PostgreSQL's own words: what the program was doing.
func doing(err error, pg *pgconn.PgError) string {
	before, _, found := strings.Cut(err.Error(), pg.Error())
	before = strings.TrimSuffix(strings.TrimSpace(before), ":")
	var connect *pgconn.ConnectError
	if !found || before == "" || errors.As(err, &connect) {
		return "PostgreSQL refused"
	}
	return before
}

var quoted = regexp.MustCompile("\"[^\"]*\"|`[^`]*`")

// malformed drops the connection string, which may hold a password, from pgx's parse error.
func malformed(err error) string {
	if errors.Is(err, errAmbiguous) {
		return err.Error()
	}
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) && parse.Unwrap() != nil {
		// What it quotes may be a part of the password.
		return quoted.ReplaceAllString(oneLine(parse.Unwrap()), "...") + "; write postgres://user:password@host:5432/database"
	}
	return "write postgres://user:password@host:5432/database"
}

func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		var op *net.OpError
		var dns *net.DNSError
		if errors.As(err, &dns) {
			return dns
		}
		if errors.As(err, &op) {
			return op
		}
		err = next
	}
}

func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
