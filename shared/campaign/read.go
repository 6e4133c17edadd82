package campaign

import (
	"errors"
	"fmt"
	"io/fs"

	"fanmail/shared/template"
)

// maxYAML is the most bytes of campaign.yaml: it is written by hand.
const maxYAML = 1 << 20

// Read reads and checks a campaign's folder, but not its recipients. name is the folder's, or empty when it is not known.
// The error is Problems for what the author can mend, anything else when the folder can't be read.
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
	c := &Content{Campaign: d.result, subjectLine: d.lines["subject"]}
	f := files{folder: folder, decoder: d}
	f.templates(c)
	f.attachments(c)
	if f.failed != nil {
		return nil, f.failed
	}
	if len(d.problems) > 0 {
		d.problems.sort()
		return nil, d.problems
	}
	return c, nil
}

// Compile checks the templates against the columns of the recipients' file and the defaults.
func (c *Content) Compile(columns []string) (*template.Set, Problems) {
	set, found := template.Compile(c.Sources, columns, c.Campaign.Defaults)
	if len(found) == 0 {
		return set, nil
	}
	problems := make(Problems, len(found))
	for i, p := range found {
		problems[i] = Problem{File: p.Name, Line: p.Line, Message: p.Message}
		if p.Name == template.SubjectName || p.Name == "" {
			problems[i] = Problem{File: File, Line: c.subjectLine, Field: p.Name, Message: p.Message}
		}
	}
	problems.sort()
	return nil, problems
}
