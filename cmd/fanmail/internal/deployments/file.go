// Package deployments knows which deployment a command is for: the command line, the environment and a file with named
// deployments decide, in this order.
package deployments

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Deployment is a named deployment of the file. What is empty is left to the environment, or to the search for the
// stack.
type Deployment struct {
	Stage   string `yaml:"stage,omitempty" json:"stage,omitempty"`
	Region  string `yaml:"region,omitempty" json:"region,omitempty"`
	Profile string `yaml:"profile,omitempty" json:"profile,omitempty"`
}

// File is the file that `fanmail use` writes.
type File struct {
	// Path is where it is, or would be; "" where this user has no folder for configuration.
	Path string `yaml:"-" json:"file"`
	// Current is the deployment that is in use; "" for none.
	Current     string                `yaml:"current,omitempty" json:"current"`
	Deployments map[string]Deployment `yaml:"deployments,omitempty" json:"deployments"`
}

// pathVariable names another file.
const pathVariable = "FANMAIL_CONFIG_FILE"

// Path is where the file is: FANMAIL_CONFIG_FILE, else fanmail/config.yaml in the user's folder for configuration. It
// is "" where there is none: a container may have no HOME.
func Path(getenv func(string) string) string {
	if path := getenv(pathVariable); path != "" {
		return path
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(folder, "fanmail", "config.yaml")
}

// Read reads the file. One that does not exist has no deployments. The error has a line for every problem, with file,
// line and field.
func Read(path string) (File, error) {
	f := File{Path: path, Deployments: map[string]Deployment{}}
	if path == "" {
		return f, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("reading the named deployments: %w", err)
	}
	d := &decoder{file: &f}
	d.decode(text)
	return f, errors.Join(d.problems...)
}

// Names are the names of all deployments, sorted.
func (f File) Names() []string { return slices.Sorted(maps.Keys(f.Deployments)) }

const header = "# Named deployments of Fanmail: `fanmail use` writes this file. A setting that is not here is " +
	"left to the environment.\n"

// Write replaces the file as a whole: a second command sees the old one or the new one.
func (f File) Write() error {
	if f.Path == "" {
		return fmt.Errorf("there is no folder for the named deployments: set HOME, or name a "+
			"file with %s", pathVariable)
	}
	var text bytes.Buffer
	text.WriteString(header)
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(f), encoder.Close()); err != nil {
		return err
	}
	if err := f.replace(text.Bytes()); err != nil {
		return fmt.Errorf("writing the named deployments: %w", err)
	}
	return nil
}

func (f File) replace(text []byte) error {
	folder := filepath.Dir(f.Path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(folder, "config-*.yaml")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // there is nothing left to remove once it is renamed
	_, err = temporary.Write(text)
	if err := errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), f.Path)
}
