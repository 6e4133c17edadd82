package doctor

import (
	"fmt"
	"net/mail"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"golang.org/x/net/publicsuffix"

	"fanmail/shared/recipients"
)

// sender is the address that messages come from.
type sender struct {
	address, domain string
	// organisation is the domain that somebody registered: that of news.shop.example.co.uk is example.co.uk.
	organisation string
}

// names are the identities that may stand for the sender, the most particular first: the address, its domain, and
// those above.
func (s sender) names() []string {
	names := []string{s.address}
	for domain := s.domain; ; {
		names = append(names, domain)
		_, above, ok := strings.Cut(domain, ".")
		if domain == s.organisation || !ok {
			return names
		}
		domain = above
	}
}

// identity is an identity that SES has.
type identity struct {
	name string
	*sesv2.GetEmailIdentityOutput
}

func (i identity) isDomain() bool { return !strings.Contains(i.name, "@") }

// record is a record of DNS.
type record struct{ name, kind, value string }

func (r record) String() string { return fmt.Sprintf("add to DNS: %s %s %s", r.name, r.kind, r.value) }

func lines(records []record) (all []string) {
	for _, r := range records {
		all = append(all, r.String())
	}
	return all
}

// bringYourOwn is the origin of a key that its owner keeps: SES knows no value for its record.
const bringYourOwn = types.DkimSigningAttributesOriginExternal

// dkimRecords are the records by which mail servers find the keys of an identity.
func (i identity) dkimRecords() (records []record) {
	if i.DkimAttributes == nil || !i.isDomain() {
		return nil
	}
	zone := aws.ToString(i.DkimAttributes.SigningHostedZone)
	if zone == "" {
		zone = "dkim.amazonses.com"
	}
	for _, token := range i.DkimAttributes.Tokens {
		r := record{token + "._domainkey." + i.name, "CNAME", token + "." + zone}
		if i.DkimAttributes.SigningAttributesOrigin == bringYourOwn {
			r.kind, r.value = "TXT", `"p=YOUR-PUBLIC-KEY"`
		}
		records = append(records, r)
	}
	return records
}

const createIdentity = "aws sesv2 create-email-identity --email-identity "

// judgeIdentity judges the identities that SES has for a sender.
func judgeIdentity(s sender, found []identity) Verdict {
	for _, i := range found {
		if i.VerifiedForSendingStatus {
			return passed("%s is verified, for %s", i.name, s.address)
		}
	}
	if len(found) == 0 {
		return failed("SES has no identity for "+s.address, createIdentity+s.domain,
			"then fanmail doctor shows the DNS records that it needs")
	}
	i := found[0]
	if !i.isDomain() {
		return failed("the address "+i.name+" is not verified", "click the link in the mail that Amazon has sent there",
			"or verify its domain: "+createIdentity+s.domain)
	}
	return failed(fmt.Sprintf("the domain %s is not verified: %s", i.name, i.VerificationStatus),
		append(lines(i.dkimRecords()), "SES looks for them for 72 hours; then make the identity again")...)
}

// signer is the identity whose key SES signs with: the first one that signs, else the first domain. ok is false when
// there is none.
func signer(found []identity) (best identity, ok bool) {
	for _, i := range found {
		d := i.DkimAttributes
		switch {
		case !i.VerifiedForSendingStatus || d == nil:
		case d.SigningEnabled && d.Status == types.DkimStatusSuccess:
			return i, true
		case !ok && i.isDomain():
			best, ok = i, true
		}
	}
	return best, ok
}

// judgeDKIM judges the signature of messages. absent are the records of the signer that DNS lacks; err says that DNS
// did not answer.
func judgeDKIM(s sender, found []identity, absent []record, err error) Verdict {
	i, ok := signer(found)
	switch {
	case !ok:
		return failed("no domain of "+s.address+" is verified, so SES signs nothing in its name",
			createIdentity+s.domain, "then fanmail doctor shows the DNS records that it needs")
	case !i.DkimAttributes.SigningEnabled:
		return failed("SES does not sign messages of "+i.name,
			"aws sesv2 put-email-identity-dkim-attributes --signing-enabled --email-identity "+i.name)
	case i.DkimAttributes.Status != types.DkimStatusSuccess:
		return failed(fmt.Sprintf("SES has not found the DKIM records of %s: %s",
			i.name, i.DkimAttributes.Status), lines(i.dkimRecords())...)
	case err != nil:
		return unanswered(err)
	case len(absent) > 0:
		return failed(fmt.Sprintf("DNS lacks %d of the %d DKIM records of %s",
			len(absent), len(i.dkimRecords()), i.name), lines(absent)...)
	}
	return passed("SES signs as %s, and DNS has the keys", i.name)
}

// CheckSender tells what is wrong with a sender's address.
func CheckSender(from string) error {
	_, err := parseSender(from)
	return err
}

// parseSender reads an address with or without a name.
func parseSender(from string) (sender, error) {
	box, err := mail.ParseAddress(from)
	if err != nil {
		return sender{}, fmt.Errorf("%q is no address", from)
	}
	local, domain, err := recipients.Split(box.Address)
	if err != nil {
		return sender{}, fmt.Errorf("%q is no address: %w", from, err)
	}
	organisation, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		organisation = domain // it is a public suffix itself
	}
	return sender{local + "@" + domain, domain, organisation}, nil
}
