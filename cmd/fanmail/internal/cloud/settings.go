package cloud

import (
	"context"
	"errors"
	"fmt"

	"fanmail/shared/deployment"
)

// Need looks up what a verb needs of the deployment, before it does anything. The error has a line for each that is missing. No
// call is made where the environment gives all of it.
func (c *Cloud) Need(ctx context.Context, outputs ...deployment.Output) error {
	for _, o := range outputs {
		if c.fromEnvironment(o) {
			continue
		}
		if _, err := c.Stack(ctx); err != nil {
			return err
		}
		break
	}
	var missing []error
	for _, o := range outputs {
		if _, err := c.output(ctx, o); err != nil {
			missing = append(missing, err)
		}
	}
	return errors.Join(missing...)
}

// fromEnvironment tells whether the environment alone decides: a stage on the command line must not be contradicted by it.
func (c *Cloud) fromEnvironment(o deployment.Output) bool {
	return c.getenv(o.Variable) != "" && !c.choice.Stage.OnCommandLine()
}

// output is what the environment says of a part of the deployment, or else the stack.
func (c *Cloud) output(ctx context.Context, o deployment.Output) (string, error) {
	given := c.getenv(o.Variable)
	if c.fromEnvironment(o) {
		return given, nil
	}
	stack, err := c.Stack(ctx)
	if err != nil {
		return "", err
	}
	found := stack.Outputs[o.Key]
	switch {
	case given != "" && found != "" && given != found:
		return "", fmt.Errorf("%s is %s, but %s of the stack %s (%s) is %s: unset the variable, or leave out %s",
			o.Variable, given, o.Key, stack.Name, c.choice.Stage.From, found, c.choice.Stage.From)
	case given != "":
		return given, nil
	case found == "":
		return "", fmt.Errorf("the stack %s has no output %s (%s): an older Fanmail deployed it, or the deployment failed: deploy "+
			"again with `make deploy STAGE=%s`, or set %s",
			stack.Name, o.Key, o.What, stack.Stage(), o.Variable)
	}
	return found, nil
}

// Output is what is known of a part of the deployment; "" for nothing.
func (c *Cloud) Output(ctx context.Context, o deployment.Output) string {
	value, _ := c.output(ctx, o) // whoever can't do without it has asked Need
	return value
}
