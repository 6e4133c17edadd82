package doctor

import (
	"context"
	"strings"
)

func (e *examination) ses(ctx context.Context) (v Verdict) {
	var err error
	if e.account, err = e.AWS.Account(ctx); err != nil {
		return refused(err, "ses:GetAccount")
	}
	return passed("SES answers in %s", e.AWS.Region())
}

func (e *examination) sandbox(context.Context) Verdict { return judgeSandbox(e.account) }
func (e *examination) sending(context.Context) Verdict { return judgeSending(e.account) }
func (e *examination) quota(context.Context) Verdict   { return judgeQuota(e.account) }

func (e *examination) identity(ctx context.Context) Verdict {
	from := e.From
	if from == "" && e.Folder != nil && e.Folder.Settings != nil {
		from = e.Folder.Settings.From
	}
	if from == "" {
		return skipped("no sender is known: name a campaign folder, or --from ADDRESS")
	}
	var err error
	if e.sender, err = parseSender(from); err != nil {
		return failed(err.Error(), "write an address such as news@example.com")
	}
	for _, name := range e.sender.names() {
		out, err := e.AWS.EmailIdentity(ctx, name)
		if err != nil {
			return refused(err, "ses:GetEmailIdentity")
		}
		if out != nil {
			e.identities = append(e.identities, identity{name, out})
		}
	}
	return judgeIdentity(e.sender, e.identities)
}

func (e *examination) dkim(ctx context.Context) Verdict {
	var absent []record
	i, _ := signer(e.identities)
	if i.GetEmailIdentityOutput == nil {
		return judgeDKIM(e.sender, e.identities, nil, nil)
	}
	for _, r := range i.dkimRecords() {
		found, err := texts(ctx, e.DNS, r.name)
		if err != nil {
			return judgeDKIM(e.sender, e.identities, nil, err)
		}
		if !strings.Contains(strings.Join(found, ""), "p=") {
			absent = append(absent, r)
		}
	}
	return judgeDKIM(e.sender, e.identities, absent, nil)
}

func (e *examination) spf(ctx context.Context) Verdict {
	var found []string
	var err error
	if _, m := mailFrom(e.identities); m.MailFromDomain != nil {
		found, err = texts(ctx, e.DNS, *m.MailFromDomain)
	}
	return judgeSPF(e.sender, e.identities, e.AWS.Region(), found, err)
}

func (e *examination) dmarc(ctx context.Context) Verdict {
	p, err := lookupDMARC(ctx, e.DNS, e.sender)
	return judgeDMARC(e.sender, e.identities, p, err)
}
