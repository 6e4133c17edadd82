package ses

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net/http"
	"strings"
)

// Identity is an address or a domain that the account sends from.
type Identity struct {
	Name string `json:"name"`
	// Verified is false while SES waits for the domain's DNS records, or for a click on the link in its mail.
	Verified bool `json:"verified"`
	// DKIM is its status, such as PENDING; "" is SUCCESS for a domain that is verified, and NOT_STARTED for an
	// address.
	DKIM string `json:"dkim"`
	// MailFrom is the custom MAIL FROM domain, "" is none; MailFromStatus its status, "" is SUCCESS.
	MailFrom       string `json:"mailFrom"`
	MailFromStatus string `json:"mailFromStatus"`
}

func (i Identity) domain() bool { return !strings.Contains(i.Name, "@") }

// covers tells whether a message from the address, in lower case, may be sent because of the identity: a domain covers
// its subdomains.
func (i Identity) covers(address string) bool {
	name := strings.ToLower(i.Name)
	domain := address[strings.LastIndexByte(address, '@')+1:]
	return i.Verified && (name == address || name == domain || i.domain() && strings.HasSuffix(domain, "."+name))
}

// identity finds an identity by its name. While the settings list none, every domain is one, and verified.
func (s Settings) identity(name string) (Identity, bool) {
	for _, i := range s.Identities {
		if strings.EqualFold(i.Name, name) {
			return i, true
		}
	}
	every := Identity{Name: name, Verified: true}
	return every, len(s.Identities) == 0 && every.domain()
}

// checkIdentity holds addresses against the identities.
func (s *Service) checkIdentity(settings Settings, addresses ...string) *Error {
	if len(settings.Identities) == 0 {
		return nil
	}
	var failed []string
	for _, address := range addresses {
		bare, _ := bareAddress(address)
		bare = strings.ToLower(bare)
		covered := false
		for _, i := range settings.Identities {
			covered = covered || i.covers(bare)
		}
		if !covered {
			failed = append(failed, bare)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return rejected("Email address is not verified. The following identities failed the check in region %s: %s",
		strings.ToUpper(s.config.Region), strings.Join(failed, ", "))
}

// getIdentity is GetEmailIdentity. https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetEmailIdentity.html
func (s *Service) getIdentity(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("identity")
	i, ok := s.Settings().identity(name)
	if !ok {
		s.answerError(w, notFound("Email identity %s does not exist.", name))
		return
	}
	kind, verification, dkim, tokens := "DOMAIN", "SUCCESS", cmp.Or(i.DKIM, "SUCCESS"), Tokens(i.Name)
	if !i.Verified {
		verification, dkim = "PENDING", cmp.Or(i.DKIM, "PENDING")
	}
	if !i.domain() {
		kind, dkim, tokens = "EMAIL_ADDRESS", cmp.Or(i.DKIM, "NOT_STARTED"), nil
	}
	mailFrom := map[string]any{"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"}
	if i.MailFrom != "" {
		mailFrom["MailFromDomain"], mailFrom["MailFromDomainStatus"] = i.MailFrom, cmp.Or(i.MailFromStatus, "SUCCESS")
	}
	s.answer(w, http.StatusOK, map[string]any{
		"IdentityType":             kind,
		"VerificationStatus":       verification,
		"VerifiedForSendingStatus": i.Verified,
		"FeedbackForwardingStatus": true,
		"DkimAttributes": map[string]any{
			"SigningEnabled": i.domain(), "SigningAttributesOrigin": "AWS_SES", "SigningHostedZone": "dkim.amazonses.com",
			"Status": dkim, "Tokens": tokens,
		},
		"MailFromAttributes": mailFrom,
	})
}

// Tokens are the three DKIM tokens of a domain, always the same ones. Its DNS must have the records
// <token>._domainkey.<domain>.
func Tokens(domain string) []string {
	tokens := make([]string, 3)
	for i := range tokens {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", strings.ToLower(domain), i))
		tokens[i] = strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20]))
	}
	return tokens
}
