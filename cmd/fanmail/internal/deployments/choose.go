package deployments

import (
	"cmp"
	"fmt"
	"strings"
)

// Flags are what stands on the command line.
type Flags struct {
	// Name is --deployment.
	Name string
	Deployment
}

// Setting is a setting and where it comes from: a flag, an environment variable, or the file. From is "" where
// nothing gives it.
type Setting struct {
	Value string `json:"value"`
	From  string `json:"from"`
}

// OnCommandLine tells whether the command line gives the setting, by itself or by naming a deployment.
func (s Setting) OnCommandLine() bool { return strings.HasPrefix(s.From, "--") }

// Choice is the deployment that a command is for.
type Choice struct {
	// Name is the named deployment that the others may come from.
	Name Setting
	// Stage is empty where the only stack that there is will do.
	Stage Setting
	// Region and Profile are empty where the AWS configuration decides.
	Region, Profile Setting
}

// The environment variables that choose.
const (
	nameVariable  = "FANMAIL_DEPLOYMENT"
	stageVariable = "FANMAIL_STAGE"
)

var (
	// credentialVariables give credentials without a profile.
	credentialVariables = []string{"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"}

	regionVariables  = []string{"AWS_REGION", "AWS_DEFAULT_REGION"}
	profileVariables = []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}
)

// Choose decides: the flags win; then --deployment, whose settings count as if they stood on the command line; then
// the environment; then the deployment that FANMAIL_DEPLOYMENT names or that is in use.
func Choose(flags Flags, getenv func(string) string, file File) (Choice, error) {
	var c Choice
	switch name := getenv(nameVariable); {
	case flags.Name != "":
		c.Name = Setting{flags.Name, "--deployment"}
	case name != "":
		c.Name = Setting{name, nameVariable}
	case file.Current != "":
		c.Name = Setting{file.Current, file.Path}
	}
	named, known := file.Deployments[c.Name.Value]
	if c.Name.Value != "" && !known {
		return c, fmt.Errorf("there is no deployment %q (%s) in %s, which has %s: `fanmail use %s --stage STAGE` "+
			"makes it",
			c.Name.Value, c.Name.From, cmp.Or(file.Path, "a file"), file.list(), c.Name.Value)
	}
	from := "deployment " + c.Name.Value + ", " + c.Name.From
	if c.Name.OnCommandLine() {
		from = c.Name.From + " " + c.Name.Value
	}
	pick := func(flag, flagValue, namedValue string, variables ...string) Setting {
		if flagValue != "" {
			return Setting{flagValue, flag}
		}
		if namedValue != "" && c.Name.OnCommandLine() {
			return Setting{namedValue, from}
		}
		for _, variable := range variables {
			if value := getenv(variable); value != "" {
				return Setting{value, variable}
			}
		}
		if namedValue != "" {
			return Setting{namedValue, from}
		}
		return Setting{}
	}
	c.Stage = pick("--stage", flags.Stage, named.Stage, stageVariable)
	c.Region = pick("--region", flags.Region, named.Region, regionVariables...)
	c.Profile = pick("--profile", flags.Profile, named.Profile, profileVariables...)
	// The SDK prefers a profile that it is given to credentials in the environment. Here the environment wins over
	// the file.
	for _, variable := range credentialVariables {
		if getenv(variable) != "" && !c.Profile.OnCommandLine() {
			c.Profile = Setting{}
		}
	}
	if c.Stage.Value != "" && !ValidStage(c.Stage.Value) {
		return c, fmt.Errorf("the stage %q (%s): use letters, digits and hyphens, as in "+
			"--stage prod", c.Stage.Value, c.Stage.From)
	}
	return c, nil
}
