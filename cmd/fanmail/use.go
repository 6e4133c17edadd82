package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/cmd/fanmail/internal/terminal"
)

const useName = "use"

func (p *program) use() *cobra.Command {
	var remove, asJSON bool
	c := &cobra.Command{
		Use:   useName + " [NAME]",
		Short: "Name deployments, and choose the one to use",
		Long: `Use keeps named deployments in a file, fanmail/config.yaml in the user's folder for configuration (or
FANMAIL_CONFIG_FILE). Each has a stage, a region and an AWS profile, all optional. With a NAME that deployment is
used from now on; with --stage, --region or --profile it is made or changed first. Without a NAME all are listed.

Environment variables win over the deployment in use: where one does, use says so. --deployment NAME takes another
one for one call.`,
		Example: `  fanmail use prod --stage prod --region eu-west-1 --profile mail
  fanmail use staging --stage staging
  fanmail use prod
  fanmail use
  fanmail use --remove staging`,
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return fmt.Errorf("%d arguments where at most one is wanted: fanmail %s", len(args), c.Use)
			case c.Flags().Changed("deployment"):
				return errors.New("--deployment: use takes the name as its argument")
			case remove && len(args) == 0:
				return errors.New("--remove needs the NAME of a deployment")
			case asJSON && len(args) > 0:
				return errors.New("--json is for the list, without a NAME")
			case (remove || len(args) == 0) && p.changes(c):
				return errors.New("--stage, --region and --profile belong to a NAME that is made or changed")
			case len(args) == 1 && !deployments.ValidName(args[0]):
				return fmt.Errorf("the name %q: use letters, digits, dots, hyphens and underscores", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			file, err := deployments.Read(deployments.Path(p.getenv))
			switch {
			case err != nil:
				return err
			case len(args) == 0:
				return p.printDeployments(file, asJSON)
			case remove:
				return p.removeDeployment(file, args[0])
			}
			return p.useDeployment(c, file, args[0])
		},
	}
	c.Flags().BoolVar(&remove, "remove", false, "take the deployment out of the file; nothing is removed in AWS")
	c.Flags().BoolVar(&asJSON, "json", false, "print the list as one JSON object")
	return c
}

// changes tells whether the command line has a setting.
func (p *program) changes(c *cobra.Command) bool {
	return c.Flags().Changed("stage") || c.Flags().Changed("region") || c.Flags().Changed("profile")
}

func (p *program) useDeployment(c *cobra.Command, file deployments.File, name string) error {
	one, known := file.Deployments[name]
	if !known && p.flags.Deployment == (deployments.Deployment{}) {
		return unknownDeployment(file, name)
	}
	for flag, set := range map[string]*string{"stage": &one.Stage, "region": &one.Region, "profile": &one.Profile} {
		if c.Flags().Changed(flag) {
			*set = c.Flags().Lookup(flag).Value.String()
		}
	}
	file.Deployments[name], file.Current = one, name
	if err := file.Write(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.stdout, "%s is in use: %s\n`fanmail whoami` shows what is found "+
		"there.\n", name, describe(one)); err != nil {
		return err
	}
	p.noteWhatWins(file)
	return nil
}

// noteWhatWins says which environment variables the deployment in use gives way to.
func (p *program) noteWhatWins(file deployments.File) {
	choice, err := deployments.Choose(deployments.Flags{}, p.getenv, file)
	if err != nil {
		p.warn(err.Error())
		return
	}
	one := file.Deployments[file.Current]
	if choice.Name.Value != file.Current {
		p.warn(fmt.Sprintf("%s=%s is set, and wins over what is in use", choice.Name.From, choice.Name.Value))
		return
	}
	for _, pair := range []struct {
		wanted string
		got    deployments.Setting
	}{{one.Stage, choice.Stage}, {one.Region, choice.Region}, {one.Profile, choice.Profile}} {
		switch {
		case pair.wanted == "" || pair.wanted == pair.got.Value:
		case pair.got.From == "":
			p.warn(fmt.Sprintf("the environment has AWS credentials, which win over the profile %s", pair.wanted))
		default:
			p.warn(fmt.Sprintf("%s=%s is set, and wins over %s", pair.got.From, pair.got.Value, pair.wanted))
		}
	}
}

func (p *program) removeDeployment(file deployments.File, name string) error {
	if _, known := file.Deployments[name]; !known {
		return unknownDeployment(file, name)
	}
	delete(file.Deployments, name)
	rest := ""
	if file.Current == name {
		file.Current = ""
		rest = "; no deployment is in use now"
	}
	if err := file.Write(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "%s is taken out of %s%s\n", name, file.Path, rest)
	return err
}

func unknownDeployment(file deployments.File, name string) error {
	if len(file.Deployments) == 0 {
		return fmt.Errorf("there is no deployment %s yet: `fanmail use %s --stage STAGE --region REGION` "+
			"makes it", name, name)
	}
	return fmt.Errorf("there is no deployment %s, only %s: `fanmail use %s --stage STAGE --region REGION` "+
		"makes it", name, strings.Join(file.Names(), ", "), name)
}

func (p *program) printDeployments(file deployments.File, asJSON bool) error {
	if asJSON {
		return terminal.JSON(p.stdout, file)
	}
	if len(file.Deployments) == 0 {
		_, err := fmt.Fprintln(p.stdout, "No deployment is named yet: `fanmail use NAME --stage STAGE --region "+
			"REGION` does it.")
		return err
	}
	rows := [][]string{{"", "name", "stage", "region", "profile"}}
	for _, name := range file.Names() {
		mark, one := " ", file.Deployments[name]
		if name == file.Current {
			mark = "*"
		}
		rows = append(rows, []string{mark, name, orDash(one.Stage), orDash(one.Region), orDash(one.Profile)})
	}
	return terminal.Table(p.stdout, rows)
}

func describe(d deployments.Deployment) string {
	return fmt.Sprintf("stage %s, region %s, profile %s", orDash(d.Stage), orDash(d.Region), orDash(d.Profile))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
