package importer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fanmail/shared/campaign"
)

// starter lacks the sender and the subject, so `fanmail check` refuses it until somebody has thought of both.
const starter = `# The settings of this campaign; docs/campaign.md has all keys. "fanmail check" says what is missing.
from:
subject:
html: mail.html

# Every column of recipients.csv is a field of mail.html and of the subject: {{.%s}} prints it.
%s
# What stands in where a recipient has no value:
# defaults: {%s: "friend"}
`

// writeStarter writes a campaign.yaml where none is, and says whether it did.
func writeStarter(folder string, columns []Column) (bool, error) {
	path := filepath.Join(folder, campaign.File)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("writing %s: %w", path, err)
	}
	var list strings.Builder
	for _, column := range columns {
		fmt.Fprintf(&list, "#   %s\n", column.Name)
	}
	example := columns[min(1, len(columns)-1)].Name
	_, err = fmt.Fprintf(file, starter, example, list.String(), example)
	return true, errors.Join(err, file.Close())
}
