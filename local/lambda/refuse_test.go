package lambda

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
)

func TestInvocationsAreRefusedWithTheErrorsOfAVPC(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f"}}})
	for name := range refusals {
		if err := c.service.Refuse("f", name, 2); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("f")})
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != name {
				t.Errorf("%v, want %s", err, name)
			}
		}
		if n := c.service.Refusing("f"); n != 0 {
			t.Errorf("%d refusals are left", n)
		}
	}
	if started := c.service.Stats()["f"].Started; started != 0 {
		t.Errorf("%d environments were started for invocations that were refused", started)
	}
	c.call("f", map[string]any{})
	for _, test := range []struct{ function, exception, want string }{
		{"g", "ENILimitReachedException", "no such function"}, {"f", "TooManyRequestsException", "none of the errors"},
	} {
		if err := c.service.Refuse(test.function, test.exception, 1); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
}
