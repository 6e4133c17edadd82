package main

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
)

func (p *program) preview() *cobra.Command {
	var row int
	var html string
	var asJSON bool
	c := &cobra.Command{
		Use:   "preview DIR",
		Short: "Show what one recipient will get",
		Long: `Preview renders the message for one row of the list, exactly as it will be sent, and prints its header and text part.
Rows count from 1 below the header; without --row it is the first good one.`,
		Example: `  fanmail preview ./spring-sale
  fanmail preview ./spring-sale --row 17
  fanmail preview ./spring-sale --html spring.html
  fanmail preview ./spring-sale --html - | lynx -stdin -dump`,
		Args: cobra.MatchAll(oneArgument, func(c *cobra.Command, _ []string) error {
			if row < 0 || row == 0 && c.Flags().Changed("row") {
				return fmt.Errorf("--row %d: rows count from 1", row)
			}
			if html != "" && asJSON {
				return errors.New("--html and --json: only one of them; the JSON has the HTML part too")
			}
			return nil
		}),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := folder.Open(args[0])
			if err != nil {
				return err
			}
			preview, err := folder.NewPreview(f, row)
			if err != nil {
				return err
			}
			return p.printPreview(preview, html, asJSON)
		},
	}
	c.Flags().IntVar(&row, "row", 0, "the row to render, counted from 1 below the header (default: the first good row)")
	c.Flags().StringVar(&html, "html", "", "write the HTML part to this file instead of printing the text part; - is stdout")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object with both parts")
	return c
}

func (p *program) printPreview(m *folder.Preview, html string, asJSON bool) error {
	if asJSON {
		return terminal.JSON(p.stdout, m)
	}
	if html != "" && m.HTML == "" {
		return errors.New("--html: this campaign has no HTML template")
	}
	if html == "-" {
		_, err := io.WriteString(p.stdout, m.HTML)
		return err
	}
	if err := terminal.Table(p.stdout, headerRows(m)); err != nil {
		return err
	}
	if html != "" {
		if err := os.WriteFile(html, []byte(m.HTML), 0o644); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.stdout, "\nHTML part: %s\n", html)
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "\n%s\n", strings.TrimRight(m.Text, "\n"))
	return err
}

func headerRows(m *folder.Preview) [][]string {
	rows := [][]string{{"Row:", fmt.Sprintf("%d (line %d)", m.Row, m.Line)}, {"From:", readable(m.From)}}
	if len(m.ReplyTo) > 0 {
		rows = append(rows, []string{"Reply-To:", readable(strings.Join(m.ReplyTo, ", "))})
	}
	rows = append(rows, []string{"To:", m.To}, []string{"Subject:", m.Subject})
	for _, a := range m.Attachments {
		rows = append(rows, []string{"Attachment:", fmt.Sprintf("%s (%s, %s bytes)", a.Name, a.ContentType, terminal.Number(int64(a.Bytes)))})
	}
	return rows
}

// readable decodes the names in mailboxes, which stand in the header as RFC 2047 wants them.
func readable(mailboxes string) string {
	if decoded, err := new(mime.WordDecoder).DecodeHeader(mailboxes); err == nil {
		return decoded
	}
	return mailboxes
}
