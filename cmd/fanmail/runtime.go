package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/local"
)

// runtimeFlags are those that demo and local have in common.
type runtimeFlags struct {
	lambdas string
	senders int
	verbose bool
}

func (r *runtimeFlags) register(flags *pflag.FlagSet) {
	flags.IntVar(&r.senders, "senders", 0, "the most senders at a time, each with one connection (default: as deployed)")
	flags.StringVar(&r.lambdas, "lambdas", "", "folder with the functions, <name>/bootstrap each (default: lambdas beside this program)")
	flags.BoolVarP(&r.verbose, "verbose", "v", false, "print the log of the runtime and of the Lambda functions on stderr")
}

// validate is part of checking the command line.
func (r *runtimeFlags) validate(flags *pflag.FlagSet) error {
	if r.senders < 0 || r.senders == 0 && flags.Changed("senders") {
		return fmt.Errorf("--senders %d: it takes at least 1", r.senders)
	}
	return nil
}

// options are the start of those for local.Start.
func (r *runtimeFlags) options(p *program) (local.Options, error) {
	lambdas, err := r.binaries()
	if err != nil {
		return local.Options{}, err
	}
	level := slog.LevelWarn
	if r.verbose {
		level = slog.LevelDebug
	}
	return local.Options{
		LambdaBinaries: lambdas,
		Senders:        r.senders,
		DatabaseURL:    p.getenv("DATABASE_URL"),
		Logger:         slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: level})),
	}, nil
}

func (r *runtimeFlags) binaries() (string, error) {
	folder := r.lambdas
	if folder == "" {
		program, err := os.Executable()
		if err != nil {
			return "", fmt.Errorf("finding this program: %w", err)
		}
		folder = filepath.Join(filepath.Dir(program), "lambdas")
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return "", fmt.Errorf("no Lambda binaries in %s: run `make build`, or name their folder with --lambdas", folder)
	}
	return folder, nil
}

// openRuntime opens the AWS clients at the runtime's endpoint.
func openRuntime(runtime *local.Runtime) *cloud.Cloud {
	environment := map[string]string{}
	for _, v := range runtime.Environment() {
		environment[v.Name] = v.Value
	}
	return cloud.OpenLocal(environment)
}
