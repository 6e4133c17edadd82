package ledger

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// scramIterations is PostgreSQL's own number.
const scramIterations = 4096

// passwordLiteral is a password as an SQL literal for CREATE ROLE: as the SCRAM verifier that PostgreSQL would store, so that the
// password itself does not get into the server's log. PostgreSQL normalises letters beyond ASCII, so such a password is sent.
func passwordLiteral(password string) (string, error) {
	if strings.ContainsRune(password, 0) {
		return "", errors.New("the password of DATABASE_URL has a NUL byte")
	}
	if strings.IndexFunc(password, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		return "'" + strings.ReplaceAll(password, "'", "''") + "'", nil
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // it never fails
	verifier, err := scramVerifier(password, salt, scramIterations)
	return "'" + verifier + "'", err
}

// scramVerifier is SCRAM-SHA-256 as pg_authid stores it, https://www.postgresql.org/docs/current/catalog-pg-authid.html, RFC 5803.
func scramVerifier(password string, salt []byte, iterations int) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", err
	}
	mac := func(text string) []byte {
		h := hmac.New(sha256.New, salted)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	stored := sha256.Sum256(mac("Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt), encode(stored[:]), encode(mac("Server Key"))), nil
}
