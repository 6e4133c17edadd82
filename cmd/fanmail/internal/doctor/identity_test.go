package doctor

import (
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
)

// of is an identity in order, with changes.
func of(name string, changes ...func(*sesv2.GetEmailIdentityOutput)) identity {
	out := &sesv2.GetEmailIdentityOutput{
		VerifiedForSendingStatus: true, VerificationStatus: types.VerificationStatusSuccess,
		DkimAttributes: &types.DkimAttributes{
			SigningEnabled: true, Status: types.DkimStatusSuccess, Tokens: []string{"t1", "t2", "t3"}, SigningAttributesOrigin: types.DkimSigningAttributesOriginAwsSes,
		},
		MailFromAttributes: &types.MailFromAttributes{},
	}
	for _, change := range changes {
		change(out)
	}
	return identity{name, out}
}

func pending(i *sesv2.GetEmailIdentityOutput) {
	i.VerifiedForSendingStatus, i.VerificationStatus = false, types.VerificationStatusPending
	i.DkimAttributes.Status = types.DkimStatusPending
}

// mailbox makes it the identity of an address, which signs nothing.
func mailbox(i *sesv2.GetEmailIdentityOutput) {
	i.DkimAttributes = &types.DkimAttributes{Status: types.DkimStatusNotStarted}
}

func bounces(domain string, status types.MailFromDomainStatus) func(*sesv2.GetEmailIdentityOutput) {
	return func(i *sesv2.GetEmailIdentityOutput) {
		i.MailFromAttributes = &types.MailFromAttributes{MailFromDomain: &domain, MailFromDomainStatus: status}
	}
}

var news = sender{"news@shop.example.com", "shop.example.com", "example.com"}

func TestTheIdentitiesOfASender(t *testing.T) {
	for from, want := range map[string][]string{
		"Spring Shop <news@Shop.Example.com>": {"news@shop.example.com", "shop.example.com", "example.com"},
		"news@example.com":                    {"news@example.com", "example.com"},
		"a@b.news.example.co.uk":              {"a@b.news.example.co.uk", "b.news.example.co.uk", "news.example.co.uk", "example.co.uk"},
		"a@bücher.example":                    {"a@xn--bcher-kva.example", "xn--bcher-kva.example"},
	} {
		s, err := parseSender(from)
		if err != nil || !slices.Equal(s.names(), want) {
			t.Errorf("%s: %v %v, want %v", from, s.names(), err, want)
		}
	}
	for _, from := range []string{"nobody", "@example.com", "a b@example.com", ""} {
		if err := CheckSender(from); err == nil {
			t.Errorf("%q is taken for an address", from)
		}
	}
}

func TestTheIdentityIsJudged(t *testing.T) {
	judge := func(found ...identity) Verdict { return judgeIdentity(news, found) }
	verdicts(t, []judged{
		{"its domain", judge(of("shop.example.com")), Passed, "shop.example.com is verified, for news@shop.example.com", ""},
		{"a domain above", judge(of("example.com")), Passed, "example.com is verified", ""},
		{"the address", judge(of("news@shop.example.com", mailbox)), Passed, "news@shop.example.com is verified", ""},
		{"the address waits, the domain is there", judge(of("news@shop.example.com", mailbox, pending), of("example.com")), Passed, "example.com is verified", ""},
		{"none", judge(), Failed, "no identity for news@shop.example.com", "create-email-identity --email-identity shop.example.com"},
		{"the domain waits", judge(of("shop.example.com", pending)), Failed, "shop.example.com is not verified: PENDING",
			"add to DNS: t2._domainkey.shop.example.com CNAME t2.dkim.amazonses.com"},
		{"the address waits", judge(of("news@shop.example.com", mailbox, pending)), Failed, "the address", "click the link"},
		{"in a zone of its Region", judge(of("example.com", pending, func(i *sesv2.GetEmailIdentityOutput) {
			i.DkimAttributes.SigningHostedZone = aws.String("dkim.eu-central-2.amazonses.com")
		})), Failed, "", "CNAME t1.dkim.eu-central-2.amazonses.com"},
	})
}

func TestTheSignatureIsJudged(t *testing.T) {
	judge := func(absent []record, err error, found ...identity) Verdict {
		return judgeDKIM(news, found, absent, err)
	}
	unsigned := func(i *sesv2.GetEmailIdentityOutput) { i.DkimAttributes.SigningEnabled = false }
	waiting := func(i *sesv2.GetEmailIdentityOutput) { i.DkimAttributes.Status = types.DkimStatusTemporaryFailure }
	own := func(i *sesv2.GetEmailIdentityOutput) {
		i.DkimAttributes.SigningAttributesOrigin, i.DkimAttributes.Tokens = types.DkimSigningAttributesOriginExternal, []string{"key1"}
	}
	timeout := &net.DNSError{Err: "i/o timeout", Name: "t1._domainkey.example.com.", IsTimeout: true}
	verdicts(t, []judged{
		{"signed", judge(nil, nil, of("example.com")), Passed, "SES signs as example.com", ""},
		{"the nearest that signs", judge(nil, nil, of("shop.example.com", unsigned), of("example.com")), Passed, "SES signs as example.com", ""},
		{"only the address", judge(nil, nil, of("news@shop.example.com", mailbox)), Failed, "signs nothing", "--email-identity shop.example.com"},
		{"signing is off", judge(nil, nil, of("example.com", unsigned)), Failed, "does not sign", "--signing-enabled --email-identity example.com"},
		{"not found by SES", judge(nil, nil, of("example.com", waiting)), Failed, "TEMPORARY_FAILURE", "t3._domainkey.example.com CNAME"},
		{"DNS lacks one", judge(of("example.com").dkimRecords()[:1], nil, of("example.com")), Failed, "lacks 1 of the 3", "t1._domainkey.example.com CNAME t1.dkim.amazonses.com"},
		{"a key of one's own", judge(of("example.com", own).dkimRecords(), nil, of("example.com", own)), Failed, "lacks 1 of the 1", "key1._domainkey.example.com TXT"},
		{"DNS is silent", judge(nil, timeout, of("example.com")), Failed, "t1._domainkey.example.com: i/o timeout", "--dns"},
		{"DNS fails", judge(nil, errors.New("no route"), of("example.com")), Failed, "no route", "--dns"},
	})
}

func TestTheMailFromDomainIsJudged(t *testing.T) {
	const ours = "v=spf1 include:amazonses.com ~all"
	success := of("example.com", bounces("bounce.example.com", types.MailFromDomainStatusSuccess))
	judge := func(txt ...string) Verdict {
		return judgeSPF(news, []identity{success}, "eu-west-1", txt, nil)
	}
	waiting := judgeSPF(news, []identity{of("example.com", bounces("bounce.example.com", types.MailFromDomainStatusPending))}, "eu-west-1", nil, nil)
	verdicts(t, []judged{
		{"in order", judge("other", ours), Passed, "bounce.example.com: " + ours, ""},
		{"in capitals, at the end", judge("V=SPF1 -all Include:AmazonSES.com"), Passed, "include:amazonses.com", ""},
		{"none is set", judgeSPF(news, []identity{of("example.com")}, "eu-west-1", nil, nil), Warned, "DMARC rests on DKIM alone",
			"--email-identity example.com --mail-from-domain bounce.example.com"},
		{"none is set, only the address is verified", judgeSPF(news, []identity{of("news@shop.example.com", mailbox)}, "eu-west-1", nil, nil), Warned, "", "bounce.shop.example.com"},
		{"SES waits for it", waiting, Failed, "PENDING", "add to DNS: bounce.example.com MX 10 feedback-smtp.eu-west-1.amazonses.com"},
		{"no record", judge("something else"), Failed, "has no SPF record", `add to DNS: bounce.example.com TXT "v=spf1 include:amazonses.com ~all"`},
		{"a record that only looks like one", judge("v=spf10 include:amazonses.com"), Failed, "has no SPF record", "add to DNS"},
		{"two records", judge(ours, "v=spf1 -all"), Failed, "2 SPF records", "leave one"},
		{"of somebody else", judge("v=spf1 ip4:192.0.2.1 -all"), Failed, "does not let Amazon send", "put include:amazonses.com"},
		{"a name that begins alike", judge("v=spf1 include:amazonses.com.example.net -all"), Warned, "does not name amazonses.com itself", "includes does"},
		{"by way of another", judge("v=spf1 redirect=_spf.example.com"), Warned, "does not name", "includes does"},
		{"DNS fails", judgeSPF(news, []identity{success}, "eu-west-1", nil, errors.New("no route")), Failed, "no route", "--dns"},
	})
}

func TestThePolicyIsJudged(t *testing.T) {
	judge := func(name string, texts ...string) Verdict {
		return judgeDMARC(news, []identity{of(name)}, policy{"_dmarc.example.com", texts}, nil)
	}
	verdicts(t, []judged{
		{"in order", judge("example.com", "v=DMARC1; p=reject"), Passed, "_dmarc.example.com: p=reject", ""},
		{"another one for subdomains", judge("example.com", "v=DMARC1; p=reject; sp=none"), Passed, "sp=none", ""},
		{"none", judge("example.com"), Failed, "example.com has no DMARC policy", `add to DNS: _dmarc.example.com TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.com"`},
		{"two", judge("example.com", "v=DMARC1; p=none", "v=DMARC1; p=reject"), Failed, "2 DMARC policies", "leave one"},
		{"without p", judge("example.com", "v=DMARC1; rua=mailto:a@example.com"), Failed, "can't be read", "correct it in DNS"},
		{"strict, signed above", judge("example.com", "v=DMARC1; p=none; adkim=s"), Failed, "adkim=s", "--email-identity shop.example.com"},
		{"strict, signed by its own domain", judge("shop.example.com", "v=DMARC1; p=none; adkim=s"), Passed, "p=none", ""},
		{"DNS fails", judgeDMARC(news, nil, policy{}, errors.New("no route")), Failed, "no route", "--dns"},
	})
}
