package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/emersion/go-msgauth/dmarc"
)

// Resolver looks up DNS.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// texts are the TXT records of a name; none is no error. The dot keeps a search list out.
func texts(ctx context.Context, dns Resolver, name string) ([]string, error) {
	found, err := dns.LookupTXT(ctx, strings.TrimSuffix(name, ".")+".")
	if none, ok := errors.AsType[*net.DNSError](err); ok && none.IsNotFound {
		return nil, nil
	}
	return found, err
}

// unanswered is the verdict when DNS did not answer.
func unanswered(err error) Verdict {
	text := err.Error()
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		text = fmt.Sprintf("%s: %s", strings.TrimSuffix(e.Name, "."), e.Err)
	}
	return failed("DNS does not answer: "+text, "run it again, or ask another server: fanmail doctor --dns 1.1.1.1")
}

// mailFrom is the custom MAIL FROM domain of the identity that is in charge of it.
func mailFrom(found []identity) (of identity, attributes types.MailFromAttributes) {
	for _, i := range found {
		if m := i.MailFromAttributes; m != nil && i.VerifiedForSendingStatus && aws.ToString(m.MailFromDomain) != "" {
			return i, *m
		}
	}
	return identity{}, types.MailFromAttributes{}
}

const spfRecord = `"v=spf1 include:amazonses.com ~all"`

// judgeSPF judges the custom MAIL FROM domain of a sender. txt are the TXT records of that domain.
func judgeSPF(s sender, found []identity, region string, txt []string, err error) Verdict {
	of, m := mailFrom(found)
	domain := aws.ToString(m.MailFromDomain)
	add := record{domain, "TXT", spfRecord}.String()
	if domain == "" {
		name := s.domain
		if i, ok := signer(found); ok {
			name = i.name
		}
		return warned("SPF passes for amazonses.com and not for "+s.domain+": DMARC rests on DKIM alone",
			fmt.Sprintf("aws sesv2 put-email-identity-mail-from-attributes --email-identity %s --mail-from-domain bounce.%s",
				name, name),
			"then fanmail doctor shows the DNS records that it needs")
	}
	if m.MailFromDomainStatus != types.MailFromDomainStatusSuccess {
		return failed(fmt.Sprintf("SES has not found the records of %s, the MAIL FROM domain of %s: %s",
			domain, of.name, m.MailFromDomainStatus),
			record{domain, "MX", fmt.Sprintf("10 feedback-smtp.%s.amazonses.com", region)}.String(), add)
	}
	if err != nil {
		return unanswered(err)
	}
	var policies []string
	for _, text := range txt {
		if words := strings.Fields(strings.ToLower(text)); len(words) > 0 && words[0] == "v=spf1" {
			policies = append(policies, strings.Join(words, " "))
		}
	}
	switch {
	case len(policies) == 0:
		return failed(domain+" has no SPF record", add)
	case len(policies) > 1:
		return failed(fmt.Sprintf("%s has %d SPF records: none of them counts", domain, len(policies)),
			"leave one of them in DNS: "+domain+" TXT "+spfRecord)
	case strings.Contains(policies[0]+" ", "include:amazonses.com "):
		return passed("%s: %s", domain, policies[0])
	case strings.Contains(policies[0], "include:") || strings.Contains(policies[0], "redirect="):
		return warned(fmt.Sprintf("the SPF record of %s does not name amazonses.com itself: %s", domain, policies[0]),
			"see that a record that it includes does, or put include:amazonses.com into it")
	}
	return failed(fmt.Sprintf("the SPF record of %s does not let Amazon send: %s", domain, policies[0]),
		"put include:amazonses.com into it")
}

// policy is what DNS says of DMARC: at the sender's domain, else at its organisation's.
type policy struct {
	name  string
	texts []string
}

// lookupDMARC finds the policy of a sender. Without one it is empty.
func lookupDMARC(ctx context.Context, dns Resolver, s sender) (policy, error) {
	for _, domain := range []string{s.domain, s.organisation} {
		p := policy{name: "_dmarc." + domain}
		all, err := texts(ctx, dns, p.name)
		if err != nil {
			return p, err
		}
		for _, text := range all {
			if version, _, _ := strings.Cut(text, ";"); strings.EqualFold(strings.ReplaceAll(version, " ", ""), "v=DMARC1") {
				p.texts = append(p.texts, text)
			}
		}
		if len(p.texts) > 0 {
			return p, nil
		}
	}
	return policy{}, nil
}

// judgeDMARC judges the policy of a sender.
func judgeDMARC(s sender, found []identity, p policy, err error) Verdict {
	wish := fmt.Sprintf(`"v=DMARC1; p=none; rua=mailto:dmarc@%s"`, s.organisation)
	add := record{"_dmarc." + s.organisation, "TXT", wish}.String()
	switch {
	case err != nil:
		return unanswered(err)
	case len(p.texts) == 0:
		return failed(s.organisation+" has no DMARC policy: large providers refuse or hide bulk mail without one", add)
	case len(p.texts) > 1:
		return failed(fmt.Sprintf("%s has %d DMARC policies: none of them counts", p.name, len(p.texts)),
			"leave one of them in DNS")
	}
	parsed, err := dmarc.Parse(p.texts[0])
	if err != nil {
		return failed(fmt.Sprintf("%s can't be read: %s", p.name, strings.TrimPrefix(err.Error(), "dmarc: ")),
			"correct it in DNS; it has "+p.texts[0])
	}
	if i, ok := signer(found); ok && parsed.DKIMAlignment == dmarc.AlignmentStrict && i.name != s.domain {
		return failed(fmt.Sprintf("%s asks that the signature is of %s (adkim=s), and SES signs as %s",
			p.name, s.domain, i.name),
			createIdentity+s.domain, "or leave adkim=s out of the policy")
	}
	if p.name != "_dmarc."+s.domain && parsed.SubdomainPolicy != "" {
		return passed("%s: sp=%s", p.name, parsed.SubdomainPolicy)
	}
	return passed("%s: p=%s", p.name, parsed.Policy)
}
