package campaign

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"fanmail/shared/template"
)

// maxYAML is the most bytes of campaign.yaml: it is written by hand.
const maxYAML = 1 << 20

// Read reads and checks a campaign's folder, but not its recipients. name is the folder's, or empty when it is not known.
// The error is Problems for what the author can mend, anything else when the folder can't be read. Beside Problems there
// is a Content too, if campaign.yaml could be parsed: what is good in it serves to find the problems of the other files.
func Read(folder fs.FS, name string) (*Content, error) {
	source, err := readFile(folder, File, maxYAML)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		where := "the folder"
		if name != "" {
			where = "the folder " + name
		}
		return nil, Problems{{File: File, Message: "no " + File + " in " + where}}
	case errors.Is(err, errTooLarge):
		return nil, Problems{{File: File, Message: "larger than 1 MiB"}}
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", File, err)
	}
	d := decode(source)
	d.campaign(name)
	if d.root == nil {
		d.problems.sort()
		return nil, d.problems
	}
	c := &Content{Campaign: d.result, subjectLine: d.lines["subject"]}
	f := files{folder: folder, decoder: d}
	f.templates(c)
	f.attachments(c)
	if f.failed != nil {
		return nil, f.failed
	}
	if len(d.problems) > 0 {
		d.problems.sort()
		c.partial = true
		c.defaultsUnknown = slices.ContainsFunc(d.problems, func(p Problem) bool { return strings.HasPrefix(p.Field, "defaults") })
		return c, d.problems
	}
	return c, nil
}

// Compile checks the templates against the columns of the recipients' file and the defaults. The columns are nil when they
// are not known; then it checks the syntax only, and there is no Set. Of a Content that came with Problems it checks what
// there is.
func (c *Content) Compile(columns []string) (*template.Set, Problems) {
	if c.defaultsUnknown {
		columns = nil
	} else if columns != nil && !slices.Contains(columns, "email") {
		columns = append(slices.Clone(columns), "email") // that it is missing is a problem of the list
	}
	set, found := template.Compile(c.Sources, columns, c.Campaign.Defaults)
	var problems Problems
	for _, p := range found {
		switch {
		case p.Name == template.SubjectName:
			problems = append(problems, Problem{File: File, Line: c.subjectLine, Field: p.Name, Message: p.Message})
		case p.Name != "":
			problems = append(problems, Problem{File: p.Name, Line: p.Line, Message: p.Message})
		case !c.partial:
			problems = append(problems, Problem{File: File, Message: p.Message})
		}
	}
	problems.sort()
	return set, problems
}
