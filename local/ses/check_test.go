package ses_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"fanmail/local/ses"
)

func header(name, value string) types.MessageHeader {
	return types.MessageHeader{Name: aws.String(name), Value: aws.String(value)}
}

func tag(name, value string) types.MessageTag {
	return types.MessageTag{Name: aws.String(name), Value: aws.String(value)}
}

func TestABadMessageIsRefusedAsSESDoes(t *testing.T) {
	a := start(t, ses.Config{MaxSendRate: 1e6, VerifiedIdentities: []string{"example.com", "one@example.net"}})
	simple := func(change func(*types.Message)) func(*sesv2.SendEmailInput) {
		return func(in *sesv2.SendEmailInput) { change(in.Content.Simple) }
	}
	to := func(address string) func(*sesv2.SendEmailInput) {
		return func(in *sesv2.SendEmailInput) { in.Destination.ToAddresses = []string{address} }
	}
	from := func(address string) func(*sesv2.SendEmailInput) {
		return func(in *sesv2.SendEmailInput) { in.FromEmailAddress = aws.String(address) }
	}
	tests := []struct {
		name    string
		change  func(*sesv2.SendEmailInput)
		code    string
		message string
	}{
		{"no domain", to("anna"), "BadRequestException", "Missing final '@domain'"},
		{"empty address", to(""), "BadRequestException", "Missing final '@domain'"},
		{"no local part", to("@example.org"), "BadRequestException", "Missing local name"},
		{"empty domain", to("anna@"), "BadRequestException", "Missing domain"},
		{"space", to("an na@example.org"), "BadRequestException", "Local address contains control or whitespace"},
		{"local part not ASCII", to("안나@example.org"), "BadRequestException", "Local address contains control or whitespace"},
		{"domain not in punycode", to("anna@예시.kr"), "BadRequestException", "Domain contains illegal character"},
		{"dot-dot", to("anna@example..org"), "BadRequestException", "Domain contains dot-dot"},
		{"dot at the end", to("anna.@example.org"), "BadRequestException", "Local address ends with dot"},
		{"two addresses in one", to("anna@example.org, ben@example.org"), "BadRequestException", "Local address contains control or whitespace"},
		{"line break", to("anna@example.org\r\nBcc: x@example.org"), "BadRequestException", "Local address contains control or whitespace"},
		{"long local part", to(strings.Repeat("a", 65) + "@example.org"), "BadRequestException", "longer than 64"},
		{"display name not ASCII", to("안나 <anna@example.org>"), "BadRequestException", "Illegal address"},
		{"bad From", from("shop"), "BadRequestException", "Missing final '@domain'"},
		{"no From", func(in *sesv2.SendEmailInput) { in.FromEmailAddress = nil }, "BadRequestException", "FromEmailAddress"},
		{"From not verified", from("shop@example.net"), "MessageRejected", "Email address is not verified. The following identities failed the check in region US-EAST-1: shop@example.net"},
		{"bad Reply-To", func(in *sesv2.SendEmailInput) { in.ReplyToAddresses = []string{"x"} }, "BadRequestException", "Missing final '@domain'"},
		{"nobody", func(in *sesv2.SendEmailInput) { in.Destination = nil }, "BadRequestException", "Destination"},
		{"51 recipients", func(in *sesv2.SendEmailInput) {
			in.Destination.BccAddresses = strings.Split(strings.Repeat("a@example.org,", 49)+"b@example.org", ",")
		}, "BadRequestException", "Recipient count exceeds 50."},
		{"no content", func(in *sesv2.SendEmailInput) { in.Content = &types.EmailContent{} }, "BadRequestException", "Content"},
		{"two contents", func(in *sesv2.SendEmailInput) { in.Content.Raw = &types.RawMessage{Data: []byte("x")} }, "BadRequestException", "only one"},
		{"template", func(in *sesv2.SendEmailInput) {
			in.Content = &types.EmailContent{Template: &types.Template{TemplateName: aws.String("spring")}}
		}, "NotFoundException", "Template spring does not exist"},
		{"inline template", func(in *sesv2.SendEmailInput) { in.Content = &types.EmailContent{Template: &types.Template{}} }, "BadRequestException", "templates"},
		{"raw that is no message", func(in *sesv2.SendEmailInput) {
			in.Content = &types.EmailContent{Raw: &types.RawMessage{Data: []byte("no colon\r\n\r\n")}}
		}, "BadRequestException", "can't be parsed"},
		{"body without parts", simple(func(m *types.Message) { m.Body = &types.Body{} }), "BadRequestException", "Body"},
		{"subject with a line break", simple(func(m *types.Message) { m.Subject = text("a\nBcc: b@example.org") }), "BadRequestException", "Subject"},
		{"header with a line break", simple(func(m *types.Message) { m.Headers = []types.MessageHeader{header("X-A", "1\r\nX-B: 2")} }), "BadRequestException", "X-A"},
		{"header not ASCII", simple(func(m *types.Message) { m.Headers = []types.MessageHeader{header("X-A", "봄")} }), "BadRequestException", "X-A"},
		{"header name with a colon", simple(func(m *types.Message) { m.Headers = []types.MessageHeader{header("X:A", "1")} }), "BadRequestException", "colon"},
		{"long header name", simple(func(m *types.Message) { m.Headers = []types.MessageHeader{header(strings.Repeat("X", 127), "1")} }), "BadRequestException", "126"},
		{"long header value", simple(func(m *types.Message) { m.Headers = []types.MessageHeader{header("X", strings.Repeat("1", 996))} }), "BadRequestException", "too long"},
		{"long header", simple(func(m *types.Message) { m.Headers = []types.MessageHeader{header("X-A", strings.Repeat("1", 994))} }), "BadRequestException", "too long"},
		{"header of SES", simple(func(m *types.Message) { m.Headers = []types.MessageHeader{header("reply-to", "a@example.org")} }), "BadRequestException", "not allowed"},
		{"header twice", simple(func(m *types.Message) { m.Headers = []types.MessageHeader{header("X-A", "1"), header("x-a", "2")} }), "BadRequestException", "Duplicate"},
		{"16 headers", simple(func(m *types.Message) { m.Headers = make([]types.MessageHeader, 16) }), "", ""},
		{"tag with a dot", func(in *sesv2.SendEmailInput) { in.EmailTags = []types.MessageTag{tag("campaign", "spring.sale")} }, "BadRequestException", "spring.sale"},
		{"tag name with an @", func(in *sesv2.SendEmailInput) { in.EmailTags = []types.MessageTag{tag("a@b", "1")} }, "BadRequestException", "a@b"},
		{"empty tag value", func(in *sesv2.SendEmailInput) { in.EmailTags = []types.MessageTag{tag("a", "")} }, "BadRequestException", "1 to 256"},
		{"long tag", func(in *sesv2.SendEmailInput) { in.EmailTags = []types.MessageTag{tag("a", strings.Repeat("b", 257))} }, "BadRequestException", "1 to 256"},
		{"tag twice", func(in *sesv2.SendEmailInput) { in.EmailTags = []types.MessageTag{tag("a", "1"), tag("a", "2")} }, "BadRequestException", "Duplicate"},
		{"attachment with a line break in its name", simple(func(m *types.Message) {
			m.Attachments = []types.Attachment{{FileName: aws.String("a\r\nb"), RawContent: []byte("x")}}
		}), "BadRequestException", "control character"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "16 headers" {
				input := email("anna@example.org")
				for i := range 16 {
					input.Content.Simple.Headers = append(input.Content.Simple.Headers, header("X-"+string(rune('A'+i)), "1"))
				}
				if e := a.sendError(t, input); e.ErrorCode() != "BadRequestException" || !strings.Contains(e.ErrorMessage(), "15 headers") {
					t.Errorf("got %v", e)
				}
				return
			}
			input := email("anna@example.org")
			test.change(input)
			e := a.sendError(t, input)
			if e.ErrorCode() != test.code || !strings.Contains(e.ErrorMessage(), test.message) {
				t.Errorf("got %s %q, want %s %q", e.ErrorCode(), e.ErrorMessage(), test.code, test.message)
			}
		})
	}
	if a.Accepted() != 0 {
		t.Errorf("%d messages were accepted", a.Accepted())
	}
}

func TestErrorsAreTheTypesOfTheSDK(t *testing.T) {
	a := start(t, ses.Config{VerifiedIdentities: []string{"example.com"}})
	bad := email("anna")
	_, err := a.client.SendEmail(t.Context(), bad)
	if target := (*types.BadRequestException)(nil); !errors.As(err, &target) || *target.Message != "Missing final '@domain'" {
		t.Errorf("got %v", err)
	}
	unverified := email("anna@example.org")
	unverified.FromEmailAddress = aws.String("shop@example.net")
	_, err = a.client.SendEmail(t.Context(), unverified)
	if target := (*types.MessageRejected)(nil); !errors.As(err, &target) {
		t.Errorf("got %v", err)
	}
	_, err = a.client.ListEmailIdentities(t.Context(), &sesv2.ListEmailIdentitiesInput{})
	if err == nil || !strings.Contains(err.Error(), "UnknownOperationException") {
		t.Errorf("got %v", err)
	}
}

func TestGoodAddressesPass(t *testing.T) {
	a := start(t, ses.Config{MaxSendRate: 1e6, VerifiedIdentities: []string{"example.com", "one@example.net"}})
	for _, address := range []string{
		"anna@example.org", "Anna <anna@example.org>", `"Anna, B." <anna@example.org>`, "=?UTF-8?B?7JWI64KY?= <anna@example.org>",
		`"an na"@example.org`, "a+b!#$%&'*/=?^_`{|}~-@xn--vp4b33r.kr", strings.Repeat("a", 64) + "@example.org",
	} {
		a.send(t, email(address))
	}
	for _, from := range []string{"a@example.com", "a@mail.example.com", "ONE@example.net"} {
		input := email("anna@example.org")
		input.FromEmailAddress = aws.String(from)
		a.send(t, input)
	}
}
