package endtoend

import (
	"fmt"
	"io/fs"
	"maps"
	"strings"

	"fanmail/examples"
)

// folder is a campaign's folder: the contents of its files by name.
type folder map[string]string

// with returns the folder with one file changed.
func (f folder) with(name, content string) folder {
	changed := maps.Clone(f)
	changed[name] = content
	return changed
}

const plainYAML = `from: Shop <shop@example.com>
subject: Hello {{.name}}
text: mail.txt
`

// list is a campaign of n recipients.
func list(n int) folder {
	var rows strings.Builder
	rows.WriteString("email,name\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&rows, "recipient-%05d@example.com,Recipient %d\n", i, i)
	}
	return folder{"campaign.yaml": plainYAML, "mail.txt": "Dear {{.name}}, this is for {{.email}}.\n", "recipients.csv": rows.String()}
}

// example is the folder examples/spring-sale.
func example() folder {
	f := folder{}
	files := examples.SpringSale()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		f[path] = string(content)
		return err
	})
	if err != nil {
		panic(err) // the files are part of this program
	}
	return f
}

// upload puts the folder where a user does.
func (d *stack) upload(campaign string, f folder) {
	d.t.Helper()
	for name, content := range f {
		d.put("campaigns/"+campaign+"/"+name, content)
	}
}
