package cloud

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Caller is whom AWS takes us for.
type Caller struct {
	// Account and ARN, that of a user or of a role's session, are "" when AWS refuses the credentials.
	Account string `json:"account"`
	ARN     string `json:"arn"`
	// Skew is by how much AWS's clock is ahead of this machine's, to the second. Answered is false when AWS did not
	// tell.
	Skew     time.Duration `json:"-"`
	Answered bool          `json:"-"`
}

// Caller asks STS who calls. AWS tells its time even where it refuses us.
func (c *Cloud) Caller(ctx context.Context) (Caller, error) {
	var caller Caller
	answer := func(o *sts.Options) {
		o.HTTPClient = dated{cmp.Or[sts.HTTPClient](o.HTTPClient, awshttp.NewBuildableClient()), &caller}
	}
	out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, answer)
	if err != nil {
		return caller, c.explain(ctx, "asking who calls", err)
	}
	caller.Account, caller.ARN = aws.ToString(out.Account), aws.ToString(out.Arn)
	return caller, nil
}

// dated notes the time that AWS's answers tell. The SDK tells it of good answers only.
type dated struct {
	sts.HTTPClient
	caller *Caller
}

func (d dated) Do(request *http.Request) (*http.Response, error) {
	asked := time.Now()
	answer, err := d.HTTPClient.Do(request)
	if err != nil {
		return answer, err
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		// A Date is cut to the second: half a second is what it lacks on average.
		d.caller.Skew, d.caller.Answered = date.Add(time.Second/2).Sub(asked.Add(time.Since(asked)/2)), true
	}
	return answer, nil
}

// where names region and account, for an error that says where nothing was found. It leaves out the account that STS
// does not say.
func (c *Cloud) where(ctx context.Context) string {
	place := "in the region " + c.region
	if from := c.choice.Region.From; from != "" {
		place += " (" + from + ")"
	}
	if who, err := c.Caller(ctx); err == nil {
		place += " of the account " + who.Account
	}
	if c.endpoint != "" {
		place += " at AWS_ENDPOINT_URL=" + c.endpoint
	}
	return place
}
