package template

import (
	"errors"
	htmltemplate "html/template"
	"regexp"
	"strconv"
	"strings"
)

var (
	located   = regexp.MustCompile(`^(?:html/)?template: ?(.*?):(\d+):(?:\d+:)? ?`)
	executing = regexp.MustCompile(`^executing ".*?" at <(.*?)>: `)
	undefined = regexp.MustCompile(`^function "(.*)" not defined`)
	noEntry   = regexp.MustCompile(`map has no entry for key "(.*)"`)
)

// problemOf turns an error of Go's template packages into a Problem.
func problemOf(name string, err error) Problem {
	p := Problem{Name: name, Message: err.Error()}
	if m := located.FindStringSubmatch(p.Message); m != nil {
		p.Line, _ = strconv.Atoi(m[2])
		p.Message = p.Message[len(m[0]):]
	}
	var escaping *htmltemplate.Error
	if errors.As(err, &escaping) {
		p.Message, _, _ = strings.Cut(escaping.Description, ": {state")
		if escaping.ErrorCode == htmltemplate.ErrEndContext {
			p.Message = "a quote, tag, comment, style or script that opens in the file is not closed at its end"
		}
		if escaping.Line > 0 {
			p.Line = escaping.Line
		}
	}
	p.Message = plain(p.Message)
	if m := undefined.FindStringSubmatch(p.Message); m != nil {
		p.Message = "unknown function " + m[1] + DidYouMean(m[1], functionNames())
	}
	return p
}

// shorten turns an error of an execution into one line: "mail.html:3: .name: ...".
func shorten(err error) error {
	m := located.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	return errors.New(m[1] + ":" + m[2] + ": " + plain(err.Error()[len(m[0]):]))
}

func plain(message string) string {
	message = executing.ReplaceAllString(message, "$1: ")
	message = noEntry.ReplaceAllString(message, "this recipient has no field $1")
	return strings.Join(strings.Fields(message), " ")
}
