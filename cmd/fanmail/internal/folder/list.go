package folder

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"

	"fanmail/shared/campaign"
	"fanmail/shared/recipients"
)

// List reads a campaign's recipients file. Seen, if set, is called with the number of bytes read so far.
type List struct {
	File      string
	Encoding  recipients.Encoding
	Delimiter string
	Columns   []string

	folder fs.FS
	seen   func(bytes int64)
}

// OpenList finds out the encoding and the columns. Problems are errors of type campaign.Problems; the List beside them has
// the columns if they could be read, and its rows can't be.
func OpenList(folder fs.FS, file string) (*List, error) {
	l := &List{File: file, folder: folder}
	err := l.open(func(r io.Reader) (err error) {
		l.Encoding, err = recipients.Detect(r)
		return err
	})
	if err != nil {
		return l, err
	}
	return l, l.open(func(r io.Reader) error {
		reader, err := recipients.NewReader(r, recipients.Options{File: l.File, Encoding: l.Encoding})
		if unreadable, ok := errors.AsType[*recipients.Error](err); ok {
			l.Columns = unreadable.Columns
		}
		if err == nil {
			l.Columns, l.Delimiter = reader.Columns(), reader.Separator()
		}
		return err
	})
}

// Row is what Each shows: either a good recipient or a reject. Number counts the rows below the header from 1.
type Row struct {
	Number    int
	Recipient recipients.Recipient
	Reject    *recipients.Reject
}

// ErrStop, returned by the function that Each calls, ends Each early without an error.
var ErrStop = errors.New("stop")

// Each shows every row in order; addresses that came before are rejects, as the ledger will find them. The memory that it
// takes is a hash of 8 bytes (and the map around it) per address, so two different addresses are taken for the same once in
// 10^7 lists of a million.
func (l *List) Each(headerFields []string, row func(Row) error) error {
	seed, known := maphash.MakeSeed(), map[uint64]struct{}{}
	err := l.open(func(r io.Reader) error {
		reader, err := recipients.NewReader(r, recipients.Options{File: l.File, Encoding: l.Encoding, HeaderFields: headerFields})
		if err != nil {
			return err
		}
		for number := 1; ; number++ {
			recipient, reject, err := reader.Read()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if reject == nil {
				hash := maphash.String(seed, recipient.Address)
				if _, duplicate := known[hash]; duplicate {
					reject = &recipients.Reject{Line: recipient.Line, Email: recipient.Written, Reason: recipients.Duplicate}
				}
				known[hash] = struct{}{}
			}
			if err := row(Row{Number: number, Recipient: recipient, Reject: reject}); err != nil {
				return err
			}
		}
	})
	if errors.Is(err, ErrStop) {
		return nil
	}
	return err
}

func (l *List) open(read func(io.Reader) error) error {
	file, err := l.folder.Open(l.File)
	if errors.Is(err, fs.ErrNotExist) {
		return campaign.Problems{{File: l.File, Message: "no such file in the folder"}}
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", l.File, err)
	}
	defer file.Close()
	return campaign.Join(read(&counted{r: file, seen: l.seen}))
}

// counted tells how much was read of r.
type counted struct {
	r    io.Reader
	n    int64
	seen func(int64)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	if c.seen != nil {
		c.seen(c.n)
	}
	return n, err
}
