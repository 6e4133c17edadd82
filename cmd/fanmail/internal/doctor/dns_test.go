package doctor

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names is what a resolver knows; a name with no records has none, any other does not exist.
type names map[string][]string

func (n names) LookupTXT(_ context.Context, name string) ([]string, error) {
	if !strings.HasSuffix(name, ".") {
		return nil, errors.New(name + " would go through the search list")
	}
	if found, ok := n[strings.TrimSuffix(name, ".")]; ok {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func TestThePolicyIsThatOfTheDomainOrOfItsOrganisation(t *testing.T) {
	for what, test := range map[string]struct {
		dns  names
		want policy
	}{
		"its own":                {names{"_dmarc.shop.example.com": {"v=DMARC1; p=none"}, "_dmarc.example.com": {"v=DMARC1; p=reject"}}, policy{"_dmarc.shop.example.com", []string{"v=DMARC1; p=none"}}},
		"its organisation's":     {names{"_dmarc.example.com": {"other", "v = DMARC1;p=reject"}}, policy{"_dmarc.example.com", []string{"v = DMARC1;p=reject"}}},
		"none":                   {names{}, policy{}},
		"only another text":      {names{"_dmarc.example.com": {"v=DMARC10; p=none"}}, policy{}},
		"none of a domain above": {names{"_dmarc.com": {"v=DMARC1; p=reject"}}, policy{}},
	} {
		got, err := lookupDMARC(t.Context(), test.dns, news)
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(policy{})); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", what, err, diff)
		}
	}
}
