package campaign

import "fanmail/shared/template"

// Snapshot is what the senders of an execution work from: the content as Prepare checked it, and the columns that it
// checked the templates against.
type Snapshot struct {
	Content
	Columns []string `json:"columns"`
}

// Templates compiles the snapshot's templates.
func (s *Snapshot) Templates() (*template.Set, error) {
	set, problems := s.Compile(s.Columns)
	if len(problems) > 0 {
		return nil, problems
	}
	return set, nil
}
