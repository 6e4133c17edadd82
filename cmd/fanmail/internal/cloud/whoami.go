package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/shared/deployment"
)

// Found is all that is known of the deployment, each with where it comes from.
type Found struct {
	Caller
	// Credentials are where the SDK found them.
	Credentials string              `json:"credentials"`
	Deployment  deployments.Setting `json:"deployment"`
	Profile     deployments.Setting `json:"profile"`
	Region      deployments.Setting `json:"region"`
	Endpoint    deployments.Setting `json:"endpoint"`
	Stage       deployments.Setting `json:"stage"`
	Stack       FoundStack          `json:"stack"`
	// Outputs are by key, those that nothing gives with an empty value; Order is that of deployment.Outputs.
	Outputs map[string]deployments.Setting `json:"outputs"`
	Order   []string                       `json:"-"`
}

// FoundStack is the stack, empty where there is none.
type FoundStack struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

// Whoami finds out what it can. The error has a line for each thing that it could not.
func (c *Cloud) Whoami(ctx context.Context) (Found, error) {
	f := Found{
		Deployment: c.choice.Name, Profile: c.choice.Profile, Stage: c.choice.Stage,
		Region:   deployments.Setting{Value: c.region, From: cmp.Or(c.choice.Region.From, "AWS profile")},
		Endpoint: deployments.Setting{Value: cmp.Or(c.endpoint, "that of AWS")},
		Outputs:  map[string]deployments.Setting{},
	}
	if c.endpoint != "" {
		f.Endpoint.From = "AWS profile"
		if c.getenv("AWS_ENDPOINT_URL") == c.endpoint {
			f.Endpoint.From = "AWS_ENDPOINT_URL"
		}
	}
	if keys, err := c.credentials.Retrieve(ctx); err == nil {
		f.Credentials = keys.Source
	}
	var problems []error
	var err error
	if f.Caller, err = c.Caller(ctx); err != nil {
		problems = append(problems, err)
	}
	// Everybody may ask who calls, so without an answer there is none for the stack either.
	known := false
	if err == nil {
		var stack Stack
		stack, err = c.Stack(ctx)
		known, f.Stack = err == nil, FoundStack{stack.Name, stack.Status}
		if err != nil {
			problems = append(problems, err)
		} else if f.Stage.Value == "" {
			f.Stage = deployments.Setting{Value: stack.Stage(), From: "the only stack"}
		}
	}
	var missing []string
	for _, o := range deployment.Outputs {
		f.Order = append(f.Order, o.Key)
		setting := deployments.Setting{Value: c.getenv(o.Variable), From: o.Variable}
		switch inStack := known && c.found.Outputs[o.Key] != ""; {
		case setting.Value == "" && inStack:
			setting = deployments.Setting{Value: c.found.Outputs[o.Key], From: "stack output"}
		case setting.Value == "":
			setting.From = ""
			missing = append(missing, o.Key)
		case inStack:
			if _, err := c.output(ctx, o); err != nil {
				problems = append(problems, err)
			}
		}
		f.Outputs[o.Key] = setting
	}
	if known && len(missing) > 0 {
		c.warn(fmt.Sprintf("the stack %s lacks the outputs %s: an older Fanmail deployed it, or the deployment failed: deploy again "+
			"with `make deploy STAGE=%s`",
			f.Stack.Name, strings.Join(missing, ", "), f.Stage.Value))
	}
	return f, errors.Join(problems...)
}
