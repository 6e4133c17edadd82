package cloud

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/shared/deployment"
)

// account is the one of the answers in these tests.
const account = "123456789012"

// fake answers as AWS does, and keeps what it was asked: Action, or method and path.
type fake struct {
	// answers are by Action, or by method and path; the last part of a list is for ever.
	answers map[string][]reply
	asked   []string
	warned  []string
}

type reply struct {
	status int
	// errorType is a header of Lambda.
	errorType, body string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	key := r.PostForm.Get("Action")
	if key == "" {
		key = r.Method + " " + r.URL.Path
	}
	asked := key
	for _, parameter := range []string{"StackName", "NextToken"} {
		if value := r.PostForm.Get(parameter); value != "" {
			asked += " " + value
		}
	}
	f.asked = append(f.asked, asked)
	list := f.answers[key]
	if len(list) == 0 {
		http.Error(w, "no answer for "+key, http.StatusTeapot)
		return
	}
	if len(list) > 1 {
		f.answers[key] = list[1:]
	}
	if list[0].errorType != "" {
		w.Header().Set("X-Amzn-Errortype", list[0].errorType)
	}
	w.WriteHeader(list[0].status)
	fmt.Fprint(w, list[0].body)
}

// opened is a Cloud whose AWS is f.
func opened(t *testing.T, f *fake, choice deployments.Choice, env map[string]string) *Cloud {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	isolate(t)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	if f.answers["GetCallerIdentity"] == nil {
		f.answers["GetCallerIdentity"] = []reply{{200, "", identity}}
	}
	c, err := Open(t.Context(), choice, func(name string) string { return env[name] }, func(line string) { f.warned = append(f.warned, line) })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// isolate takes away the developer's own AWS configuration.
func isolate(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_MAX_ATTEMPTS": "1", "AWS_ENDPOINT_URL": "", "AWS_DEFAULT_REGION": "", "AWS_DEFAULT_PROFILE": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
}

const identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::` + account + `:user/ann</Arn><UserId>AIDA</UserId><Account>` + account + `</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>`

// xmlError is an error of the query protocol.
func xmlError(status int, code, message string) reply {
	return reply{status, "", fmt.Sprintf(`<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, code, message)}
}

// stacks is an answer of DescribeStacks: "name STATUS Key=value Key=value".
func stacks(next string, texts ...string) reply {
	var b strings.Builder
	b.WriteString(`<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>`)
	for _, text := range texts {
		words := strings.Fields(text)
		fmt.Fprintf(&b, `<member><StackName>%s</StackName><StackStatus>%s</StackStatus><CreationTime>2026-11-01T08:00:00Z</CreationTime><Outputs>`, words[0], words[1])
		for _, output := range words[2:] {
			key, value, _ := strings.Cut(output, "=")
			fmt.Fprintf(&b, `<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>`, key, value)
		}
		b.WriteString(`</Outputs></member>`)
	}
	b.WriteString(`</Stacks>`)
	if next != "" {
		fmt.Fprintf(&b, `<NextToken>%s</NextToken>`, next)
	}
	b.WriteString(`</DescribeStacksResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeStacksResponse>`)
	return reply{200, "", b.String()}
}

// complete is a stack with all outputs.
func complete(name string) string {
	text := name + " UPDATE_COMPLETE"
	for _, o := range deployment.Outputs {
		text += " " + o.Key + "=" + name + "-" + strings.ToLower(o.Key)
	}
	return text
}

// chosen is a choice by flags.
func chosen(stage string) deployments.Choice {
	if stage == "" {
		return deployments.Choice{}
	}
	return deployments.Choice{Stage: deployments.Setting{Value: stage, From: "--stage"}}
}

func wantError(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", want)
		return
	}
	got := strings.Split(err.Error(), "\n")
	if len(got) != len(want) {
		t.Errorf("got %d lines, want %d:\n%s", len(got), len(want), err)
		return
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}
