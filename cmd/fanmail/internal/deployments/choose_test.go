package deployments

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheFlagsWinThenTheNamedDeploymentThenTheEnvironmentThenTheOneInUse(t *testing.T) {
	file := File{Path: "/c/config.yaml", Current: "prod", Deployments: map[string]Deployment{
		"prod": {Stage: "prod", Region: "eu-west-1", Profile: "mail"},
		"dev":  {Stage: "dev", Region: "us-west-2"},
	}}
	inUse := Setting{"prod", "/c/config.yaml"}
	for _, c := range []struct {
		name  string
		flags Flags
		env   map[string]string
		want  Choice
	}{
		{"in use", Flags{}, nil, Choice{inUse,
			Setting{"prod", "deployment prod, /c/config.yaml"}, Setting{"eu-west-1", "deployment prod, /c/config.yaml"}, Setting{"mail", "deployment prod, /c/config.yaml"}}},
		{"the environment", Flags{}, map[string]string{"FANMAIL_STAGE": "test", "AWS_REGION": "ap-south-1", "AWS_DEFAULT_REGION": "x", "AWS_PROFILE": "me"},
			Choice{inUse, Setting{"test", "FANMAIL_STAGE"}, Setting{"ap-south-1", "AWS_REGION"}, Setting{"me", "AWS_PROFILE"}}},
		{"the other variables", Flags{}, map[string]string{"AWS_DEFAULT_REGION": "ap-south-1", "AWS_DEFAULT_PROFILE": "me"},
			Choice{inUse, Setting{"prod", "deployment prod, /c/config.yaml"}, Setting{"ap-south-1", "AWS_DEFAULT_REGION"}, Setting{"me", "AWS_DEFAULT_PROFILE"}}},
		{"keys in the environment", Flags{}, map[string]string{"AWS_ACCESS_KEY_ID": "AKIA"},
			Choice{inUse, Setting{"prod", "deployment prod, /c/config.yaml"}, Setting{"eu-west-1", "deployment prod, /c/config.yaml"}, Setting{}}},
		{"a role by web identity", Flags{}, map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"},
			Choice{inUse, Setting{"prod", "deployment prod, /c/config.yaml"}, Setting{"eu-west-1", "deployment prod, /c/config.yaml"}, Setting{}}},
		{"named by a variable", Flags{}, map[string]string{"FANMAIL_DEPLOYMENT": "dev", "AWS_REGION": "ap-south-1"},
			Choice{Setting{"dev", "FANMAIL_DEPLOYMENT"}, Setting{"dev", "deployment dev, FANMAIL_DEPLOYMENT"}, Setting{"ap-south-1", "AWS_REGION"}, Setting{}}},
		{"named on the command line", Flags{Name: "prod"}, map[string]string{"FANMAIL_DEPLOYMENT": "dev", "FANMAIL_STAGE": "x", "AWS_REGION": "x", "AWS_ACCESS_KEY_ID": "x"},
			Choice{Setting{"prod", "--deployment"}, Setting{"prod", "--deployment prod"}, Setting{"eu-west-1", "--deployment prod"}, Setting{"mail", "--deployment prod"}}},
		{"flags", Flags{"prod", Deployment{"a", "b", "c"}}, map[string]string{"FANMAIL_STAGE": "x", "AWS_REGION": "x", "AWS_PROFILE": "x", "AWS_ACCESS_KEY_ID": "x"},
			Choice{Setting{"prod", "--deployment"}, Setting{"a", "--stage"}, Setting{"b", "--region"}, Setting{"c", "--profile"}}},
	} {
		getenv := func(name string) string { return c.env[name] }
		got, err := Choose(c.flags, getenv, file)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (- want, + got):\n%s", c.name, diff)
		}
	}
	nothing, err := Choose(Flags{}, func(string) string { return "" }, File{})
	if err != nil || nothing != (Choice{}) {
		t.Errorf("%+v %v", nothing, err)
	}
}

func TestAnUnknownDeploymentOrABadStageIsOneLine(t *testing.T) {
	file := File{Path: "/c/config.yaml", Deployments: map[string]Deployment{"prod": {}, "dev": {}}}
	for want, c := range map[string]struct {
		flags Flags
		env   map[string]string
		file  File
	}{
		"there is no deployment \"x\" (--deployment) in /c/config.yaml, which has dev, prod: `fanmail use x": {Flags{Name: "x"}, nil, file},
		"there is no deployment \"y\" (FANMAIL_DEPLOYMENT) in a file, which has none":                        {Flags{}, map[string]string{"FANMAIL_DEPLOYMENT": "y"}, File{}},
		"the stage \"a b\" (FANMAIL_STAGE): use letters":                                                     {Flags{}, map[string]string{"FANMAIL_STAGE": "a b"}, file},
	} {
		_, err := Choose(c.flags, func(name string) string { return c.env[name] }, c.file)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
