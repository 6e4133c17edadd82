package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/deployment"
)

// The flags that say which deployment.
var deploymentFlags = []string{"deployment", "stage", "region", "profile"}

func (p *program) registerDeploymentFlags(flags *pflag.FlagSet) {
	flags.StringVar(&p.flags.Name, "deployment", "", "`NAME` of a deployment that \"fanmail use\" has named")
	flags.StringVar(&p.flags.Stage, "stage", "", "`STAGE` of the deployment: its stack is fanmail-STAGE")
	flags.StringVar(&p.flags.Region, "region", "", "AWS `REGION` of the deployment")
	flags.StringVar(&p.flags.Profile, "profile", "", "`PROFILE` of the AWS configuration")
}

// onThisMachine are the verbs that call no deployment.
var onThisMachine = []string{"demo", "local", "bench", "check", "preview", "import", "pinpoint", "listmonk"}

// checkDeploymentFlags refuses what would be ignored, or would mean anything but what was meant.
func (p *program) checkDeploymentFlags(c *cobra.Command) error {
	for _, name := range deploymentFlags {
		flag := c.Flags().Lookup(name)
		if flag == nil || !flag.Changed {
			continue
		}
		switch {
		case slices.Contains(onThisMachine, c.Name()):
			return fmt.Errorf("--%s: %s runs on this machine and has no deployment", name, c.Name())
		case flag.Value.String() == "" && c.Name() != useName:
			return fmt.Errorf("--%s is empty: name one, or leave it out", name)
		}
	}
	if p.flags.Stage != "" && !deployments.ValidStage(p.flags.Stage) {
		return fmt.Errorf("--stage %q: use letters, digits and hyphens", p.flags.Stage)
	}
	return nil
}

// deploymentNamed tells whether the command line says which deployment.
func (p *program) deploymentNamed(c *cobra.Command) bool {
	return slices.ContainsFunc(deploymentFlags, c.Flags().Changed)
}

// choose decides which deployment the command is for.
func (p *program) choose() (deployments.Choice, error) {
	file, err := deployments.Read(deployments.Path(p.getenv))
	if err != nil {
		return deployments.Choice{}, err
	}
	return deployments.Choose(p.flags, p.getenv, file)
}

// open makes the AWS clients of the deployment that the command line, the environment and the user's file name. What
// a verb needs of the deployment is looked up at once, so that all that is missing is reported together; without
// needs, each is looked up by the first call that needs it.
func (p *program) open(ctx context.Context, needs ...deployment.Output) (*cloud.Cloud, error) {
	choice, err := p.choose()
	if err != nil {
		return nil, err
	}
	aws, err := cloud.Open(ctx, choice, p.getenv, p.warn)
	if err != nil {
		return nil, err
	}
	return aws, aws.Need(ctx, needs...)
}

// warn prints a line that is no error.
func (p *program) warn(line string) { fmt.Fprintln(p.stderr, "fanmail: note: "+terminal.OneLine(line)) }
