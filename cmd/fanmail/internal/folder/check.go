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
	Unrenderable []Group             `json:"unrenderable"`
	File         string              `json:"file"`
	Encoding     recipients.Encoding `json:"encoding"`
	Columns      []string            `json:"columns"`
	// Problems stop the campaign.
	Problems campaign.Problems `json:"problems"`

	// Content and Set are nil when there are problems.
	Content *campaign.Content `json:"-"`
	Set     *template.Set     `json:"-"`
}

// Group counts rows that have the same trouble, with the first of them as an example.
type Group struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
	Line   int    `json:"firstLine"`
	Email  string `json:"firstEmail"`
	Detail string `json:"firstDetail,omitempty"`
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
	if err := r.take(r.rows(ctx, folder, list, progress)); err != nil {
		return r, err
	}
	if len(r.Problems) == 0 && r.Recipients == 0 {
		r.Problems = append(r.Problems, campaign.Problem{File: r.File, Message: r.emptiness()})
	}
	return r, nil
}

// open reads everything but the rows of the list. The list is nil when it can't be read; Content and Set are nil when
// they have problems.
func open(folder Folder) (*Result, *List, error) {
	r := &Result{
		Campaign: folder.Name, Rejects: []Group{}, Unrenderable: []Group{}, Columns: []string{}, Problems: campaign.Problems{},
	}
	content, err := campaign.Read(folder.FS, folder.Name)
	if err = r.take(err); err != nil || content == nil {
		return r, nil, err
	}
	r.Campaign, r.Content, r.File = content.Campaign.Name, content, content.Campaign.Recipients
	list, err := OpenList(folder.FS, r.File)
	if err != nil {
		return r, nil, r.take(err)
	}
	r.Encoding, r.Columns = list.Encoding, list.Columns
	set, problems := content.Compile(list.Columns)
	if len(problems) > 0 {
		return r, list, r.take(problems)
	}
	r.Set = set
	return r, list, nil
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
	rejects, unrenderable := groups{}, groups{}
	err := list.Each(headerFields, func(row Row) error {
		if row.Reject != nil {
			r.Rejected++
			rejects.add(string(row.Reject.Reason), row.Reject.Line, row.Reject.Email, row.Reject.Detail)
			return ctx.Err()
		}
		r.Recipients++
		if r.Set != nil {
			if _, err := r.Set.Render(row.Recipient.Fields); err != nil {
				unrenderable.add(err.Error(), row.Recipient.Line, row.Recipient.Address, "")
			}
		}
		return ctx.Err()
	})
	r.Rejects, r.Unrenderable = rejects.sorted(), unrenderable.sorted()
	return err
}

// take adds what is a problem of the folder and returns any other error.
func (r *Result) take(err error) error {
	problems, ok := errors.AsType[campaign.Problems](err)
	if !ok {
		return err
	}
	r.Problems = append(r.Problems, problems...)
	return nil
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

// maxGroups bounds a table whose reasons quote values; the rows of further reasons are counted under one name.
const maxGroups = 50

type groups map[string]*Group

func (g groups) add(reason string, line int, email, detail string) {
	if g[reason] == nil && len(g) >= maxGroups {
		reason, detail = "other reasons", ""
	}
	if g[reason] == nil {
		g[reason] = &Group{Reason: reason, Line: line, Email: email, Detail: detail}
	}
	g[reason].Count++
}

// sorted puts the most frequent first.
func (g groups) sorted() []Group {
	all := make([]Group, 0, len(g))
	for _, group := range g {
		all = append(all, *group)
	}
	slices.SortFunc(all, func(a, b Group) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return a.Line - b.Line
	})
	return all
}
