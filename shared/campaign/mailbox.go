package campaign

import (
	"errors"
	"net/mail"
	"strings"

	"fanmail/shared/recipients"
	"fanmail/shared/template"
)

// mailbox checks an address with or without a display name and writes it for a header.
func (d *decoder) mailbox(field, text string, line int) string {
	if !d.checkLine(field, text, line) {
		return ""
	}
	box, err := parseMailbox(text)
	if err != nil {
		d.problem(field, line, "%q is no address like Spring Shop <news@example.com>: %s", text, err)
	}
	return box
}

func parseMailbox(text string) (string, error) {
	name, address := "", strings.TrimSpace(text)
	if open := strings.LastIndexByte(address, '<'); open >= 0 {
		if address[len(address)-1] != '>' {
			return "", errors.New("it does not end with >")
		}
		name, address = strings.TrimSpace(address[:open]), address[open+1:len(address)-1]
	}
	local, domain, err := recipients.Split(address)
	if err != nil {
		return "", err
	}
	box := mail.Address{Address: local + "@" + domain}
	if name != "" {
		// mail reads quoted and encoded names; a plain one may have anything but what would end it.
		parsed, err := mail.ParseAddress(name + " <" + box.Address + ">")
		switch {
		case err == nil:
			box.Name = parsed.Name
		case strings.Contains(name, "=?"):
			return "", errors.New("its name is an encoded word that can't be read: write it in plain letters")
		case strings.ContainsAny(name, `"<>,;:@\()[]`):
			return "", errors.New("put its name between double quotes")
		default:
			box.Name = name
		}
		if !template.SingleLine(box.Name) {
			return "", errors.New("its name has a line break or control character")
		}
	}
	if box.Name == "" {
		return box.Address, nil
	}
	return box.String(), nil
}
