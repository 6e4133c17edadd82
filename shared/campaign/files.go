package campaign

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"fanmail/shared/template"
)

// maxTemplate is the most bytes of a template, far above what mail clients show (Gmail cuts at 102 KB).
const maxTemplate = 1 << 20

var errTooLarge = errors.New("too large")

// files reads what campaign.yaml names.
type files struct {
	folder  fs.FS
	decoder *decoder
	failed  error // a file that is there and can't be read
}

func (f *files) templates(c *Content) {
	c.Sources.Subject = c.Campaign.Subject
	c.Sources.HTMLName, c.Sources.HTML = c.Campaign.HTML, f.template("html", c.Campaign.HTML)
	c.Sources.TextName, c.Sources.Text = c.Campaign.Text, f.template("text", c.Campaign.Text)
}

func (f *files) template(field, name string) string {
	if name == "" {
		return ""
	}
	source, ok := f.read(field, name, f.decoder.lines[field], maxTemplate)
	if !ok {
		return ""
	}
	source = bytes.TrimPrefix(source, []byte("\xef\xbb\xbf"))
	problem := Problem{File: name}
	switch nul := bytes.IndexByte(source, 0); {
	case !utf8.Valid(source):
		problem.Line, problem.Message = invalidLine(source), "not UTF-8: save the file as UTF-8"
	case nul >= 0:
		problem.Line, problem.Message = 1+bytes.Count(source[:nul], []byte{'\n'}), "has a NUL byte"
	case len(bytes.TrimSpace(source)) == 0:
		problem.Message = "the file is empty"
	default:
		return string(source)
	}
	f.decoder.problems = append(f.decoder.problems, problem)
	return ""
}

func invalidLine(source []byte) int {
	line := 1
	for len(source) > 0 {
		r, size := utf8.DecodeRune(source)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		source = source[size:]
	}
	return line
}

// read reads a file of the folder; false after a problem.
func (f *files) read(field, name string, line int, limit int64) ([]byte, bool) {
	data, err := readFile(f.folder, name, limit)
	switch {
	case err == nil:
		return data, true
	case errors.Is(err, fs.ErrNotExist):
		f.decoder.problem(field, line, "no file %s in the folder%s", name, f.similar(name))
	case errors.Is(err, errTooLarge):
		f.decoder.problem(field, line, "%s is larger than %d MiB", name, limit>>20)
	case f.failed == nil:
		f.failed = fmt.Errorf("reading %s: %w", name, err)
	}
	return nil, false
}

// similar suggests a file, where the folder can be listed.
func (f *files) similar(name string) string {
	entries, err := fs.ReadDir(f.folder, path.Dir(name))
	if err != nil {
		return ""
	}
	var names []string
	for _, entry := range entries {
		if !entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, path.Join(path.Dir(name), entry.Name()))
		}
	}
	return template.DidYouMean(name, names)
}

func readFile(folder fs.FS, name string, limit int64) ([]byte, error) {
	file, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, fs.ErrNotExist
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errTooLarge
	}
	return data, err
}
