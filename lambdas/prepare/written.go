package main

import (
	"fmt"
	"io"

	"fanmail/shared/recipients"
)

// written looks up addresses as the recipients file has them, where the ledger has them normalised: one more pass over the
// file, as far as it is needed, keeps the memory constant.
type written struct {
	open   func() (*recipients.Reader, io.Closer, error)
	reader *recipients.Reader
	closer io.Closer
}

// address is that of the good row which starts on the line; lines must be asked for in order.
func (w *written) address(line int) (string, error) {
	if w.reader == nil {
		var err error
		if w.reader, w.closer, err = w.open(); err != nil {
			return "", err
		}
	}
	for {
		recipient, reject, err := w.reader.Read()
		if err != nil {
			return "", fmt.Errorf("reading the recipients again up to line %d: %w", line, err)
		}
		if reject == nil && recipient.Line == line {
			return recipient.Written, nil
		}
	}
}

func (w *written) close() {
	if w.closer != nil {
		_ = w.closer.Close()
	}
}
