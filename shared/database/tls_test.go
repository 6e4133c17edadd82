package database_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanmail/local/postgres"
	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/database"
	"fanmail/shared/workflow"
)

// authority signs certificates for tests.
type authority struct {
	t           *testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string
}

func newAuthority(t *testing.T, directory, name string) *authority {
	t.Helper()
	a := &authority{t: t, file: filepath.Join(directory, name+".pem")}
	a.key = newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	write(t, a.file, "CERTIFICATE", der)
	return a
}

// sign writes a certificate and its key for PostgreSQL.
func (a *authority) sign(certificateFile, keyFile string, names []string, addresses []net.IP, until time.Time) {
	a.t.Helper()
	key := newKey(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		DNSNames: names, IPAddresses: addresses, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	write(a.t, certificateFile, "CERTIFICATE", der)
	if der, err = x509.MarshalECPrivateKey(key); err != nil {
		a.t.Fatal(err)
	}
	write(a.t, keyFile, "EC PRIVATE KEY", der)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func write(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	// The file may be there already, and belong to the user that runs the server.
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// secureServer speaks TLS with a certificate of the authority. Each certify replaces the certificate.
func secureServer(t *testing.T, a *authority) (server *postgres.Server, certify func(names []string, addresses []net.IP, until time.Time)) {
	t.Helper()
	// A directory of package testing is closed to the user that runs PostgreSQL when we are root.
	base, err := os.MkdirTemp("", "fanmail-tls-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(base); err != nil {
			t.Error(err)
		}
	})
	server = postgrestest.Server(t, postgres.Config{Directory: base})
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	certificate, key := filepath.Join(base, "data", "server.crt"), filepath.Join(base, "data", "server.key")
	certify = func(names []string, addresses []net.IP, until time.Time) {
		a.sign(certificate, key, names, addresses, until)
		info, err := os.Stat(filepath.Join(base, "data"))
		if err != nil {
			t.Fatal(err)
		}
		own(t, info, certificate, key)
	}
	certify(nil, []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now().Add(time.Hour))
	return postgrestest.Server(t, postgres.Config{Directory: base, Settings: map[string]string{"ssl": "on"}}), certify
}

func change(t *testing.T, dsn string, f func(*url.URL, url.Values)) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	f(u, query)
	u.RawQuery = query.Encode()
	return u.String()
}

func sslmode(t *testing.T, dsn, mode string) string {
	return change(t, dsn, func(_ *url.URL, q url.Values) {
		q.Del("sslmode")
		if mode != "" {
			q.Set("sslmode", mode)
		}
	})
}

// encrypted connects, and tells whether the session is encrypted.
func encrypted(handle *database.Handle) (ssl bool, err error) {
	defer func() { _ = handle.Close() }()
	db, err := handle.DB()
	if err != nil {
		return false, err
	}
	err = db.NewRaw("select ssl from pg_stat_ssl where pid = pg_backend_pid()").Scan(context.Background(), &ssl)
	return ssl, database.Explain(err)
}

func TestTheServersCertificateIsVerified(t *testing.T) {
	directory := t.TempDir()
	ours, theirs := newAuthority(t, directory, "ours"), newAuthority(t, directory, "theirs")
	server, certify := secureServer(t, ours)
	plain := postgrestest.New(t)
	notPEM := filepath.Join(directory, "text.pem")
	if err := os.WriteFile(notPEM, []byte("certificates\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, url, mode, ca, want string }{
		{"verified", server.URL(), "verify-full", ours.file, ""},
		{"verified without the name", server.URL(), "verify-ca", ours.file, ""},
		{"with a file, require verifies as in libpq", server.URL(), "require", theirs.file, "set DATABASE_CA"},
		{"require encrypts only", server.URL(), "require", "", ""},
		{"on this machine nothing is asked for", server.URL(), "", "", ""},
		{"the default authorities did not sign it", server.URL(), "verify-full", "", "set DATABASE_CA to a PEM file of the authority that signed it"},
		{"and not without the name", server.URL(), "verify-ca", "", "set DATABASE_CA to a PEM file of the authority that signed it"},
		{"another authority", server.URL(), "verify-full", theirs.file, "is not trusted"},
		{"no TLS at all", plain, "verify-full", ours.file, "does not speak TLS"},
		{"no file", server.URL(), "verify-full", filepath.Join(directory, "none.pem"), "DATABASE_CA can't be read"},
		{"a file of something else", server.URL(), "verify-full", notPEM, "has no certificate in it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ssl, err := encrypted(database.New(sslmode(t, test.url, test.mode), "fanmail-test", database.WithCA(test.ca)))
			if test.want == "" {
				if err != nil || !ssl {
					t.Errorf("encrypted: %v, %v", ssl, err)
				}
				return
			}
			wantFailed(t, err, test.want)
		})
	}
	if ssl, err := encrypted(database.New(sslmode(t, server.URL(), "disable"), "fanmail-test")); err != nil || ssl {
		t.Errorf("sslmode=disable: encrypted %v, %v", ssl, err)
	}
	for _, test := range []struct {
		name      string
		addresses []net.IP
		until     time.Time
		want      string
	}{
		{"for another host", nil, time.Now().Add(time.Hour), "write a host name of the certificate in DATABASE_URL"},
		{"expired", []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now().Add(-time.Hour), "renew it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			certify([]string{"db.example.com"}, test.addresses, test.until)
			if err := server.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err := encrypted(database.New(sslmode(t, server.URL(), "verify-full"), "fanmail-test", database.WithCA(ours.file)))
			wantFailed(t, err, test.want)
		})
	}
}

func wantFailed(t *testing.T, err error, want string) {
	t.Helper()
	var failed *workflow.DatabaseFailed
	if !errors.As(err, &failed) || !strings.Contains(failed.Message, want) || strings.ContainsAny(failed.Message, "\r\n\t") {
		t.Errorf("got %T %v, want DatabaseFailed with %q", err, err, want)
	}
}
