package template

// Sources are the templates of a campaign as written. HTML or Text may be empty, not both.
type Sources struct {
	Subject string `json:"subject"`
	HTML    string `json:"html,omitempty"`
	Text    string `json:"text,omitempty"`
	// HTMLName and TextName are the names of the files, for problems.
	HTMLName string `json:"htmlName,omitempty"`
	TextName string `json:"textName,omitempty"`
}

// SubjectName is the Name of a Problem in the subject, which has no file of its own.
const SubjectName = "subject"

// Problem is something that the author of a template has to mend. Line counts from 1; 0 when it is not known.
type Problem struct {
	Name    string
	Line    int
	Message string
}

// Message is what one recipient gets. HTML is empty when the campaign has no HTML template; Text is
// empty only when it is made from an HTML part without words.
type Message struct {
	Subject string
	HTML    string
	Text    string
}
