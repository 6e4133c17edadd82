package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/campaign"
	"fanmail/shared/recipients"
	"fanmail/shared/template"
)

// Result is what a check of a whole folder found.
type Result struct {
	Campaign string `json:"campaign"`
	// Recipients is the number of good rows, each with an address of its own.
	Recipients int64 `json:"recipients"`
	// Rejected is the number of rows that will be left out, and Rejects the same by reason.
	Rejected int64   `json:"rejected"`
	Rejects  []Group `json:"rejects"`
	// Unrenderable are good rows for which the templates fail. They do not stop the campaign: they end as failed.
	Unrenderable []Group `json:"unrenderable"`
	// Empty are columns that a template prints whatever they hold, and that hold nothing in some good rows.
	Empty     []Gap               `json:"empty"`
	File      string              `json:"file"`
	Encoding  recipients.Encoding `json:"encoding"`
	Delimiter string              `json:"delimiter"`
	Columns   []string            `json:"columns"`
	// Settings are campaign.yaml as it was understood; nil when it has problems.
	Settings    *campaign.Campaign `json:"settings,omitempty"`
	Attachments []Attachment       `json:"attachments"`
	// Problems stop the campaign.
	Problems campaign.Problems `json:"problems"`

	// Content and Set are whole only when there are no problems.
	Content *campaign.Content `json:"-"`
	Set     *template.Set     `json:"-"`
}

// Err has a line for every problem, or is nil.
func (r *Result) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	return r.Problems
}

// Check reads the folder whole. What a user can mend is in Result.Problems; the error is for what stops the reading itself.
func Check(ctx context.Context, folder Folder, progress terminal.Progress) (*Result, error) {
	defer progress.Done()
	r, list, err := open(folder)
	if err != nil || list == nil {
		return r, err
	}
	err = r.rows(ctx, folder, list, progress)
	if err == nil && r.Recipients == 0 {
		err = campaign.Problems{{File: r.File, Message: r.emptiness()}}
	}
	return r, r.take(err)
}

// open reads everything but the rows of the list. The list is nil when they can't be read.
func open(folder Folder) (*Result, *List, error) {
	r := &Result{
		Campaign: folder.Name, Rejects: []Group{}, Unrenderable: []Group{}, Empty: []Gap{}, Columns: []string{}, Attachments: []Attachment{},
		Problems: campaign.Problems{},
	}
	content, yamlErr := campaign.Read(folder.FS, folder.Name)
	if content == nil {
		return r, nil, r.take(yamlErr)
	}
	r.Content, r.File, r.Attachments = content, content.Campaign.Recipients, attachments(content)
	if yamlErr == nil {
		r.Campaign, r.Settings = content.Campaign.Name, &content.Campaign
	}
	var list *List
	var columns []string
	var listErr error
	if r.File != "" {
		list, listErr = OpenList(folder.FS, r.File)
		columns = list.Columns
	}
	if listErr != nil {
		list = nil
	}
	if list != nil {
		r.Encoding, r.Delimiter, r.Columns = list.Encoding, list.Delimiter, list.Columns
	}
	set, found := content.Compile(columns)
	r.Set = set
	return r, list, r.take(campaign.Join(yamlErr, listErr, found))
}

// OpenCampaign is the list and the compiled templates of a folder. Problems are an error with a line each.
func OpenCampaign(folder Folder) (*List, *template.Set, error) {
	r, list, err := open(folder)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return nil, nil, err
	}
	return list, r.Set, nil
}

// rows counts good and bad rows, and renders the good ones when there is a set.
func (r *Result) rows(ctx context.Context, folder Folder, list *List, progress terminal.Progress) error {
	if info, err := fs.Stat(folder.FS, list.File); err == nil && info.Size() >= longList {
		list.seen = func(bytes int64) { progress.Count("checking "+list.File+", KiB", bytes>>10, info.Size()>>10) }
	}
	var headerFields []string
	if r.Set != nil {
		headerFields = r.Set.HeaderFields()
	}
	rejects, unrenderable, gaps := groups{}, groups{}, gaps{}
	err := list.Each(headerFields, func(row Row) error {
		if row.Reject != nil {
			r.Rejected++
			rejects.add(string(row.Reject.Reason), row.Reject.Line, row.Reject.Email, row.Reject.Detail)
			return ctx.Err()
		}
		r.Recipients++
		if r.Set != nil {
			gaps.add(r.Set.Expected(), row.Recipient)
			if _, err := r.Set.Render(row.Recipient.Fields); err != nil {
				unrenderable.add(err.Error(), row.Recipient.Line, row.Recipient.Address, "")
			}
		}
		return ctx.Err()
	})
	r.Rejects, r.Unrenderable, r.Empty = rejects.sorted(), unrenderable.sorted(), gaps.sorted()
	return err
}

// take adds what is a problem of the folder and returns any other error.
func (r *Result) take(err error) error {
	all := campaign.Join(r.Problems, err)
	problems, ok := errors.AsType[campaign.Problems](all)
	if ok {
		r.Problems = problems
		return nil
	}
	return all
}

// emptiness says why there is nobody to mail.
func (r *Result) emptiness() string {
	if r.Rejected == 0 {
		return "the list is empty: there is no row below the header"
	}
	var reasons []string
	for _, g := range r.Rejects {
		reasons = append(reasons, fmt.Sprintf("%s: %s", g.Reason, terminal.Number(g.Count)))
	}
	return fmt.Sprintf("no good address: all %s rows are rejected (%s; the first is line %d)",
		terminal.Number(r.Rejected), strings.Join(reasons, ", "), r.firstLine())
}

func (r *Result) firstLine() int {
	return slices.MinFunc(r.Rejects, func(a, b Group) int { return a.Line - b.Line }).Line
}

// longList is the size in bytes from which a check takes long enough to show progress.
const longList = 4 << 20
