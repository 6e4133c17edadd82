package database

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"
)

func TestTheEmbeddedAuthoritiesAreGood(t *testing.T) {
	var first *x509.Certificate
	rest, n := rdsAuthorities, 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		n++
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatalf("certificate %d: %v", n, err)
		}
		if !certificate.IsCA {
			t.Errorf("%s is no authority", certificate.Subject.CommonName)
		}
		if first == nil || certificate.NotAfter.Before(first.NotAfter) {
			first = certificate
		}
	}
	if n < 50 {
		t.Fatalf("only %d certificates are in rds-ca.pem", n)
	}
	t.Logf("%d authorities, of which %s expires first: %s", n, first.Subject.CommonName, first.NotAfter.Format(time.DateOnly))
	if time.Now().After(first.NotAfter) {
		t.Errorf("%s has expired: renew rds-ca.pem as it says in its first lines", first.Subject.CommonName)
	}
}

func TestASSLModeThatIsNotSaidVerifiesInFull(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	t.Setenv("PGSSLROOTCERT", "")
	for _, test := range []struct {
		dsn string
		// verifies is the name that the certificate must have; "" means that anybody may be there.
		verifies string
		plain    bool
	}{
		{"postgres://u@db.example.com/x", "db.example.com", false},
		{"postgresql://u@db.example.com:6432/x?application_name=a", "db.example.com", false},
		{"host=db.example.com user=u", "db.example.com", false},
		{"host=10.0.0.7 user=u", "10.0.0.7", false},
		{"postgres://u@db.example.com/x?sslmode=verify-full", "db.example.com", false},
		{"postgres://u@db.example.com/x?sslmode=require", "", false},
		{"postgres://u@db.example.com/x?sslmode=prefer", "", false},
		{"host=db.example.com sslmode = disable", "", true},
		{"postgres://u@127.0.0.1,db.example.com/x", "127.0.0.1", false},
		{"postgres://u@localhost/x", "", false},
		{"postgres://u@[::1]/x", "", false},
		{"host=/run/postgresql", "", true},
	} {
		config, err := parse(test.dsn, "")
		if err != nil {
			t.Errorf("%s: %v", test.dsn, err)
			continue
		}
		if test.plain {
			if config.TLSConfig != nil {
				t.Errorf("%s: TLS", test.dsn)
			}
			continue
		}
		tls := config.TLSConfig
		if tls == nil {
			t.Errorf("%s: no TLS", test.dsn)
			continue
		}
		if verifies := !tls.InsecureSkipVerify; verifies != (test.verifies != "") || verifies && (tls.ServerName != test.verifies || tls.RootCAs == nil) {
			t.Errorf("%s: verifies %v, name %q, authorities %v", test.dsn, verifies, tls.ServerName, tls.RootCAs != nil)
		}
		for _, fallback := range config.Fallbacks {
			if test.verifies != "" && (fallback.TLSConfig == nil || fallback.TLSConfig.InsecureSkipVerify) {
				t.Errorf("%s: falls back to %s without verifying", test.dsn, fallback.Host)
			}
		}
	}
}

func TestAStringThatParsersReadDifferentlyIsRefusedWithoutItsPassword(t *testing.T) {
	for _, dsn := range []string{
		"postgres://user:SEC#RET@db.example.com:5432/db",
		"postgres://user:SEC?RET@db.example.com:5432/db",
		"postgres://user:SEC[RET@db.example.com:5432/db",
		"postgres://user:SEC^RET@db.example.com:5432/db",
		"postgres://user:12#RET@db.example.com:5432/db",
		"postgres://user:12?RET@db.example.com:5432/db",
	} {
		_, err := New(dsn, "test").DB()
		if err == nil {
			config, _ := parse(dsn, "")
			if config == nil || config.TLSConfig == nil || config.TLSConfig.InsecureSkipVerify || len(config.Fallbacks) > 0 {
				t.Errorf("%s is taken, and nothing is verified", dsn)
			}
			continue
		}
		if message := err.Error(); strings.Contains(message, "SEC") || strings.Contains(message, "RET") || !strings.Contains(message, "percent-encode") {
			t.Errorf("%s: %s", dsn, message)
		}
	}
	config, err := parse("host=db.example.com user=u password='x sslmode=disable'", "")
	if err != nil || config.TLSConfig == nil || config.TLSConfig.InsecureSkipVerify {
		t.Errorf("a password that mentions sslmode switches verification off: %v", err)
	}
}
