package database

import (
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"fanmail/shared/workflow"
)

// rdsAuthorities says itself where it is from and how to renew it.
//
//go:embed rds-ca.pem
var rdsAuthorities []byte

// parse reads a connection string. Where neither it nor PGSSLMODE says an sslmode, the server's certificate is verified
// in full, unless the server is on this machine. An sslmode that is said is kept: mind that require encrypts without
// verifying who is there, unless there is a file of authorities, as libpq has it.
//
// ca is a PEM file of authorities; without one, and without an sslrootcert, those of the system and of Amazon RDS count.
func parse(dsn, ca string) (*pgx.ConnConfig, error) {
	if !unambiguous(dsn) {
		return nil, errAmbiguous
	}
	authorities := says(dsn, "sslrootcert") || os.Getenv("PGSSLROOTCERT") != ""
	if ca != "" && !authorities {
		dsn = with(dsn, "sslrootcert", ca)
		authorities = true
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	if !says(dsn, "sslmode") && os.Getenv("PGSSLMODE") == "" && !onThisMachine(config) {
		if config, err = pgx.ParseConfig(with(dsn, "sslmode", "verify-full")); err != nil {
			return nil, err
		}
	}
	if !authorities {
		trustDefaults(config)
	}
	return config, nil
}

// errAmbiguous must not quote the string: what is wrong with it may be its password.
var errAmbiguous = errors.New("write postgres://user:password@host:5432/database, and percent-encode the special characters of the user and the password: # is %23, ? is %3F, / is %2F, @ is %40")

// unambiguous tells whether a URL reads the same for pgx, which has a lenient parser of its own, and for net/url, by which
// an sslmode is looked for and added here. A string that reads differently could switch verification off unnoticed.
func unambiguous(dsn string) bool {
	if !isURL(dsn) {
		return true
	}
	u, err := url.Parse(dsn)
	return err == nil && u.Fragment == "" && !strings.Contains(u.RawQuery, "@") && !strings.Contains(u.Host, "@")
}

// trustDefaults gives the authorities to each TLS configuration that verifies. pgx verifies without the host name through a
// callback, which reads RootCAs of this very configuration.
func trustDefaults(config *pgx.ConnConfig) {
	var pool *x509.CertPool
	trust := func(roots **x509.CertPool) {
		if pool == nil {
			var err error
			if pool, err = x509.SystemCertPool(); err != nil {
				pool = x509.NewCertPool()
			}
			pool.AppendCertsFromPEM(rdsAuthorities)
		}
		*roots = pool
	}
	if t := config.TLSConfig; t != nil && (!t.InsecureSkipVerify || t.VerifyPeerCertificate != nil) {
		trust(&t.RootCAs)
	}
	for _, fallback := range config.Fallbacks {
		if t := fallback.TLSConfig; t != nil && (!t.InsecureSkipVerify || t.VerifyPeerCertificate != nil) {
			trust(&t.RootCAs)
		}
	}
}

// checkCA reads the file for the sake of its error: pgx's would blame the connection string.
func checkCA(path string) error {
	if path == "" {
		return nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return &workflow.DatabaseFailed{Message: fmt.Sprintf("DATABASE_CA can't be read: %s; name a PEM file that is in the function's package", oneLine(err))}
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return &workflow.DatabaseFailed{Message: fmt.Sprintf("DATABASE_CA: %s has no certificate in it; name a PEM file of certificate authorities", path)}
	}
	return nil
}

// onThisMachine tells whether every server of the configuration is reached by loopback or a Unix socket.
func onThisMachine(config *pgx.ConnConfig) bool {
	hosts := []string{config.Host}
	for _, fallback := range config.Fallbacks {
		hosts = append(hosts, fallback.Host)
	}
	for _, host := range hosts {
		ip := net.ParseIP(host)
		if host != "localhost" && !strings.HasPrefix(host, "/") && !strings.HasPrefix(host, "@") && (ip == nil || !ip.IsLoopback()) {
			return false
		}
	}
	return true
}

func isURL(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// says tells whether a connection string has the setting.
func says(dsn, setting string) bool {
	if isURL(dsn) {
		u, err := url.Parse(dsn)
		return err == nil && u.Query().Has(setting)
	}
	unquoted := regexp.MustCompile(`'(?:[^'\\]|\\.)*'`).ReplaceAllString(dsn, "''")
	return regexp.MustCompile(`(^|\s)` + setting + `\s*=`).MatchString(unquoted)
}

// with adds a setting to a connection string.
func with(dsn, setting, value string) string {
	if isURL(dsn) {
		u, err := url.Parse(dsn)
		if err != nil {
			return dsn // pgx says what is wrong with it
		}
		query := u.Query()
		query.Set(setting, value)
		u.RawQuery = query.Encode()
		return u.String()
	}
	return fmt.Sprintf("%s %s='%s'", dsn, setting, strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value))
}
