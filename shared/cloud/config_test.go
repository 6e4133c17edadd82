package cloud

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
)

// TestTheEnvironmentLeadsTheClients lets real clients call where the variables say.
func TestTheEnvironmentLeadsTheClients(t *testing.T) {
	server := func(name string, called *string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			*called += name + " " + r.Header.Get("Authorization") + " " + r.Header.Get("X-Amz-Security-Token") + "\n"
			w.WriteHeader(http.StatusForbidden)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	for _, test := range []struct{ name, ignore, want string }{
		{"endpoints", "", "all"}, {"ignored endpoints", "true", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			called := ""
			t.Setenv("AWS_REGION", "eu-west-1")
			t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			t.Setenv("AWS_SESSION_TOKEN", "token")
			t.Setenv("AWS_ENDPOINT_URL", server("all", &called))
			t.Setenv("AWS_ENDPOINT_URL_S3", server("s3", &called))
			t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", test.ignore)
			c, err := Config(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.Region != "eu-west-1" || (c.BaseEndpoint != nil) != (test.want != "") {
				t.Errorf("the region is %q, the endpoint %v", c.Region, c.BaseEndpoint)
			}
			if test.want == "" {
				return
			}
			_, _ = Account(c).GetAccount(t.Context(), &sesv2.GetAccountInput{})
			_, _ = S3(c).ListBuckets(t.Context(), &s3.ListBucketsInput{})
			lines := strings.Split(called, "\n")
			for i, service := range []string{"all", "s3"} {
				if len(lines) != 3 || !strings.HasPrefix(lines[i], service+" AWS4-HMAC-SHA256 Credential=AKID/") || !strings.HasSuffix(lines[i], " token") {
					t.Errorf("call %d was %q, want one of %s with the variables' credentials", i+1, called, service)
				}
			}
		})
	}
	t.Setenv("AWS_MAX_ATTEMPTS", "many")
	if _, err := Config(t.Context()); err == nil || !strings.Contains(err.Error(), "loading the AWS configuration") {
		t.Errorf("a wrong variable is accepted: %v", err)
	}
}
