package recipients

import "fmt"

// Recipient is one good row. Line is where it starts, as an editor counts. Fields has every column under the name in the
// header, and "email" with Address. Written is the address as the file has it.
type Recipient struct {
	Line    int
	Address string
	Written string
	Fields  map[string]string
}

// Reject is one bad row. Email is what stands in its email column as far as that can be told.
type Reject struct {
	Line   int
	Email  string
	Reason Reason
	Detail string
}

// Reason is why a row was rejected. The set is closed, so that rejects can be counted by it.
type Reason string

const (
	// NoAddress: the email column is empty.
	NoAddress Reason = "no address"
	// BadAddress: the email column holds something that SES would refuse.
	BadAddress Reason = "not an address"
	// WrongColumns: the row is longer or shorter than the header.
	WrongColumns Reason = "wrong number of columns"
	// BadQuotes: a quoted field is not closed, or a quote stands where none may.
	BadQuotes Reason = "misplaced quote"
	// NotUTF8: the file is UTF-8, this row is not.
	NotUTF8 Reason = "not UTF-8"
	// NotCP949: the file is CP949, this row is not.
	NotCP949 Reason = "not CP949"
	// NULByte: the row has a NUL byte, which PostgreSQL can't store.
	NULByte Reason = "NUL byte"
	// HeaderLineBreak: a field that the subject uses has a line break or another control character.
	HeaderLineBreak Reason = "line break in header field"
	// Duplicate: the address came before in the file. The ledger finds these, not the Reader.
	Duplicate Reason = "duplicate"
)

// Reasons are all of them, in the order of a report.
var Reasons = []Reason{
	NoAddress, BadAddress, Duplicate, WrongColumns, BadQuotes, NotUTF8, NotCP949, NULByte, HeaderLineBreak,
}

// Error says why a file can't be read, or not further than Line (0 when it is no single line's fault). Columns are those of
// its header, where that could be read in spite of the error.
type Error struct {
	File    string
	Line    int
	Message string
	Columns []string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
}
