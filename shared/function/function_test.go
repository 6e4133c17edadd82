package function

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"fanmail/shared/workflow"
)

// typeName is the error type that Step Functions gets to see: aws-lambda-go takes it from the outermost error.
// https://github.com/aws/aws-lambda-go/blob/v1.55.1/lambda/errors.go
func typeName(err error) string {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		return t.Elem().Name()
	}
	return t.Name()
}

func TestStepFunctionsSeesTheNameOfTheErrorInTheChain(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("taking up campaign spring-sale: %w", err) }
	for _, test := range []struct {
		name string
		err  error
		want string
		// text must be in the message.
		text string
	}{
		{"InvalidCampaign", &workflow.InvalidCampaign{Message: "no subject"}, "InvalidCampaign", "no subject"},
		{"wrapped InvalidCampaign", wrap(&workflow.InvalidCampaign{Message: "no subject"}), "InvalidCampaign", "no subject"},
		{"wrapped twice", wrap(wrap(&workflow.CampaignBusy{Message: "busy"})), "CampaignBusy", "busy"},
		{"joined", errors.Join(io.ErrUnexpectedEOF, &workflow.CampaignStuck{Message: "stuck"}), "CampaignStuck", "stuck"},
		{"wrapped CampaignUnknown", wrap(&workflow.CampaignUnknown{Message: "who?"}), "CampaignUnknown", "who?"},
		{"wrapped InvalidRequest", wrap(&workflow.InvalidRequest{Message: "what?"}), "InvalidRequest", "what?"},
		{"wrapped DatabaseFailed", wrap(&workflow.DatabaseFailed{Message: "down"}), "DatabaseFailed", "down"},
		{"no connection slot", wrap(&pgconn.PgError{Code: "53300", Message: "too many clients"}), "DatabaseBusy", "too many clients"},
		{"no table", wrap(&pgconn.PgError{Code: "42P01", Message: "relation is missing"}), "DatabaseFailed", "taking up campaign spring-sale: relation is missing; run the migrate function"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Name(test.err)
			if reflect.TypeOf(got).Kind() != reflect.Pointer || typeName(got) != test.want {
				t.Errorf("got %T, want *%s, outermost", got, test.want)
			}
			if !strings.Contains(got.Error(), test.text) {
				t.Errorf("message %q lacks %q", got, test.text)
			}
		})
	}
}

func TestAnErrorWithoutANameComesBackAsItIs(t *testing.T) {
	plain := fmt.Errorf("reading s3://bucket/key: %w", io.ErrNoProgress)
	if got := Name(plain); got != plain {
		t.Errorf("got %v, want the same error", got)
	}
	if got := Name(nil); got != nil {
		t.Errorf("got %v for no error", got)
	}
}
