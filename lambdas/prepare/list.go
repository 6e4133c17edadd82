package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"fanmail/shared/campaign"
	"fanmail/shared/ledger"
	"fanmail/shared/recipients"
	"fanmail/shared/report"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

// list is a checked campaign folder.
type list struct {
	content *campaign.Content
	columns []string
	// key and tag, S3's entity tag, are the recipients file: both passes over it must see the same one.
	key string
	tag string
	// digest is the SHA-256 of the recipients file. (The entity tag of the same file differs between uploads.)
	digest   string
	encoding recipients.Encoding
	// headerFields are the columns that end up in header values.
	headerFields []string
}

// check reads the whole folder but the rows of the recipients file. The error is campaign.Problems for what its author
// can mend.
func (h *handler) check(ctx context.Context, from source) (*list, error) {
	content, yamlErr := campaign.Read(h.store.Folder(ctx, from.folder), from.campaign)
	if content == nil {
		return nil, yamlErr
	}
	l := &list{content: content, key: path.Join(from.folder, content.Campaign.Recipients)}
	var listErr error
	if content.Campaign.Recipients != "" {
		listErr = h.readHeader(ctx, l)
	}
	set, found := content.Compile(l.columns)
	if err := campaign.Join(yamlErr, listErr, found); err != nil {
		return nil, err
	}
	l.headerFields = set.HeaderFields()
	return l, nil
}

// readHeader finds out all that check can about the recipients file; the columns even where something else is wrong with
// it, if it can.
func (h *handler) readHeader(ctx context.Context, l *list) error {
	body, tag, err := h.store.Open(ctx, l.key)
	if storage.Missing(err) {
		return campaign.Problems{{File: l.content.Campaign.Recipients, Message: "no such file in the folder"}}
	}
	if err != nil {
		return err
	}
	l.tag = tag
	sum := sha256.New()
	l.encoding, err = recipients.Detect(io.TeeReader(body, sum))
	l.digest = hex.EncodeToString(sum.Sum(nil))
	_ = body.Close()
	if err != nil {
		return err
	}
	reader, closer, err := h.read(ctx, l)
	var file *recipients.Error
	switch {
	case err == nil:
		_ = closer.Close()
		l.columns = reader.Columns()
	case errors.As(err, &file):
		l.columns = file.Columns
	}
	return err
}

func (h *handler) read(ctx context.Context, l *list) (*recipients.Reader, io.Closer, error) {
	body, tag, err := h.store.Open(ctx, l.key)
	if err != nil {
		return nil, nil, err
	}
	if tag != l.tag {
		_ = body.Close()
		return nil, nil, &workflow.InvalidCampaign{Message: fmt.Sprintf("%s was changed while it was read; start the campaign again", l.key)}
	}
	reader, err := recipients.NewReader(body, recipients.Options{File: l.content.Campaign.Recipients, Encoding: l.encoding, HeaderFields: l.headerFields})
	if err != nil {
		_ = body.Close()
	}
	return reader, body, err
}

// importRecipients streams the recipients file into the ledger, and every line that does not become a recipient into
// rejects.csv.
func (h *handler) importRecipients(ctx context.Context, db *bun.DB, c *ledger.Campaign, l *list) error {
	reader, closer, err := h.read(ctx, l)
	if err != nil {
		return campaign.Join(err)
	}
	defer func() { _ = closer.Close() }()
	rejects := h.store.Object(storage.ReportFolder(c.Name), report.RejectsFile)
	counts := map[string]int64{}
	var importErr error
	err = h.store.Write(ctx, rejects.Key, "text/csv; charset=utf-8", func(w io.Writer) error {
		lines := csv.NewWriter(w)
		if err := lines.Write([]string{"line", "email", "reason", "detail"}); err != nil {
			return err
		}
		reject := func(r recipients.Reject) error {
			counts[string(r.Reason)]++
			return lines.Write([]string{strconv.Itoa(r.Line), r.Email, string(r.Reason), r.Detail})
		}
		repeated := &written{open: func() (*recipients.Reader, io.Closer, error) { return h.read(ctx, l) }}
		defer repeated.close()
		importErr = ledger.Import(ctx, db, c, goodRows(reader, reject),
			func(d ledger.Duplicate) error {
				email, err := repeated.address(int(d.Line))
				if err != nil {
					return err
				}
				return reject(recipients.Reject{Line: int(d.Line), Email: email, Reason: recipients.Duplicate, Detail: fmt.Sprintf("the address of line %d", d.First)})
			},
			func() map[string]int64 { return counts })
		if importErr != nil && !errors.Is(importErr, ledger.ErrNoRecipients) {
			// There may be a rejects.csv of an attempt that came further.
			return importErr
		}
		lines.Flush()
		return lines.Error()
	})
	if errors.Is(importErr, ledger.ErrImported) {
		return nil
	}
	if errors.Is(importErr, ledger.ErrNoRecipients) {
		return noRecipients(l, counts, rejects)
	}
	if importErr != nil {
		return campaign.Join(importErr)
	}
	return err
}

// goodRows reads on to the next good row and reports the bad ones that it passes.
func goodRows(reader *recipients.Reader, reject func(recipients.Reject) error) func() (ledger.Row, error) {
	return func() (ledger.Row, error) {
		for {
			recipient, bad, err := reader.Read()
			if err != nil {
				return ledger.Row{}, err
			}
			if bad == nil {
				return ledger.Row{Line: recipient.Line, Address: recipient.Address, Fields: recipient.Fields}, nil
			}
			if err := reject(*bad); err != nil {
				return ledger.Row{}, err
			}
		}
	}
}

// noRecipients says that the list is empty, or why every line of it was rejected.
func noRecipients(l *list, counts map[string]int64, rejects workflow.Object) error {
	var reasons []string
	for _, reason := range recipients.Reasons {
		if n := counts[string(reason)]; n > 0 {
			reasons = append(reasons, fmt.Sprintf("%d %s", n, reason))
		}
	}
	message := "has no recipients: there is no line below the header"
	if len(reasons) > 0 {
		message = fmt.Sprintf("has no good address: %s; each line is in s3://%s/%s", strings.Join(reasons, ", "), rejects.Bucket, rejects.Key)
	}
	return campaign.Problems{{File: l.content.Campaign.Recipients, Message: message}}
}
